//! Who may not start: a world's policies, and a second account of its gates and limits, against which every claim is held.

use std::collections::BTreeMap;

use queue_core::hold::Gate;
use queue_core::meter::Rate;
use queue_core::op::{Op, Reply};
use queue_core::policy::{Order, QueuePolicy};

use crate::rng::Rng;

/// Keys of tasks; some have none.
pub(crate) const KEYS: [&str; 2] = ["x", "y"];
const SECOND: i64 = 1_000_000;

#[derive(Default)]
pub(crate) struct Waits {
    pub(crate) policies: BTreeMap<String, QueuePolicy>,
    /// Until when each is closed, by the wall clock; without a key the whole queue.
    gates: BTreeMap<(String, Option<String>), i64>,
}

impl Waits {
    /// The policies of a world, the same in all of its lives.
    pub(crate) fn new(rng: &mut Rng) -> Waits {
        let all = [
            QueuePolicy::default(),
            QueuePolicy { limit: Some(1), ..QueuePolicy::default() },
            QueuePolicy { limit_per_key: Some(1), ..QueuePolicy::default() },
            QueuePolicy { order: Order::Fair, weights: [("x".to_owned(), 3)].into(), ..QueuePolicy::default() },
            QueuePolicy { order: Order::Fair, limit_per_key: Some(1), limit: Some(2), ..QueuePolicy::default() },
            QueuePolicy {
                rates: vec![Rate { unit: "tasks".to_owned(), allowed: 3, per_us: SECOND, cost: 1 }],
                ..QueuePolicy::default()
            },
        ];
        let policies = ["q", "a", "b"].map(|queue| (queue.to_owned(), rng.pick(&all).clone())).into();
        Waits { policies, gates: BTreeMap::new() }
    }

    /// An op, and what was answered.
    pub(crate) fn committed(&mut self, op: &Op, reply: &Reply) {
        match (op, reply) {
            (Op::Pause { queue, key, .. }, Reply::Gate(Gate::ClosedUntil(until))) => {
                self.gates.insert((queue.clone(), key.clone()), *until);
            }
            (Op::Resume { queue, key }, Reply::Gate(Gate::Open)) => {
                self.gates.remove(&(queue.clone(), key.clone()));
            }
            (Op::Pause { .. } | Op::Resume { .. }, other) => panic!("{op:?} was answered by {other:?}"),
            _ => {}
        }
    }

    /// What was closed until now is open, whatever the wall clock does then.
    pub(crate) fn opens(&mut self, wall_us: i64) {
        self.gates.retain(|_, until| *until > wall_us);
    }

    pub(crate) fn claimed(&self, (queue, key): &(String, Option<String>)) {
        for gate in [(queue.clone(), None), (queue.clone(), key.clone())] {
            assert_eq!(self.gates.get(&gate), None, "{gate:?} is closed, and a task of it was started");
        }
    }

    /// What runs now, each by its queue and key.
    pub(crate) fn check<'a>(&self, running: impl Iterator<Item = &'a (String, Option<String>)>) {
        let (mut by_queue, mut by_key) = (BTreeMap::<&str, u32>::new(), BTreeMap::<_, u32>::new());
        for place in running {
            *by_queue.entry(&place.0).or_default() += 1;
            *by_key.entry(place).or_default() += u32::from(place.1.is_some());
        }
        let over = |queue: &str, limit: fn(&QueuePolicy) -> Option<u32>, count: u32| {
            self.policies.get(queue).and_then(limit).is_some_and(|limit| count > limit)
        };
        for (queue, count) in by_queue {
            assert!(!over(queue, |policy| policy.limit, count), "{count} of queue {queue} run");
        }
        for ((queue, key), count) in by_key {
            assert!(!over(queue, |policy| policy.limit_per_key, count), "{count} of key {key:?} of queue {queue} run");
        }
    }
}
