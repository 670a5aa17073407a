//! How runs end: results, attempts, budgets, back-off, and answers that come too late.

use queue_core::op::{Notice, Op, Reply, RunKey};
use queue_core::state::{FailReason, TaskState};
use queue_core::task::{Ending, NewTask, Outcome, Overrides, RetryWish, Tally, TaskId, WorkerId};

use crate::shorthand::*;

fn finished(state: TaskState, reason: Option<FailReason>) -> Notice {
    Notice::Finished { id: FIRST, state, reason }
}

fn wishing(run: RunKey, retry: RetryWish) -> Op {
    let ending = Ending { retry, ..Ending::bare(Outcome::Error, "") };
    Op::Finish { run, ending, refill: None }
}

#[test]
fn a_first_success_keeps_its_result_and_no_attempt() {
    let mut rig = Rig::memory();
    let id = rig.enqueue(task());
    rig.pass(3 * SECOND);
    let run = rig.run();
    rig.pass(SECOND);
    let ending = Ending { result: vec![7; 9], cut: true, run_us: 55, ..Ending::bare(Outcome::Ok, "") };
    let turn = rig.turn(&[Op::Finish { run, ending, refill: None }], &[]);
    assert_eq!((turn.replies, turn.notices), (vec![Reply::Applied], vec![finished(TaskState::Completed, None)]));
    let view = rig.view(id);
    assert_eq!((view.state, view.reason, view.result, view.cut), (TaskState::Completed, None, vec![7; 9], true));
    assert_eq!((view.wait_us, view.run_us), (Some(3 * SECOND), Some(55)));
    assert_eq!(view.finished_at_us, Some(FIRST_WALL_US + 4 * SECOND));
    assert_eq!(rig.store.attempts(id).unwrap(), []);
}

#[test]
fn every_other_end_is_kept_with_all_that_is_known_of_it() {
    let mut rig = Rig::memory();
    let id = rig.enqueue(task());
    let run = rig.run();
    rig.pass(SECOND);
    let ending = Ending {
        outcome: Outcome::Signal,
        retry: RetryWish::ByPolicy,
        scope: Default::default(),
        detail: "died by SIGSEGV".into(),
        code: Some(3),
        signal: Some(11),
        peak_rss_bytes: Some(1 << 40),
        cpu_ms: Some(12),
        run_us: 999,
        worker: Some(WorkerId(8)),
        pid: Some(4321),
        output: vec![0xFF, 0],
        result: vec![1],
        cut: false,
        follow_ups: vec![],
    };
    rig.turn(&[Op::Finish { run, ending: ending.clone(), refill: None }], &[]);
    let second = rig.run();
    rig.end(second, Outcome::Ok);
    let attempts = rig.store.attempts(id).unwrap();
    let seen: Vec<_> = attempts.iter().map(|attempt| (attempt.epoch, attempt.outcome)).collect();
    assert_eq!(seen, [(1, Outcome::Signal), (2, Outcome::Ok)], "a success after a failure is kept as well");
    let kept = &attempts[0];
    assert_eq!((&kept.detail, kept.code, kept.signal), (&ending.detail, ending.code, ending.signal));
    assert_eq!((kept.peak_rss_bytes, kept.cpu_ms, kept.run_us), (ending.peak_rss_bytes, ending.cpu_ms, ending.run_us));
    assert_eq!((kept.worker, kept.pid, &kept.output), (ending.worker, ending.pid, &ending.output));
    assert_eq!((kept.started_at_us, kept.ended_at_us), (FIRST_WALL_US, FIRST_WALL_US + SECOND));
    assert_eq!(rig.view(id).result, [], "only a success has a result");
}

#[test]
fn an_answer_that_comes_too_late_is_dropped_whole() {
    let mut rig = Rig::memory();
    let id = rig.enqueue(task());
    let run = rig.run();
    let stale = |rig: &mut Rig, run: RunKey| {
        let (view, attempts) = (rig.store.task(id).unwrap(), rig.store.attempts(id).unwrap());
        let turn = rig.turn(&[finish(run, Outcome::Ok)], &[]);
        assert_eq!((turn.replies, turn.notices), (vec![Reply::Stale], vec![]), "{run:?}");
        assert_eq!((rig.store.task(id).unwrap(), rig.store.attempts(id).unwrap()), (view, attempts), "{run:?}");
    };
    for epoch in [0, 2, i64::MAX, i64::MIN] {
        stale(&mut rig, RunKey { epoch, ..run });
    }
    stale(&mut rig, RunKey { task: TaskId(99), epoch: 1 });
    rig.end(run, Outcome::Exit);
    stale(&mut rig, run);
    let second = rig.run();
    stale(&mut rig, run);
    rig.end(second, Outcome::Ok);
    stale(&mut rig, second);
    assert_eq!(rig.book.rows().stale, 8);
}

#[test]
fn the_second_answer_in_one_turn_is_too_late() {
    for (first, second) in [(Outcome::Ok, Outcome::Error), (Outcome::Error, Outcome::Ok), (Outcome::Ok, Outcome::Ok)] {
        let mut rig = Rig::memory();
        let id = rig.enqueue(task());
        let run = rig.run();
        let turn = rig.turn(&[finish(run, first), finish(run, second)], &[]);
        assert_eq!((turn.replies, turn.notices.len()), (vec![Reply::Applied, Reply::Stale], 1));
        let want = if first == Outcome::Ok { TaskState::Completed } else { TaskState::Retryable };
        assert_eq!(rig.view(id).state, want);
    }
}

/// Runs the only task until it is final; how often it ran.
fn until_final(rig: &mut Rig, outcome: Outcome) -> u32 {
    for run in 1..=20 {
        rig.pass(3_600 * SECOND);
        let key = rig.run();
        if let Notice::Finished { .. } = rig.end(key, outcome) {
            return run;
        }
    }
    panic!("it never became final");
}

#[test]
fn budgets_are_exact() {
    use FailReason::*;
    let (built_in, tight) = (Overrides::default(), |n| Overrides { max_attempts: Some(n), ..Overrides::default() });
    let one_crash = Overrides { max_crashes: Some(1), ..built_in };
    for (outcome, overrides, runs, reason) in [
        (Outcome::Error, built_in, 5, Attempts),
        (Outcome::Timeout, built_in, 5, Attempts),
        (Outcome::Error, tight(1), 1, Attempts),
        (Outcome::Error, tight(7), 7, Attempts),
        (Outcome::Oom, built_in, 3, Crashes),
        (Outcome::Signal, built_in, 3, Crashes),
        (Outcome::Exit, built_in, 3, Crashes),
        (Outcome::Protocol, built_in, 3, Crashes),
        (Outcome::Signal, tight(1), 3, Crashes),
        (Outcome::Signal, one_crash, 1, Crashes),
        (Outcome::Error, one_crash, 5, Attempts),
        (Outcome::Lost, built_in, 15, Crashes),
    ] {
        let mut rig = Rig::memory();
        let id = rig.enqueue(NewTask { overrides, ..task() });
        assert_eq!(until_final(&mut rig, outcome), runs, "{outcome:?} {overrides:?}");
        let view = rig.view(id);
        assert_eq!((view.state, view.reason), (TaskState::Failed, Some(reason)), "{outcome:?} {overrides:?}");
        assert_eq!(rig.store.attempts(id).unwrap().len(), runs as usize);
    }
}

#[test]
fn errors_and_crashes_have_budgets_of_their_own() {
    let mut rig = Rig::memory();
    let id = rig.enqueue(task());
    let ends = [Outcome::Error, Outcome::Signal, Outcome::Error, Outcome::Recalled, Outcome::Exit, Outcome::Error];
    for outcome in ends {
        rig.pass(3_600 * SECOND);
        let run = rig.run();
        assert!(matches!(rig.end(run, outcome), Notice::Returned { .. }), "{outcome:?}");
    }
    assert_eq!(rig.view(id).tally, Tally { epoch: 6, runs: 5, attempts: 3, crashes: 2, lost: 0 });
    rig.pass(3_600 * SECOND);
    let run = rig.run();
    assert_eq!(rig.end(run, Outcome::Oom), finished(TaskState::Failed, Some(FailReason::Crashes)));
}

#[test]
fn failures_wait_longer_each_time_and_the_first_crash_does_not_wait() {
    let waits_s = |outcome, count: usize| -> Vec<i64> {
        let mut rig = Rig::memory();
        let id = rig.enqueue(NewTask { overrides: Overrides { max_crashes: Some(9), ..task().overrides }, ..task() });
        let wait = |_| {
            let run = rig.run();
            let said = rig.end(run, outcome);
            let due = rig.view(id).due_at_us;
            let state = if due.is_some() { TaskState::Retryable } else { TaskState::Available };
            assert_eq!(said, Notice::Returned { id, outcome, state });
            let wait_us = due.map_or(0, |due| due - rig.now.wall_us);
            if wait_us > 0 {
                rig.pass(wait_us - 1);
                rig.turn(&[], &[]);
                assert_eq!(rig.count(TaskState::Retryable), 1, "it is not due before its time");
                rig.pass(1);
            }
            wait_us / SECOND
        };
        (0..count).map(wait).collect()
    };
    assert_eq!(waits_s(Outcome::Error, 4), [1, 2, 4, 8]);
    assert_eq!(waits_s(Outcome::Timeout, 2), [1, 2]);
    assert_eq!(waits_s(Outcome::Signal, 6), [0, 1, 2, 4, 8, 10]);
    assert_eq!(waits_s(Outcome::Recalled, 3), [0, 0, 0]);
}

#[test]
fn the_word_of_the_handler_comes_before_the_policy() {
    let mut rig = Rig::memory();
    let id = rig.enqueue(task());
    let run = rig.run();
    let turn = rig.turn(&[wishing(run, RetryWish::AfterMs(7))], &[]);
    assert_eq!(turn.next_due, Some(FIRST_WALL_US + 7_000));
    rig.pass(7_000);
    let run = rig.run();
    let turn = rig.turn(&[wishing(run, RetryWish::AfterMs(u64::MAX))], &[]);
    assert_eq!(turn.next_due, Some(i64::MAX), "a wait without an end is a wait, not an overflow");
    assert_eq!(rig.ask(Op::Cancel(id)), Reply::Cancelled);

    let mut rig = Rig::memory();
    rig.enqueue(task());
    let run = rig.run();
    let turn = rig.turn(&[wishing(run, RetryWish::Never)], &[]);
    assert_eq!(turn.notices, [finished(TaskState::Failed, Some(FailReason::Rejected))]);
}
