//! Where a task stands.

use crate::http::dto::Task;

/// Where the task stands and why, such as "failed: its last allowed attempt failed".
pub fn state_of(task: &Task) -> String {
    let summary = &task.summary;
    let at = |time: &Option<String>| time.as_deref().unwrap_or("an unknown time").to_owned();
    match (summary.state.as_str(), summary.reason.as_deref()) {
        ("scheduled", _) => format!("scheduled: becomes available at {}", at(&summary.due_at)),
        ("available", _) => format!("available: waits for its turn (`explain {}` says why)", summary.id),
        ("running", _) if summary.cancelling => {
            "running: is being cancelled, its processes are on their way out".to_owned()
        }
        ("running", _) => format!("running since {}", at(&summary.started_at)),
        ("retryable", _) => format!("retryable: failed, and is tried again at {}", at(&summary.due_at)),
        ("failed", Some("attempts")) => "failed: its last allowed attempt failed".to_owned(),
        ("failed", Some("crashes")) => "failed: it took its last allowed worker or command down".to_owned(),
        ("failed", Some("rejected")) => {
            "failed: not to be tried again, by the word of its handler or for its follow-ups".to_owned()
        }
        ("failed", Some("budget")) => "failed: its runs spent more than its budget".to_owned(),
        ("failed", Some("too_many_runs")) => "failed: it was run too many times".to_owned(),
        (state, Some(reason)) => format!("{state}: {reason}"),
        (state, None) => state.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_and_reason_has_its_sentence() {
        use queue_core::state::{FailReason, TaskState};
        for state in TaskState::ALL {
            let mut task: Task = serde_json::from_str(include_str!("../golden/failed.json")).unwrap();
            task.summary.state = state.name().to_owned();
            let reasons = FailReason::ALL.into_iter().filter(|_| state == TaskState::Failed);
            let reasons = reasons.map(|reason| Some(reason.name().to_owned()));
            let reasons = if state == TaskState::Failed { reasons.collect() } else { vec![None] };
            for reason in reasons {
                task.summary.reason = reason;
                let text = state_of(&task);
                let is_bare = text == state.name() || text.ends_with("_runs");
                let is_final_without_reason = state.is_final() && task.summary.reason.is_none();
                assert_eq!(is_bare, is_final_without_reason, "{text}");
            }
        }
    }
}
