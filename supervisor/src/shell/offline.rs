//! Adds one task while no supervisor is up: one turn of the queue under the lock of the database, with that op alone.

use std::fmt;

use ipc_contract::TaskSpec;
use queue_core::op::{Op, Reply};
use queue_core::store::{Durability, Place, Store, StoreError};
use queue_core::task::Now;
use queue_core::tick::apply;

use super::clock::wall_us;
use super::lock::{Lock, LockError, Role};
use crate::config::{Config, Offers, Refusal, route};

#[derive(Debug)]
pub enum OfflineError {
    /// Somebody holds the database; when it is a supervisor, ask that one.
    Lock(LockError),
    /// The task cannot be accepted.
    Refused(Refusal),
    Store(StoreError),
}

/// Routes by what the workers of former lives offered, and returns after the commit. Nothing is recovered or claimed.
///
/// # Errors
/// See [`OfflineError`]; nothing was enqueued then.
pub fn enqueue(config: &Config, spec: TaskSpec) -> Result<Reply, OfflineError> {
    let _lock = Lock::take(&config.db, Role::Enqueue, None).map_err(OfflineError::Lock)?;
    let mut store = Store::open(Place::File(config.db.clone()), Durability::Full)?;
    let offers: Offers = store.offers()?.into_iter().collect();
    let new = route(config, &offers, spec).map_err(OfflineError::Refused)?;
    // The queue clock counts the time that a supervisor is up: here it stands still.
    let now = Now { wall_us: wall_us(), mono_us: 0 };
    let mut book = store.book(config.policies(), now)?;
    let replies = apply(&mut store, &mut book, &[Op::Enqueue(new)], now, &mut || fastrand::u64(..))?;
    Ok(replies.into_iter().next().unwrap_or(Reply::Applied))
}

impl From<StoreError> for OfflineError {
    fn from(error: StoreError) -> OfflineError {
        OfflineError::Store(error)
    }
}

impl fmt::Display for OfflineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OfflineError::Lock(error) => error.fmt(f),
            OfflineError::Refused(refusal) => refusal.fmt(f),
            OfflineError::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for OfflineError {}

#[cfg(test)]
mod tests {
    use queue_core::state::TaskState;
    use queue_core::store::{Filter, Reader};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_task_is_added_once_per_name_and_only_that_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::load(None, Some(&folder.path().join("q.db"))).unwrap();
        let ask = |task: serde_json::Value| enqueue(&config, serde_json::from_value(task).unwrap());
        let named = |text: &str| ask(json!({ "kind": "command", "name": "n", "args": { "argv": [text] } }));
        let (one, existing) = (queue_core::task::TaskId(1), true);
        assert_eq!(named("true").unwrap(), Reply::Enqueued { id: one, existing: false });
        assert_eq!(named("true").unwrap(), Reply::Enqueued { id: one, existing });
        assert_eq!(named("false").unwrap(), Reply::NameTaken { id: Some(one), index: 0 });
        assert!(matches!(ask(json!({ "kind": "video" })), Err(OfflineError::Refused(_))));
        let waiting = Filter { state: Some(TaskState::Available), ..Filter::default() };
        let listed = Reader::open(&config.db).unwrap().list(&waiting, None, 10).unwrap();
        assert_eq!(listed.tasks.len(), 1);
        let lock = Lock::take(&config.db, Role::Supervisor, None).unwrap();
        assert!(matches!(named("true"), Err(OfflineError::Lock(_))));
        drop(lock);
    }
}
