//! What the queue replied, as an answer to the caller. Pure; serves the door, and the command line without one.

use axum::http::StatusCode;
use queue_core::op::Reply;
use queue_core::priority::TaskPriority;
use queue_core::state::TaskState;
use queue_core::task::TaskId;

use super::dto::{Cancelled, Enqueued, EnqueuedAll, QueueGate, Reprioritised, Retried};
use super::error::ApiError;
use crate::text::time;

/// The answer to `Op::Enqueue`.
///
/// # Errors
/// 409 `name_taken` with the id of the other task; what the database refused.
pub fn enqueued(reply: Reply) -> Result<Enqueued, ApiError> {
    match reply {
        Reply::Enqueued { id, existing } => Ok(Enqueued { id: id.0, existing }),
        Reply::NameTaken { id, .. } => Err(name_taken(id)),
        other => Err(unfit(other)),
    }
}

/// The answer to `Op::EnqueueAll`.
///
/// # Errors
/// 409 `name_taken` with the place in the list; what the database refused.
pub fn enqueued_all(reply: Reply) -> Result<EnqueuedAll, ApiError> {
    match reply {
        Reply::EnqueuedAll(tasks) => {
            let tasks = tasks.into_iter().map(|(id, existing)| Enqueued { id: id.0, existing });
            Ok(EnqueuedAll { tasks: tasks.collect() })
        }
        Reply::NameTaken { id, index } => Err(name_taken(id).of_list(index)),
        other => Err(unfit(other)),
    }
}

fn name_taken(id: Option<TaskId>) -> ApiError {
    let whose = id.map_or("another task of this list".to_owned(), |id| format!("task {id}"));
    let message = format!("the name belongs to {whose}, which has another kind or other args");
    let mut error = ApiError::new(StatusCode::CONFLICT, "name_taken", message, "choose another name, or use that task");
    error.body.id = id.map(|id| id.0);
    error
}

/// The answer to `Op::Cancel`.
///
/// # Errors
/// 404 `no_such_task`; what the database refused.
pub fn cancelled(id: TaskId, reply: Reply) -> Result<Cancelled, ApiError> {
    let outcome = match reply {
        Reply::Cancelled => "cancelled".to_owned(),
        Reply::Stopping => "stopping".to_owned(),
        Reply::AlreadyFinal(state) => format!("already {}", state.name()),
        Reply::NoSuchTask => return Err(ApiError::no_such_task(id)),
        other => return Err(unfit(other)),
    };
    Ok(Cancelled { id: id.0, outcome })
}

/// The answer to `Op::Retry`.
///
/// # Errors
/// 409 `not_final`, 404 `no_such_task`; what the database refused.
pub fn retried(id: TaskId, reply: Reply) -> Result<Retried, ApiError> {
    match reply {
        Reply::Retried => Ok(Retried { id: id.0, outcome: TaskState::Available.name().to_owned() }),
        Reply::NotFinal(state) => {
            let message = format!("task {id} is {}, and only a final task can be tried again", state.name());
            let hint = match state {
                TaskState::Running => "wait for its end, or cancel it first",
                _ => "it runs by itself when its turn comes; cancel it first to begin anew",
            };
            Err(ApiError::new(StatusCode::CONFLICT, "not_final", message, hint))
        }
        Reply::NoSuchTask => Err(ApiError::no_such_task(id)),
        other => Err(unfit(other)),
    }
}

/// The answer to `Op::Reprioritise`.
///
/// # Errors
/// 409 `not_waiting`, 404 `no_such_task`; what the database refused.
pub fn reprioritised(id: TaskId, priority: TaskPriority, reply: Reply) -> Result<Reprioritised, ApiError> {
    match reply {
        Reply::Applied => Ok(Reprioritised { id: id.0, priority: priority.get() }),
        Reply::NotWaiting(state) => {
            let message = format!("task {id} is {}, and only a task that waits has a place in line", state.name());
            let hint = "retry a final one first; one that runs has had its turn";
            Err(ApiError::new(StatusCode::CONFLICT, "not_waiting", message, hint))
        }
        Reply::NoSuchTask => Err(ApiError::no_such_task(id)),
        other => Err(unfit(other)),
    }
}

/// The answer to `Op::Pause` and `Op::Resume`.
///
/// # Errors
/// What the database refused.
pub fn gate(queue: String, key: Option<String>, reply: Reply) -> Result<QueueGate, ApiError> {
    match reply {
        Reply::Gate(gate) => {
            let paused_until = gate.opens_at_us().map(time);
            Ok(QueueGate { queue, key, is_paused: !gate.is_open(), paused_until })
        }
        other => Err(unfit(other)),
    }
}

fn unfit(reply: Reply) -> ApiError {
    match reply {
        Reply::Refused(error) => ApiError::from(error),
        other => {
            let message = format!("the queue answered with {other:?}, which does not fit the question");
            ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", message, "this is a defect: report it")
        }
    }
}

#[cfg(test)]
mod tests {
    use queue_core::hold::Gate;
    use queue_core::store::{StoreError, StoreErrorKind};

    use super::*;

    #[test]
    fn replies_to_an_enqueue() {
        let id = TaskId(7);
        for existing in [false, true] {
            assert_eq!(enqueued(Reply::Enqueued { id, existing }), Ok(Enqueued { id: 7, existing }));
        }
        let taken = enqueued(Reply::NameTaken { id: Some(id), index: 0 }).unwrap_err();
        assert_eq!((taken.status.as_u16(), taken.body.id), (409, Some(7)));
        let full = StoreError { kind: StoreErrorKind::Full, detail: String::new() };
        assert_eq!(enqueued(Reply::Refused(full)).unwrap_err().status.as_u16(), 507);
        assert_eq!(enqueued(Reply::Stale).unwrap_err().status.as_u16(), 500);
    }

    #[test]
    fn replies_to_a_cancel() {
        let outcome = |reply| cancelled(TaskId(7), reply).map(|answer| answer.outcome);
        assert_eq!(outcome(Reply::Cancelled).unwrap(), "cancelled");
        assert_eq!(outcome(Reply::Stopping).unwrap(), "stopping");
        assert_eq!(outcome(Reply::AlreadyFinal(TaskState::Completed)).unwrap(), "already completed");
        assert_eq!(outcome(Reply::NoSuchTask).unwrap_err().status.as_u16(), 404);
        assert_eq!(outcome(Reply::Applied).unwrap_err().status.as_u16(), 500);
    }

    #[test]
    fn replies_to_a_new_priority() {
        let (id, high) = (TaskId(7), "high".parse().unwrap());
        assert_eq!(reprioritised(id, high, Reply::Applied), Ok(Reprioritised { id: 7, priority: -10 }));
        let refused = reprioritised(id, high, Reply::NotWaiting(TaskState::Running)).unwrap_err();
        assert_eq!((refused.status.as_u16(), refused.body.code.as_str()), (409, "not_waiting"));
        assert!(refused.body.message.starts_with("task 7 is running,"), "{refused}");
        assert_eq!(reprioritised(id, high, Reply::NoSuchTask).unwrap_err().status.as_u16(), 404);
        assert_eq!(reprioritised(id, high, Reply::Stale).unwrap_err().status.as_u16(), 500);
    }

    #[test]
    fn replies_to_a_pause() {
        let told = |reply| gate("q".to_owned(), None, reply).map(|gate| (gate.is_paused, gate.paused_until));
        assert_eq!(told(Reply::Gate(Gate::Open)), Ok((false, None)));
        assert_eq!(told(Reply::Gate(Gate::Closed)), Ok((true, None)));
        let until = told(Reply::Gate(Gate::ClosedUntil(1_795_437_300_000_000)));
        assert_eq!(until, Ok((true, Some("2026-11-23T12:35:00.000Z".to_owned()))));
        assert_eq!(told(Reply::Applied).unwrap_err().status.as_u16(), 500);
    }

    #[test]
    fn replies_to_a_bulk() {
        let all = enqueued_all(Reply::EnqueuedAll(vec![(TaskId(7), false), (TaskId(3), true)])).unwrap();
        let task = |id, existing| Enqueued { id, existing };
        assert_eq!(all.tasks, [task(7, false), task(3, true)]);
        for (id, whose) in [(Some(TaskId(7)), "task 7"), (None, "another task of this list")] {
            let taken = enqueued_all(Reply::NameTaken { id, index: 2 }).unwrap_err();
            assert_eq!((taken.status.as_u16(), taken.body.index), (409, Some(2)));
            assert!(taken.body.message.starts_with("task 3 of the list: the name belongs to "), "{taken}");
            assert!(taken.body.message.contains(whose), "{taken}");
        }
        assert_eq!(enqueued_all(Reply::Stale).unwrap_err().status.as_u16(), 500);
    }

    #[test]
    fn replies_to_a_retry() {
        assert_eq!(retried(TaskId(7), Reply::Retried).unwrap().outcome, "available");
        for state in TaskState::ALL.into_iter().filter(|state| !state.is_final()) {
            let refused = retried(TaskId(7), Reply::NotFinal(state)).unwrap_err();
            assert_eq!((refused.status.as_u16(), refused.body.code.as_str()), (409, "not_final"));
            assert!(refused.body.message.starts_with(&format!("task 7 is {},", state.name())), "{refused}");
        }
        assert_eq!(retried(TaskId(7), Reply::NoSuchTask).unwrap_err().status.as_u16(), 404);
        assert_eq!(retried(TaskId(7), Reply::Applied).unwrap_err().status.as_u16(), 500);
    }
}
