//! The table of `transition`: every (state, event) pair, the budgets, and the diagram that the docs show.

use super::*;
use crate::retry::Backoff;

const OUTCOMES: [Outcome; 11] = Outcome::ALL;

fn limits() -> Limits {
    Limits { backoff: Backoff { base_ms: 1, cap_ms: 8, jitter: 0.0 }, ..Limits::default() }
}

fn standing(state: Option<TaskState>, cancelling: bool) -> Standing {
    Standing { state, cancelling, tally: Tally::default() }
}

fn events() -> Vec<Event> {
    let mut all = vec![
        Event::Enqueued { delay_us: 0 },
        Event::Enqueued { delay_us: 5 },
        Event::Due,
        Event::Claimed,
        Event::CancelAsked,
        Event::RetryAsked,
    ];
    for outcome in OUTCOMES {
        all.extend([RetryWish::ByPolicy, RetryWish::AfterMs(3), RetryWish::Never].map(|w| Event::Ended(outcome, w)));
    }
    all
}

/// The row of the table for one pair, written out once more and independently of `transition`.
fn expected(state: Option<TaskState>, cancelling: bool, event: Event) -> Option<Move> {
    use Outcome::*;
    use TaskState::*;
    Some(match (state, event) {
        (None, Event::Enqueued { delay_us: 0 }) => Move::Available,
        (None, Event::Enqueued { delay_us }) => Move::Later(Scheduled, delay_us),
        (Some(Scheduled | Retryable), Event::Due) => Move::Available,
        (Some(Available), Event::Claimed) => Move::Running,
        (Some(Scheduled | Retryable | Available), Event::CancelAsked) => Move::Final(TaskState::Cancelled, None),
        (Some(Running), Event::CancelAsked) => Move::StopWanted,
        (Some(Completed | Failed | TaskState::Cancelled), Event::CancelAsked) => Move::Stay,
        (Some(Completed | Failed | TaskState::Cancelled), Event::RetryAsked) => Move::Available,
        (Some(Scheduled | Available | Running | Retryable), Event::RetryAsked) => Move::Stay,
        (Some(Running), Event::Ended(Ok, _)) => Move::Final(Completed, None),
        (Some(Running), Event::Ended(..)) if cancelling => Move::Final(TaskState::Cancelled, None),
        (Some(Running), Event::Ended(Outcome::Cancelled, _)) => Move::Final(TaskState::Cancelled, None),
        (Some(Running), Event::Ended(Error | Timeout, RetryWish::Never)) => {
            Move::Final(Failed, Some(FailReason::Rejected))
        }
        (Some(Running), Event::Ended(Error | Timeout, RetryWish::AfterMs(ms))) => {
            Move::Later(Retryable, ms as i64 * 1000)
        }
        (Some(Running), Event::Ended(Error | Timeout, RetryWish::ByPolicy)) => Move::Later(Retryable, 1000),
        (Some(Running), Event::Ended(Budget, _)) => Move::Final(Failed, Some(FailReason::Budget)),
        (Some(Running), Event::Ended(Oom | Signal | Exit | Protocol | Lost | Recalled, _)) => Move::BackInLine,
        _ => return None,
    })
}

#[test]
fn every_pair_of_state_and_event() {
    let mut legal = 0;
    for state in TaskState::ALL.map(Some).into_iter().chain([None]) {
        for cancelling in [false, true] {
            for event in events() {
                let got = transition(standing(state, cancelling), event, &limits(), 0);
                let want = expected(state, cancelling, event).ok_or(Illegal { state, event });
                assert_eq!(got.map(|(to, _)| to), want, "{state:?} cancelling={cancelling} {event:?}");
                legal += usize::from(got.is_ok());
            }
        }
    }
    assert_eq!(legal, 2 * (2 + 1 + 1 + 1 + 7 + 7 + 33), "the table has grown: extend the expectations");
}

/// Runs a task again and again with the same outcome, as long as it comes back; how often it ran, and its last move.
fn until_final(outcome: Outcome, limits: &Limits) -> (u32, Move, Tally) {
    let mut tally = Tally::default();
    for run in 1.. {
        let running = Standing { state: Some(TaskState::Running), cancelling: false, tally };
        let (to, spent) = transition(running, Event::Ended(outcome, RetryWish::ByPolicy), limits, 0).unwrap();
        if matches!(to, Move::Final(..)) || run > 2 * MAX_RUNS {
            return (run, to, spent);
        }
        tally = spent;
    }
    unreachable!()
}

#[test]
fn budgets_are_exact() {
    let failed = |reason| Move::Final(TaskState::Failed, Some(reason));
    for outcome in [Outcome::Error, Outcome::Timeout] {
        let (runs, to, tally) = until_final(outcome, &limits());
        assert_eq!((runs, to, tally.crashes), (5, failed(FailReason::Attempts), 0), "{outcome:?}");
    }
    for outcome in [Outcome::Oom, Outcome::Signal, Outcome::Exit, Outcome::Protocol] {
        let (runs, to, tally) = until_final(outcome, &limits());
        assert_eq!((runs, to, tally.attempts), (3, failed(FailReason::Crashes), 0), "{outcome:?}");
    }
    let (runs, to, _) = until_final(Outcome::Lost, &limits());
    assert_eq!((runs, to), (15, failed(FailReason::Crashes)), "every fifth lost in a row is one crash");
    let many = Limits { max_attempts: u32::MAX, ..limits() };
    let (runs, to, _) = until_final(Outcome::Error, &many);
    assert_eq!((runs, to), (MAX_RUNS, failed(FailReason::TooManyRuns)));
    let (_, to, tally) = until_final(Outcome::Recalled, &limits());
    assert_eq!((to, tally), (Move::BackInLine, Tally::default()), "what we stop ourselves spends nothing");
}

#[test]
fn the_first_crash_runs_again_at_once_and_later_ones_wait() {
    let crash = |crashes| {
        let tally = Tally { crashes, ..Tally::default() };
        let running = Standing { state: Some(TaskState::Running), cancelling: false, tally };
        let event = Event::Ended(Outcome::Signal, RetryWish::ByPolicy);
        transition(running, event, &Limits { max_crashes: 9, ..limits() }, 0).unwrap().0
    };
    assert_eq!(crash(0), Move::BackInLine);
    assert_eq!(crash(1), Move::Later(TaskState::Retryable, 1000));
    assert_eq!(crash(2), Move::Later(TaskState::Retryable, 2000));
}

#[test]
fn a_lost_run_between_others_starts_its_count_anew() {
    let tally = Tally { lost: 4, ..Tally::default() };
    let running = Standing { state: Some(TaskState::Running), cancelling: false, tally };
    let end = |outcome| transition(running, Event::Ended(outcome, RetryWish::ByPolicy), &limits(), 0).unwrap().1;
    assert_eq!(end(Outcome::Lost).crashes, 1);
    assert_eq!(end(Outcome::Error).lost, 0);
}

#[test]
fn a_retry_makes_the_budgets_new_and_keeps_the_epoch() {
    let spent = Tally { epoch: 9, runs: 8, attempts: 3, crashes: 2, lost: 4 };
    for state in TaskState::ALL {
        let from = Standing { state: Some(state), cancelling: false, tally: spent };
        let (_, tally) = transition(from, Event::RetryAsked, &limits(), 0).unwrap();
        let want = if state.is_final() { Tally { epoch: 9, ..Tally::default() } } else { spent };
        assert_eq!(tally, want, "{state:?}");
    }
}

#[test]
fn the_diagram_in_the_docs_is_the_table() {
    let committed = include_str!("../docs/states.md");
    assert_eq!(committed, crate::diagram::states(), "run `cargo run -p scripts -- gen`");
}
