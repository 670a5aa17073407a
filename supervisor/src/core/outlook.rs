//! For a life that is to end by itself: whether the pools as they are will ever run what is left in the queue. Pure.

use std::collections::{BTreeMap, BTreeSet};

use queue_core::book::Counts;
use queue_core::state::TaskState;
use queue_core::task::PoolId;

use super::health::PROBE_US;
use super::machine::Machine;

/// Reasons that are told, at most.
const REASONS_MAX: usize = 5;

/// What the queue has left after a turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    pub counts: Counts,
    /// Tasks that are available, by queue.
    pub available: BTreeMap<String, u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// Something runs, or may run soon.
    Open,
    /// Every task is final.
    Done,
    /// Nothing runs, nothing is due soon, and every pool that could run what is available is broken or too large: which, and why.
    Stuck(String),
}

impl Machine {
    /// `due_in_us` is how long it takes until the next waiting task is due.
    pub fn outlook(&self, left: &Left, due_in_us: Option<i64>) -> Outlook {
        if left.counts.unfinished() == 0 {
            return Outlook::Done;
        }
        let is_due_soon = due_in_us.is_some_and(|us| us < PROBE_US);
        if left.available.is_empty() || left.counts.get(TaskState::Running) > 0 || is_due_soon {
            return Outlook::Open;
        }
        let mut reasons = BTreeSet::new();
        for queue in left.available.keys() {
            let Some(obstacles) = self.obstacles(queue) else { return Outlook::Open };
            reasons.extend(obstacles);
        }
        Outlook::Stuck(reasons.into_iter().take(REASONS_MAX).collect::<Vec<_>>().join("; "))
    }

    /// How the last worker of a broken pool ended.
    pub fn broken_by(&self, pool: PoolId) -> Option<&str> {
        let pool = self.pools.get(pool.0)?;
        pool.health.state().is_broken().then_some(pool.broken_by.as_str())
    }

    /// Why nobody will run the tasks of this queue; `None` when somebody may.
    fn obstacles(&self, queue: &str) -> Option<Vec<String>> {
        let serves = |(_, pool): &(usize, &super::pool::Pool)| pool.spec.queues.iter().any(|served| served == queue);
        let mut obstacles = Vec::new();
        for (index, pool) in self.pools.iter().enumerate().filter(serves) {
            let has_workers = self.slots.values().any(|slot| slot.pool == PoolId(index));
            let broken = || self.broken_by(PoolId(index)).map(|how| format!("is broken: its worker {how}"));
            let obstacle = self.never_fits(PoolId(index)).or_else(broken).filter(|_| !has_workers)?;
            obstacles.push(format!("pool {} {obstacle}", pool.spec.name));
        }
        if obstacles.is_empty() {
            obstacles.push(format!("no pool serves queue {queue}"));
        }
        Some(obstacles)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Pool, Program, WorkerLimits, Workers};
    use crate::core::event::{Event, Exit};
    use crate::core::host::HostFacts;
    use crate::core::play::{Play, gone, spawned};

    /// So many tasks that run, are available in the queue `p` of the pool, in another queue, and wait for their time.
    fn left(running: i64, available: u64, elsewhere: u64, scheduled: i64) -> Left {
        let queues = [("p", available), ("elsewhere", elsewhere)].into_iter().filter(|(_, count)| *count > 0);
        let mut left = Left { counts: Counts::default(), available: queues.map(|(q, n)| (q.to_owned(), n)).collect() };
        left.counts.add(TaskState::Running, running);
        left.counts.add(TaskState::Available, i64::try_from(available + elsewhere).unwrap());
        left.counts.add(TaskState::Scheduled, scheduled);
        left.counts.add(TaskState::Failed, 1);
        left
    }

    const BROKEN: &str = "pool p is broken: its worker left with exit code 78";

    #[test]
    fn a_broken_pool_is_no_hope_for_what_only_it_can_run() {
        let stuck = |why: &str| Outlook::Stuck(why.to_owned());
        let mut play = Play::ready();
        assert_eq!(play.machine.outlook(&left(0, 1, 0, 0), None), Outlook::Open, "it is about to be claimed");
        assert_eq!(play.machine.outlook(&left(0, 0, 2, 0), None), stuck("no pool serves queue elsewhere"));
        assert_eq!(play.machine.outlook(&left(0, 1, 2, 0), None), Outlook::Open);
        play.does(1, gone(1, Exit::Code(78)));
        let table = [
            (left(0, 0, 0, 0), None, Outlook::Done),
            (left(0, 1, 0, 0), None, stuck(BROKEN)),
            (left(0, 1, 1, 0), None, stuck(&format!("no pool serves queue elsewhere; {BROKEN}"))),
            (left(1, 1, 0, 0), None, Outlook::Open),
            (left(0, 1, 0, 1), Some(PROBE_US - 1), Outlook::Open),
            (left(0, 1, 0, 1), Some(-5), Outlook::Open),
            (left(0, 1, 0, 1), Some(PROBE_US), stuck(BROKEN)),
            // Its queue is not known before it is available.
            (left(0, 0, 0, 1), Some(PROBE_US), Outlook::Open),
        ];
        for (left, due_in_us, expected) in table {
            assert_eq!(play.machine.outlook(&left, due_in_us), expected, "{left:?}, due in {due_in_us:?}");
        }
    }

    #[test]
    fn there_is_hope_as_long_as_a_worker_lives_or_is_tried() {
        let mut play = Play::of(2);
        let waiting = left(0, 1, 0, 0);
        play.at(0, Event::Start, &["spawn 1", "spawn 2"]);
        play.does(0, spawned(1));
        play.does(0, gone(2, Exit::Code(78)));
        assert_eq!(play.machine.outlook(&waiting, None), Outlook::Open, "the other may still greet");
        play.does(1, gone(1, Exit::Code(1)));
        assert!(matches!(play.machine.outlook(&waiting, None), Outlook::Stuck(_)));
        let mut looping = Play::of(1);
        looping.at(0, Event::Start, &["spawn 1"]);
        for worker in 1..=5 {
            assert_eq!(looping.machine.outlook(&waiting, None), Outlook::Open, "worker {worker} is to be started");
            looping.does(10_000 * worker - 1, Event::Tick);
            looping.does(10_000 * worker, gone(worker, Exit::NotStarted("no memory".into())));
        }
        let why = "pool p is broken: its worker could not be started: no memory, its last words were \"said\"";
        assert_eq!(looping.machine.outlook(&waiting, None), Outlook::Stuck(why.to_owned()));
        looping.does(200_000, Event::Tick);
        assert_eq!(looping.machine.outlook(&waiting, None), Outlook::Open, "the probe");
    }

    #[test]
    fn a_pool_whose_workers_never_fit_is_no_hope_either() {
        let budget = |bytes| HostFacts { memory_budget_bytes: bytes, ..HostFacts::default() };
        let limits = WorkerLimits { memory_bytes: Some(2 << 30), ..WorkerLimits::default() };
        let program = Program::Command(vec!["p".into()]);
        let pool = Pool { limits, ..Pool::new("p", program, vec!["p".into()], Workers { min: 0, max: 1 }) };
        let play = |bytes| {
            let config = Config { db: "q".into(), folder: "/".into(), pools: vec![pool.clone()], ..Config::default() };
            Play::under(config).on(budget(bytes))
        };
        let why = "pool p can have no worker: one may need 2.0 GiB in memory, and the budget is 1.0 GiB";
        assert_eq!(play(1 << 30).machine.outlook(&left(0, 1, 0, 0), None), Outlook::Stuck(why.to_owned()));
        assert_eq!(play(2 << 30).machine.outlook(&left(0, 1, 0, 0), None), Outlook::Open);
    }

    #[test]
    fn the_reasons_are_bounded() {
        let queues = (0..100).map(|number| (format!("q{number:02}"), 1));
        let mut many = Left { available: queues.collect(), ..Left::default() };
        many.counts.add(TaskState::Available, 100);
        let Outlook::Stuck(why) = Play::of(1).machine.outlook(&many, None) else { panic!("nobody serves them") };
        assert_eq!(why.matches("no pool serves").count(), REASONS_MAX);
    }
}
