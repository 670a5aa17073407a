//! How states, reasons, outcomes and small numbers are spelled in rows. Codes are never reused.

use super::error::{StoreError, StoreErrorKind};
use crate::priority::TaskPriority;
use crate::state::{FailReason, TaskState};
use crate::task::{Outcome, Overrides, Tally};

/// 1 is kept for `blocked`.
pub(super) fn state_code(state: TaskState) -> i32 {
    match state {
        TaskState::Scheduled => 2,
        TaskState::Available => 3,
        TaskState::Running => 4,
        TaskState::Retryable => 5,
        TaskState::Completed => 6,
        TaskState::Failed => 7,
        TaskState::Cancelled => 8,
    }
}

pub(super) fn reason_code(reason: FailReason) -> i32 {
    match reason {
        FailReason::Attempts => 1,
        FailReason::Crashes => 2,
        FailReason::Rejected => 3,
        FailReason::TooManyRuns => 4,
        FailReason::Budget => 5,
    }
}

pub(super) fn outcome_code(outcome: Outcome) -> i32 {
    match outcome {
        Outcome::Ok => 1,
        Outcome::Error => 2,
        Outcome::Timeout => 3,
        Outcome::Oom => 4,
        Outcome::Signal => 5,
        Outcome::Exit => 6,
        Outcome::Protocol => 7,
        Outcome::Lost => 8,
        Outcome::Cancelled => 9,
        Outcome::Recalled => 10,
        Outcome::Budget => 11,
    }
}

/// Reads a code back; one that nobody wrote is damage.
fn decode<T: Copy>(all: &[T], code_of: fn(T) -> i32, code: i32, what: &str) -> Result<T, StoreError> {
    all.iter()
        .copied()
        .find(|value| code_of(*value) == code)
        .ok_or_else(|| StoreError::new(StoreErrorKind::Corrupt, format!("{what} {code} in a row is not known")))
}

pub(super) fn state(code: i32) -> Result<TaskState, StoreError> {
    decode(&TaskState::ALL, state_code, code, "state")
}

pub(super) fn reason(code: i32) -> Result<FailReason, StoreError> {
    decode(&FailReason::ALL, reason_code, code, "reason")
}

pub(super) fn outcome(code: i32) -> Result<Outcome, StoreError> {
    decode(&Outcome::ALL, outcome_code, code, "outcome")
}

pub(super) fn tally(epoch: i64, runs: i64, attempts: i64, crashes: i64, lost: i64) -> Tally {
    let small = |value: i64| u32::try_from(value).unwrap_or(u32::MAX);
    Tally { epoch, runs: small(runs), attempts: small(attempts), crashes: small(crashes), lost: small(lost) }
}

pub(super) fn priority(value: i32) -> Result<TaskPriority, StoreError> {
    TaskPriority::new(value.into()).map_err(|error| StoreError::new(StoreErrorKind::Corrupt, error.to_string()))
}

pub(super) fn overrides(timeout_ms: Option<i64>, max_attempts: Option<i64>, max_crashes: Option<i64>) -> Overrides {
    let small = |value: i64| u32::try_from(value).unwrap_or(u32::MAX);
    Overrides { timeout_ms, max_attempts: max_attempts.map(small), max_crashes: max_crashes.map(small) }
}
