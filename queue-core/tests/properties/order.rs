//! The order in which tasks start, whatever comes in which order: by rank, by turns of keys, and never by the wall clock.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use queue_core::op::{Notice, Op, RunKey};
use queue_core::policy::{Order, Policies, QueuePolicy};
use queue_core::priority::{AGING_STEP_US, TaskPriority};
use queue_core::task::{NewTask, Outcome, TaskId};

use crate::support::border::{MAIN, SECOND, demand, finish};
use crate::support::rig::Rig;
use crate::support::values::{policies, task};

/// Keys and their weights in a fair queue.
pub(crate) const WEIGHTS: [(&str, u32); 3] = [("a", 1), ("b", 2), ("c", 5)];

#[derive(Clone, Debug)]
pub(crate) enum Move {
    /// A task of this key and priority comes.
    Arrive(&'static str, i8),
    Pass(i64),
    /// A slot becomes free: one task starts, if any waits.
    Start,
    /// The wall clock steps.
    Wall(i64),
    Restart,
}

/// A task as it stood when it came: its place by rank, were the queue clock a watch.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub(crate) key: &'static str,
    pub(crate) priority: i8,
    pub(crate) at_us: i64,
}

/// What started, each with all that waited at that moment, itself included.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Played {
    pub(crate) starts: Vec<(TaskId, BTreeSet<TaskId>)>,
}

pub(crate) fn moves(count: usize) -> impl Strategy<Value = Vec<Move>> {
    let key = prop::sample::select(WEIGHTS.map(|(key, _)| key).to_vec());
    let one = prop_oneof![
        6 => (key, -5..=5_i8).prop_map(|(key, priority)| Move::Arrive(key, priority)),
        3 => (0..=4 * AGING_STEP_US).prop_map(Move::Pass),
        4 => Just(Move::Start),
        1 => (-SECOND * 86_400..=SECOND * 86_400).prop_map(Move::Wall),
        1 => Just(Move::Restart),
    ];
    prop::collection::vec(one, 0..count)
}

/// Plays the moves, then starts what is left.
pub(crate) fn play(moves: &[Move], order: Order, wall_steps: bool) -> (BTreeMap<TaskId, Arrival>, Played) {
    let weights = WEIGHTS.iter().map(|(key, weight)| ((*key).to_owned(), *weight)).collect();
    let policy = QueuePolicy { order, weights, ..QueuePolicy::default() };
    let mut rig = Rig::memory().under(Policies { queues: [("q".to_owned(), policy)].into(), ..policies() });
    let (mut arrivals, mut waiting, mut played) = (BTreeMap::new(), BTreeSet::new(), Played::default());
    let mut at_us = 0;
    for one in moves {
        match one {
            Move::Arrive(key, level) => {
                let priority = TaskPriority::new(i64::from(*level)).unwrap();
                let new = NewTask { key: Some((*key).to_owned()), priority, ..task() };
                rig.turn(&[Op::Enqueue(new)], &[]);
                let id = TaskId(arrivals.len() as i64 + 1);
                arrivals.insert(id, Arrival { key, priority: *level, at_us });
                waiting.insert(id);
            }
            Move::Pass(us) => {
                rig.pass(*us);
                at_us += us;
            }
            Move::Start => start(&mut rig, &mut waiting, &mut played),
            Move::Wall(us) => rig.now.wall_us += if wall_steps { *us } else { 0 },
            Move::Restart => {
                // Any commit keeps the clock.
                rig.turn(&[Op::Resume { queue: "a".into(), key: None }], &[]);
                rig.next_life();
            }
        }
    }
    while !waiting.is_empty() {
        start(&mut rig, &mut waiting, &mut played);
    }
    (arrivals, played)
}

fn start(rig: &mut Rig, waiting: &mut BTreeSet<TaskId>, played: &mut Played) {
    if waiting.is_empty() {
        return;
    }
    let turn = rig.turn(&[], &[demand(MAIN, 1)]);
    let started: Vec<RunKey> = turn.notices.iter().filter_map(claimed).collect();
    let [run] = started[..] else { panic!("one slot starts one task: {started:?}") };
    played.starts.push((run.task, waiting.clone()));
    assert!(waiting.remove(&run.task));
    rig.turn(&[finish(run, Outcome::Ok)], &[]);
}

fn claimed(notice: &Notice) -> Option<RunKey> {
    if let Notice::Claimed(claimed) = notice { Some(claimed.run) } else { None }
}

impl Arrival {
    fn rank(&self) -> i64 {
        self.at_us + i64::from(self.priority) * AGING_STEP_US
    }
}

/// Always the best rank of all that wait, and of equals the one that came first: so nobody is overtaken by what comes later
/// than the difference of their priorities in steps of aging.
pub(crate) fn best_rank_first(arrivals: &BTreeMap<TaskId, Arrival>, played: &Played) {
    for (started, waiting) in &played.starts {
        let best = waiting.iter().min_by_key(|id| (arrivals[id].rank(), **id)).unwrap();
        assert_eq!(started, best);
        let (one, waited) = (&arrivals[started], waiting.iter().filter(|id| *id < started));
        for other in waited.map(|id| &arrivals[id]) {
            let steps = i64::from(other.priority) - i64::from(one.priority);
            assert!(one.at_us - other.at_us <= steps * AGING_STEP_US, "{one:?} overtook {other:?}");
        }
    }
}

/// Within a key the best first. While tasks of a key wait, each other key has, between two of its starts, no more than the ratio of
/// their weights says, and one.
pub(crate) fn keys_take_turns(arrivals: &BTreeMap<TaskId, Arrival>, played: &Played) {
    for (key, weight) in WEIGHTS {
        let mut since: BTreeMap<&str, u32> = BTreeMap::new();
        for (started, waiting) in &played.starts {
            let own: Vec<&TaskId> = waiting.iter().filter(|id| arrivals[id].key == key).collect();
            let other = arrivals[started].key;
            if other == key {
                assert_eq!(Some(&started), own.iter().min_by_key(|id| (arrivals[**id].rank(), ***id)));
            }
            if own.is_empty() || other == key {
                since.clear();
                continue;
            }
            let count = since.entry(other).or_insert(0);
            *count += 1;
            let theirs = WEIGHTS.iter().find(|(name, _)| *name == other).unwrap().1;
            let most = theirs.div_ceil(weight) + 1;
            assert!(*count <= most, "{other} had {count} turns while {key} waited, and may have {most}");
        }
    }
}
