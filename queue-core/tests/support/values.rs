//! The usual policies and the usual task. Values only.

use std::collections::BTreeMap;

use queue_core::policy::{Limits, Policies, PoolPolicy};
use queue_core::retry::Backoff;
use queue_core::task::NewTask;

/// Kind `plain` waits 1, 2, 4, 8 s after its failures, without jitter; all else is built in. The pools are those of
/// `border`.
pub(crate) fn policies() -> Policies {
    let pool = |name: &str, queues: &[&str]| PoolPolicy {
        name: name.into(),
        queues: queues.iter().map(|queue| (*queue).to_owned()).collect(),
        weights: Vec::new(),
    };
    let backoff = Backoff { base_ms: 1_000, cap_ms: 10_000, jitter: 0.0 };
    Policies {
        kinds: BTreeMap::from([("plain".to_owned(), Limits { backoff, ..Limits::default() })]),
        pools: vec![pool("main", &["q"]), pool("side", &["a", "b"]), pool("helper", &["q"])],
        queues: BTreeMap::new(),
    }
}

pub(crate) fn task() -> NewTask {
    NewTask { kind: "plain".into(), queue: "q".into(), args: vec![0x80], ..NewTask::default() }
}
