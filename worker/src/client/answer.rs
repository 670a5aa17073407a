//! The door's answers: what each one means, as a value or an error. Pure.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::{ClientError, ClientErrorKind};
use super::types::{Cancelled, Enqueued, TaskInfo};

/// A whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// In seconds, as its header has it.
    pub(super) retry_after_s: Option<u64>,
    pub(super) body: Vec<u8>,
}

/// The answer to a bulk.
#[derive(Deserialize)]
pub(super) struct EnqueuedAll {
    pub(super) tasks: Vec<Enqueued>,
}

/// A page of a list.
#[derive(Deserialize)]
pub(super) struct Page {
    pub(super) tasks: Vec<TaskInfo>,
    pub(super) next: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Outcome {
    pub(super) outcome: String,
}

#[derive(Deserialize)]
struct Refusal {
    code: String,
    message: String,
    hint: String,
    id: Option<u64>,
    index: Option<usize>,
}

/// The value of a good answer.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ClientError> {
    serde_json::from_slice(body).map_err(|error| ClientError::unreadable(format!("the answer cannot be read: {error}")))
}

/// The error of an answer that is not good.
pub(super) fn refusal(answer: &Answer) -> ClientError {
    let status = answer.status;
    let Ok(Refusal { code, message, hint, id, index }) = serde_json::from_slice(&answer.body) else {
        let message = format!("the answer has status {status} and is not of a supervisor");
        return ClientError::new(kind(status, None, None), "unreadable", message, "see whose socket it is");
    };
    ClientError::new(kind(status, index, id), code, message, hint)
}

fn kind(status: u16, index: Option<usize>, task_id: Option<u64>) -> ClientErrorKind {
    match status {
        429 => ClientErrorKind::Unavailable(status),
        400..500 => ClientErrorKind::Refused { status: Some(status), index, task_id },
        _ => ClientErrorKind::Unavailable(status),
    }
}

/// What became of the wish to cancel.
pub(super) fn cancelled(outcome: Outcome) -> Cancelled {
    match outcome.outcome.as_str() {
        "cancelled" => Cancelled::Cancelled,
        "stopping" => Cancelled::Stopping,
        _ => Cancelled::Already(outcome.outcome),
    }
}

/// The result of a task that has ended.
pub(super) fn result<T: DeserializeOwned>(info: TaskInfo) -> Result<T, ClientError> {
    let (id, what) = (info.id, format!("task {} ({})", info.id, info.kind));
    let hint = format!("`supervisor show {id}` tells every attempt");
    match info.state.as_str() {
        "completed" => serde_json::from_value(info.result)
            .map_err(|error| ClientError::unreadable(format!("the result of {what} is another type: {error}"))),
        "cancelled" => {
            let message = format!("{what} was cancelled");
            Err(ClientError::new(ClientErrorKind::TaskCancelled(Box::new(info)), "task_cancelled", message, hint))
        }
        _ => {
            let reason = info.reason.as_deref().unwrap_or("for an unknown reason");
            let last = info.attempts.last().map(|attempt| format!(": {}", attempt.detail)).unwrap_or_default();
            let message = format!("{what} failed ({reason}){last}");
            Err(ClientError::new(ClientErrorKind::TaskFailed(Box::new(info)), "task_failed", message, hint))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn answer(status: u16, body: &Value) -> Answer {
        Answer { status, retry_after_s: None, body: body.to_string().into_bytes() }
    }

    #[test]
    fn an_error_keeps_the_words_of_the_supervisor() {
        let body = json!({"code": "name_taken", "message": "the name belongs to task 42", "hint": "choose", "id": 42, "index": 1});
        let error = refusal(&answer(409, &body));
        assert_eq!(error.kind, ClientErrorKind::Refused { status: Some(409), index: Some(1), task_id: Some(42) });
        assert_eq!((&*error.code, error.to_string().as_str()), ("name_taken", "the name belongs to task 42; choose"));
        let moved = error.of_bulk(1_000, vec![]);
        assert_eq!(moved.kind, ClientErrorKind::Refused { status: Some(409), index: Some(1_001), task_id: Some(42) });
        for (status, kind) in [(429, ClientErrorKind::Unavailable(429)), (507, ClientErrorKind::Unavailable(507))] {
            assert_eq!(refusal(&answer(status, &json!("what?"))).kind, kind);
        }
    }

    #[test]
    fn every_end_of_a_task_is_a_value_or_an_error() {
        let ended = |state: &str, result: Value| -> TaskInfo {
            let attempt = json!({
                "run": 1, "outcome": "error", "detail": "no paper", "exit_code": null, "signal": null, "run_ms": 1,
                "peak_rss_bytes": null, "output": "",
            });
            let task = json!({
                "id": 7, "kind": "print", "queue": "q", "state": state, "reason": "attempts", "name": null,
                "priority": 0, "cancelling": false, "created_at": "t", "due_at": null, "started_at": null,
                "finished_at": "t", "wait_ms": 1, "run_ms": 1, "runs": 1, "attempts_spent": 1, "crashes_spent": 0,
                "progress": null, "result": result, "attempts": [attempt], "a_later_field": true,
            });
            read(task.to_string().as_bytes()).unwrap()
        };
        assert_eq!(result::<u8>(ended("completed", json!(5))).unwrap(), 5);
        assert_eq!(result::<u8>(ended("completed", json!("five"))).unwrap_err().kind, ClientErrorKind::Unreadable);
        let failed = result::<u8>(ended("failed", json!(null))).unwrap_err();
        assert_eq!(failed.message, "task 7 (print) failed (attempts): no paper");
        let cancelled = result::<u8>(ended("cancelled", json!(null))).unwrap_err();
        assert!(matches!(cancelled.kind, ClientErrorKind::TaskCancelled(info) if info.id == 7));
    }

    #[test]
    fn a_cancel_has_three_outcomes() {
        let word = |outcome: &str| cancelled(Outcome { outcome: outcome.to_owned() });
        assert_eq!((word("cancelled"), word("stopping")), (Cancelled::Cancelled, Cancelled::Stopping));
        assert_eq!(word("already completed"), Cancelled::Already("already completed".into()));
    }
}
