//! The simulation of a scene: tasks come at random from a seed, runs take as long as they take, and the real tick decides. No
//! process, no clock.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};
use queue_core::book::Book;
use queue_core::op::{Demand, Notice, Op, Reply, RunKey};
use queue_core::priority::TaskPriority;
use queue_core::store::{Durability, Place, Store};
use queue_core::task::{Ending, NewTask, Now, Outcome, PoolId, TaskId};
use queue_core::tick::{Turn, tick};

use super::scene::{CARRIES_US, Class, SLOTS, Scene};

/// How long is simulated, and how often is looked.
pub(super) const LASTS_US: i64 = 40 * MINUTE_US;
const LOOK_US: i64 = MINUTE_US / 2;
pub(super) const MINUTE_US: i64 = 60_000_000;
const SEED: u64 = 5;
/// Of both clocks.
const BEGINS_US: i64 = 1_800_000_000_000_000;

/// By class: how long the one that waits longest has waited, at each look, in microseconds.
pub(super) type Waits = Vec<Vec<(i64, i64)>>;

struct Overload<'a> {
    classes: &'a [Class],
    store: Store,
    book: Book,
    /// Since the beginning.
    at_us: i64,
    /// When the next task of each class comes.
    arrivals: BTreeSet<(i64, usize)>,
    ends: BTreeSet<(i64, RunKey)>,
    /// By class, when those that wait have come.
    waiting: Vec<BTreeMap<TaskId, i64>>,
    random: fastrand::Rng,
}

pub(super) fn play(scene: &Scene) -> Result<Waits> {
    let mut store = Store::open(Place::Memory, Durability::Normal)?;
    let now = Now { wall_us: BEGINS_US, mono_us: BEGINS_US };
    let book = store.book(scene.policies.clone(), now)?;
    let classes = scene.classes.as_slice();
    let mut overload = Overload {
        classes,
        store,
        book,
        at_us: 0,
        arrivals: (0..classes.len()).map(|class| (0, class)).collect(),
        ends: BTreeSet::new(),
        waiting: vec![BTreeMap::new(); classes.len()],
        random: fastrand::Rng::with_seed(SEED),
    };
    overload.turn(&[], i64::try_from(SLOTS)?)?;
    let mut waits = vec![Vec::new(); classes.len()];
    for look in 0..=LASTS_US / LOOK_US {
        overload.until(look * LOOK_US)?;
        for (seen, waiting) in waits.iter_mut().zip(&overload.waiting) {
            let oldest = waiting.values().min().map_or(0, |since| look * LOOK_US - since);
            seen.push((look * LOOK_US, oldest));
        }
    }
    Ok(waits)
}

impl Overload<'_> {
    fn until(&mut self, end_us: i64) -> Result<()> {
        loop {
            let (arrival, end) = (self.arrivals.first().copied(), self.ends.first().copied());
            let next = arrival.map(|(at, _)| at).into_iter().chain(end.map(|(at, _)| at)).min();
            let Some(at_us) = next.filter(|at| *at <= end_us) else { break };
            self.at_us = at_us;
            match (arrival, end) {
                (Some((at, class)), _) if at == at_us => self.arrive(class)?,
                (_, Some((at, run))) => {
                    self.ends.remove(&(at, run));
                    self.turn(&[Op::Finish { run, ending: Ending::bare(Outcome::Ok, ""), refill: None }], 1)?;
                }
                _ => break,
            }
        }
        self.at_us = end_us;
        Ok(())
    }

    fn arrive(&mut self, class: usize) -> Result<()> {
        let Class { load, queue, key, priority, .. } = self.classes[class];
        self.arrivals.remove(&(self.at_us, class));
        // Up to twice as long as they are apart on the whole; no logarithm, which is not the same on every machine.
        let gap_us = (2.0 * self.random.f64() * CARRIES_US as f64 / load) as i64;
        self.arrivals.insert((self.at_us + gap_us.max(1), class));
        let new = NewTask {
            kind: "k".to_owned(),
            queue: queue.to_owned(),
            key: key.map(str::to_owned),
            priority: TaskPriority::new(priority)?,
            args: vec![0xc0],
            ..NewTask::default()
        };
        let turn = self.turn(&[Op::Enqueue(new)], 0)?;
        let [Reply::Enqueued { id, .. }] = turn.replies[..] else { anyhow::bail!("refused: {:?}", turn.replies) };
        self.waiting[class].insert(id, self.at_us);
        self.start(&turn)
    }

    fn turn(&mut self, ops: &[Op], credits: i64) -> Result<Turn> {
        let at_us = BEGINS_US + self.at_us;
        let demand = Demand { pool: PoolId(0), credits };
        let now = Now { wall_us: at_us, mono_us: at_us };
        let turn = tick(&mut self.store, &mut self.book, ops, &[demand], now, &mut || 7)?;
        if ops.iter().all(|op| matches!(op, Op::Finish { .. })) {
            self.start(&turn)?;
        }
        Ok(turn)
    }

    /// What the turn has claimed runs from now on.
    fn start(&mut self, turn: &Turn) -> Result<()> {
        for notice in &turn.notices {
            let Notice::Claimed(claimed) = notice else { continue };
            let waited = self.waiting.iter_mut().find_map(|waiting| waiting.remove(&claimed.run.task));
            ensure!(waited.is_some(), "task {} was claimed and did not wait", claimed.run.task);
            self.ends.insert((self.at_us + CARRIES_US * i64::try_from(SLOTS)?, claimed.run));
        }
        Ok(())
    }
}
