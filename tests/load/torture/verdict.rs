//! What must be true of the rows in the end: every answered task is there, completed once, with the right result.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use ipc_contract::Payload;
use queue_core::state::TaskState;
use queue_core::store::{AttemptView, Reader, TaskView};
use queue_core::task::{Outcome, TaskId};

use super::clients::task_of;
use super::mark::{MARK, Work};

/// Compares the rows with what was answered; `ids` is by task. Each violation is a sentence.
///
/// # Errors
/// The database cannot be read.
pub(super) fn judge(db: &Path, seed: u64, ids: &[Option<i64>]) -> Result<Vec<String>> {
    let mut reader = Reader::open(db)?;
    let mut violations = Vec::new();
    let mut tasks: BTreeMap<i64, usize> = BTreeMap::new();
    for (task, id) in ids.iter().enumerate() {
        let Some(id) = *id else {
            violations.push(format!("task {task} was never answered"));
            continue;
        };
        if let Some(other) = tasks.insert(id, task) {
            violations.push(format!("tasks {other} and {task} were both answered with id {id}"));
        }
        let (kind, work) = task_of(seed, task);
        match reader.task(TaskId(id))? {
            None => violations.push(format!("task {task} was answered with id {id} and is lost")),
            Some(view) => {
                let attempts = reader.attempts(TaskId(id))?;
                let wrong = faults(&view, &attempts, kind, work);
                violations.extend(wrong.into_iter().map(|fault| format!("task {task} with id {id} {fault}")));
            }
        }
    }
    let finals = reader.ended_runs(i64::MAX)?.len();
    if finals != ids.len() {
        violations.push(format!("{finals} tasks are final where {} were enqueued", ids.len()));
    }
    Ok(violations)
}

/// What is wrong with one task, to follow its name.
fn faults(view: &TaskView, attempts: &[AttemptView], kind: &str, work: Work) -> Vec<String> {
    let mut faults = Vec::new();
    if view.state != TaskState::Completed {
        faults.push(format!("is {} instead of completed ({:?})", view.state.name(), view.reason));
        return faults;
    }
    // The first run that succeeds leaves no attempt; of all others exactly the last one succeeded.
    let successes: Vec<i64> =
        attempts.iter().filter(|attempt| attempt.outcome == Outcome::Ok).map(|attempt| attempt.epoch).collect();
    let last = attempts.last().map(|attempt| attempt.epoch);
    if !attempts.is_empty() && (successes.len() != 1 || last != Some(successes[0])) {
        faults.push(format!("succeeded in the runs {successes:?}, the last of which was {last:?}"));
    }
    let result = Payload(view.result.clone());
    let read = if kind == MARK {
        result.read::<u64>().ok()
    } else {
        result.read::<String>().ok().and_then(|text| text.trim().parse().ok())
    };
    if read != Some(work.result()) {
        faults.push(format!("has the result {}, not {}", result.preview(), work.result()));
    }
    faults
}
