//! Those who enqueue, cancel and retry: each awaits its answer before it goes on, and says a named enqueue again when a
//! supervisor died before it had answered.

use std::collections::BTreeMap;

use queue_core::op::{Op, Reply};
use queue_core::priority::TaskPriority;
use queue_core::task::{NewTask, Overrides, TaskId};

use crate::rng::Rng;
use crate::waits::KEYS;

/// (kind, queue): the kinds of the two pools, and where their tasks go.
pub(crate) const ROUTES: [(&str, &str); 3] = [("echo", "q"), ("work", "a"), ("work", "b")];

pub(crate) struct Enqueuer {
    number: usize,
    /// Names that it has used up; some are used twice.
    named: u64,
    /// Said, and not answered.
    pub(crate) open: Option<Op>,
    /// What its names were answered to be.
    ids: BTreeMap<String, TaskId>,
    known: Vec<TaskId>,
}

impl Enqueuer {
    pub(crate) fn new(number: usize) -> Enqueuer {
        Enqueuer { number, named: 0, open: None, ids: BTreeMap::new(), known: Vec::new() }
    }

    pub(crate) fn name(enqueuer: u64, number: u64) -> String {
        format!("{enqueuer}-{number}")
    }

    /// What it asks for now; remembered until it is answered.
    pub(crate) fn asks(&mut self, rng: &mut Rng) -> Op {
        let op = match rng.below(100) {
            0..15 if !self.known.is_empty() => Op::Cancel(*rng.pick(&self.known)),
            15..25 if !self.known.is_empty() => Op::Retry(*rng.pick(&self.known)),
            25..35 => Op::EnqueueAll((0..rng.between(0, 3)).map(|_| self.new_task(rng)).collect()),
            35..40 if !self.known.is_empty() => {
                let priority = TaskPriority::new(rng.between(-100, 100)).unwrap();
                Op::Reprioritise { id: *rng.pick(&self.known), priority }
            }
            40..44 => {
                let (queue, key) = place(rng);
                Op::Pause { queue, key, for_us: Some(rng.between(1, 20_000_000)), reason: "told".to_owned() }
            }
            44..47 => {
                let (queue, key) = place(rng);
                Op::Resume { queue, key }
            }
            _ => Op::Enqueue(self.new_task(rng)),
        };
        self.open.insert(op).clone()
    }

    fn new_task(&mut self, rng: &mut Rng) -> NewTask {
        let (kind, queue) = *rng.pick(&ROUTES);
        let name = rng.percent(60).then(|| {
            self.named += u64::from(rng.percent(80));
            Enqueuer::name(self.number as u64, self.named)
        });
        let overrides = Overrides {
            timeout_ms: rng.percent(70).then(|| rng.between(300, 6_000)),
            max_attempts: Some(rng.between(1, 4) as u32),
            max_crashes: Some(rng.between(1, 3) as u32),
        };
        NewTask {
            key: key(rng),
            cost: Default::default(),
            budget: Default::default(),
            kind: kind.to_owned(),
            queue: queue.to_owned(),
            priority: TaskPriority::new(rng.between(-100, 100)).unwrap(),
            args: vec![rng.below(2) as u8],
            name,
            delay_us: if rng.percent(25) { rng.between(1, 20_000_000) } else { 0 },
            overrides,
        }
    }

    pub(crate) fn hears(&mut self, reply: &Reply) {
        let op = self.open.take().unwrap();
        match (&op, reply) {
            (Op::Enqueue(new), Reply::Enqueued { id, .. } | Reply::NameTaken { id: Some(id), .. }) => {
                self.knows(new, *id);
            }
            (Op::EnqueueAll(list), Reply::EnqueuedAll(ids)) => {
                list.iter().zip(ids).for_each(|(new, (id, _))| self.knows(new, *id));
            }
            (Op::EnqueueAll(list), Reply::NameTaken { id, index }) => {
                id.iter().for_each(|id| self.knows(&list[*index], *id));
            }
            (Op::Enqueue(_) | Op::EnqueueAll(_), other) => panic!("{op:?} was answered by {other:?}"),
            _ => {}
        }
    }

    fn knows(&mut self, new: &NewTask, id: TaskId) {
        self.known.push(id);
        let Some(name) = &new.name else { return };
        let first = *self.ids.entry(name.clone()).or_insert(id);
        assert_eq!(first, id, "the name {name} was answered by two tasks");
    }

    /// The supervisor died: what has no name is not said again, since it may have been done.
    pub(crate) fn unanswered(&mut self) {
        self.open = self.open.take().filter(|op| match op {
            Op::Enqueue(new) => new.name.is_some(),
            Op::EnqueueAll(list) => list.iter().all(|new| new.name.is_some()),
            _ => false,
        });
    }
}

fn key(rng: &mut Rng) -> Option<String> {
    rng.percent(60).then(|| (*rng.pick(&KEYS)).to_owned())
}

/// A queue, or a key of it.
fn place(rng: &mut Rng) -> (String, Option<String>) {
    (rng.pick(&ROUTES).1.to_owned(), key(rng))
}
