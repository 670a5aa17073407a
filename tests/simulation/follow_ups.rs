//! What a handler brings along with its result: by chance nothing, tasks that are new, such as are there, or such as cannot be.

use ipc_contract::TaskSpec;
use ipc_contract::payload::Payload;

use crate::enqueuers::{Enqueuer, ROUTES};
use crate::rng::Rng;

/// No name of a kind.
const ILLEGAL_KIND: &str = "No Name";

/// On average fewer tasks than one, so that a world comes to its end.
pub(crate) fn follow_ups(rng: &mut Rng) -> Vec<TaskSpec> {
    let count = if rng.percent(25) { rng.between(1, 3) } else { 0 };
    (0..count).map(|_| follow_up(rng)).collect()
}

/// As far as it can be known without the queue.
pub(crate) fn is_legal(spec: &TaskSpec) -> bool {
    spec.kind != ILLEGAL_KIND
}

fn follow_up(rng: &mut Rng) -> TaskSpec {
    let (kind, queue) = *rng.pick(&ROUTES);
    TaskSpec {
        kind: if rng.percent(4) { ILLEGAL_KIND } else { kind }.to_owned(),
        queue: rng.percent(50).then(|| queue.to_owned()),
        args: Payload(vec![rng.below(2) as u8]),
        // Those who enqueue use the same names.
        name: rng.percent(40).then(|| Enqueuer::name(rng.below(3), rng.below(12))),
        delay_ms: rng.percent(25).then(|| rng.between(1, 20_000) as u64),
        timeout_ms: rng.percent(70).then(|| rng.between(300, 6_000) as u64),
        max_attempts: Some(rng.between(1, 4) as u32),
        max_crashes: Some(rng.between(1, 3) as u32),
        ..TaskSpec::default()
    }
}
