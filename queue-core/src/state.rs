//! The one place that decides where a task goes: `transition`. Pure: no rows, no clock, no randomness of its own.

use crate::policy::Limits;
use crate::task::{Outcome, RetryWish, Tally};

/// Runs of one task, parks and give-backs not counted: nothing goes round for ever.
pub const MAX_RUNS: u32 = 10_000;
/// So many `lost` in a row count as one crash.
pub const LOST_PER_CRASH: u32 = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaskState {
    /// Becomes available at its time.
    Scheduled,
    /// May run now, by rank.
    Available,
    /// Leased to a worker under an epoch.
    Running,
    /// Failed; becomes available at its time.
    Retryable,
    Completed,
    Failed,
    Cancelled,
}

impl TaskState {
    pub const ALL: [TaskState; 7] = [
        TaskState::Scheduled,
        TaskState::Available,
        TaskState::Running,
        TaskState::Retryable,
        TaskState::Completed,
        TaskState::Failed,
        TaskState::Cancelled,
    ];

    pub fn name(self) -> &'static str {
        match self {
            TaskState::Scheduled => "scheduled",
            TaskState::Available => "available",
            TaskState::Running => "running",
            TaskState::Retryable => "retryable",
            TaskState::Completed => "completed",
            TaskState::Failed => "failed",
            TaskState::Cancelled => "cancelled",
        }
    }

    pub fn is_final(self) -> bool {
        matches!(self, TaskState::Completed | TaskState::Failed | TaskState::Cancelled)
    }
}

/// Why a task is `failed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailReason {
    /// Its last allowed attempt failed.
    Attempts,
    /// It took its last allowed worker down: poison.
    Crashes,
    /// Its handler said "never again".
    Rejected,
    TooManyRuns,
    /// Its runs spent more than its budget.
    Budget,
}

impl FailReason {
    pub const ALL: [FailReason; 5] =
        [FailReason::Attempts, FailReason::Crashes, FailReason::Rejected, FailReason::TooManyRuns, FailReason::Budget];

    pub fn name(self) -> &'static str {
        match self {
            FailReason::Attempts => "attempts",
            FailReason::Crashes => "crashes",
            FailReason::Rejected => "rejected",
            FailReason::TooManyRuns => "too_many_runs",
            FailReason::Budget => "budget",
        }
    }
}

/// What can happen to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Enqueued {
        delay_us: i64,
    },
    /// The time of a scheduled or retryable task has come.
    Due,
    Claimed,
    Ended(Outcome, RetryWish),
    CancelAsked,
    /// A person or program wants a final task to be tried again.
    RetryAsked,
}

/// Where a task goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// It is where it belongs already.
    Stay,
    /// To the claimable, under a new rank.
    Available,
    /// Back to the claimable, under the rank that it had.
    BackInLine,
    /// To `scheduled` or `retryable`, due after so many microseconds.
    Later(TaskState, i64),
    Running,
    /// It runs: its processes must go first.
    StopWanted,
    Final(TaskState, Option<FailReason>),
}

/// Where the task stands before the event. `cancelling` is the durable stop of a running task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Absent: the task is not yet there.
    pub state: Option<TaskState>,
    pub cancelling: bool,
    pub tally: Tally,
}

/// An event that cannot happen in this state: a broken invariant of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{event:?} cannot happen to a task that is {state:?}")]
pub struct Illegal {
    pub state: Option<TaskState>,
    pub event: Event,
}

/// Decides where `event` takes a task, and what it has spent then. `random` is any uniformly drawn word.
pub fn transition(from: Standing, event: Event, limits: &Limits, random: u64) -> Result<(Move, Tally), Illegal> {
    use TaskState::*;
    let mut tally = from.tally;
    let to = match (from.state, event) {
        (None, Event::Enqueued { delay_us }) if delay_us > 0 => Move::Later(Scheduled, delay_us),
        (None, Event::Enqueued { .. }) => Move::Available,
        (Some(Scheduled | Retryable), Event::Due) => Move::Available,
        (Some(Available), Event::Claimed) => {
            tally.epoch += 1;
            Move::Running
        }
        (Some(Running), Event::Ended(outcome, wish)) => {
            spend(&mut tally, outcome);
            after_run(from.cancelling, &tally, outcome, wish, limits, random)
        }
        (Some(Scheduled | Available | Retryable), Event::CancelAsked) => Move::Final(Cancelled, None),
        (Some(Running), Event::CancelAsked) => Move::StopWanted,
        (Some(Completed | Failed | Cancelled), Event::CancelAsked) => Move::Stay,
        (Some(Completed | Failed | Cancelled), Event::RetryAsked) => {
            // Its budgets are as new; its epoch still fences what the old runs may say.
            tally = Tally { epoch: tally.epoch, ..Tally::default() };
            Move::Available
        }
        (Some(Scheduled | Available | Running | Retryable), Event::RetryAsked) => Move::Stay,
        (state, event) => return Err(Illegal { state, event }),
    };
    Ok((to, tally))
}

/// Charges the end of a run to the budget that it belongs to.
fn spend(tally: &mut Tally, outcome: Outcome) {
    if outcome == Outcome::Recalled {
        return;
    }
    tally.runs += 1;
    tally.lost = if outcome == Outcome::Lost { tally.lost + 1 } else { 0 };
    match outcome {
        Outcome::Error | Outcome::Timeout => tally.attempts += 1,
        Outcome::Oom | Outcome::Signal | Outcome::Exit | Outcome::Protocol => tally.crashes += 1,
        Outcome::Lost if tally.lost.is_multiple_of(LOST_PER_CRASH) => tally.crashes += 1,
        Outcome::Lost | Outcome::Ok | Outcome::Cancelled | Outcome::Budget | Outcome::Recalled => {}
    }
}

/// Where a task stands after a run; `tally` has the run in it already.
fn after_run(cancelling: bool, tally: &Tally, outcome: Outcome, wish: RetryWish, limits: &Limits, random: u64) -> Move {
    let failed = |reason| Move::Final(TaskState::Failed, Some(reason));
    let later = |n| {
        let delay_us = match wish {
            RetryWish::AfterMs(ms) => i64::try_from(ms.saturating_mul(1000)).unwrap_or(i64::MAX),
            _ => limits.backoff.delay_us(n, random),
        };
        Move::Later(TaskState::Retryable, delay_us)
    };
    match outcome {
        // A result that was read wins over any stop: the work is done.
        Outcome::Ok => Move::Final(TaskState::Completed, None),
        _ if cancelling => Move::Final(TaskState::Cancelled, None),
        Outcome::Cancelled => Move::Final(TaskState::Cancelled, None),
        Outcome::Recalled => Move::BackInLine,
        Outcome::Budget => failed(FailReason::Budget),
        _ if tally.runs >= MAX_RUNS => failed(FailReason::TooManyRuns),
        Outcome::Error | Outcome::Timeout if wish == RetryWish::Never => failed(FailReason::Rejected),
        Outcome::Error | Outcome::Timeout if tally.attempts >= limits.max_attempts => failed(FailReason::Attempts),
        Outcome::Error | Outcome::Timeout => later(tally.attempts),
        _ if tally.crashes >= limits.max_crashes => failed(FailReason::Crashes),
        Outcome::Lost => Move::BackInLine,
        // The first crash may be anybody's fault; from the second on the task is a suspect and waits.
        _ if tally.crashes <= 1 => Move::BackInLine,
        _ => later(tally.crashes - 1),
    }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
