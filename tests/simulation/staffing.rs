//! Who is there, who may come and who may be given something to do: a second account of each pool, kept from what the machine
//! hears and commands, against which its every step is held.

use std::collections::BTreeMap;

use ipc_contract::message::{FromWorker, ToWorker};
use queue_core::op::{Notice, Op};
use queue_core::task::{PoolId, WorkerId};
use supervisor::config::{Config, Pool, Workers};
use supervisor::core::decisions::Decision;
use supervisor::core::slot::Phase;
use supervisor::core::{Command, Event, Machine, Order};

/// Of whom the machine must have told that it needs fewer: all other steps down are those of scaling.
const NOT_BY_SCALING: [&str; 3] = ["an operator says", "the configuration was changed", "makes room for"];

#[derive(Default)]
pub(crate) struct Staffing {
    budget_bytes: u64,
    config: Config,
    pools: Vec<Standing>,
    /// From the command to start each until its end is told.
    workers: BTreeMap<WorkerId, Hand>,
}

/// What is true of a pool.
struct Standing {
    bounds: Workers,
    is_quiet: bool,
    /// Told to the queue, less what was claimed for them.
    credits: i64,
    target: u32,
    last_decision: Option<Decision>,
    /// When scaling changed the target last.
    scaled_at: Option<i64>,
}

/// What is true of a worker.
struct Hand {
    pool: PoolId,
    /// What its pool declared when it was started.
    memory_bytes: Option<u64>,
    rss_bytes: u64,
    /// It has said that it is ready, and has answered all that it was given.
    is_free: bool,
    /// It was told to leave, or to die.
    is_sent_off: bool,
}

impl Standing {
    fn of(pool: &Pool) -> Standing {
        let (bounds, target) = (pool.workers, pool.workers.min);
        Standing { bounds, is_quiet: false, credits: 0, target, last_decision: None, scaled_at: None }
    }
}

impl Staffing {
    /// A life begins.
    pub(crate) fn new(config: &Config, budget_bytes: u64) -> Staffing {
        let pools = config.pools.iter().map(Standing::of).collect();
        Staffing { budget_bytes, config: config.clone(), pools, workers: BTreeMap::new() }
    }

    pub(crate) fn hears(&mut self, event: &Event) {
        match event {
            Event::Gone(gone) => drop(self.workers.remove(&gone.worker)),
            Event::Notice(Notice::Claimed(claimed)) => self.pools[claimed.pool.0].credits -= 1,
            Event::Frame(worker, FromWorker::Ready(_) | FromWorker::Done(_) | FromWorker::Back(_))
            | Event::Cleaned(worker, _) => {
                if let Some(hand) = self.workers.get_mut(worker) {
                    hand.is_free = true;
                }
            }
            Event::Sampled(samples) => {
                for sample in samples {
                    if let Some(hand) = self.workers.get_mut(&sample.worker) {
                        hand.rss_bytes = sample.rss_bytes;
                    }
                }
            }
            Event::Order(Order::Scale(pool, workers)) => self.pools[pool.0].bounds = *workers,
            Event::Order(Order::Quiet(pool, is_quiet)) => self.pools[pool.0].is_quiet = *is_quiet,
            Event::Reload(config) => self.reloaded(config),
            _ => {}
        }
    }

    /// What an operator has said of its size lasts until the configuration says something else.
    fn reloaded(&mut self, config: &Config) {
        for (at, pool) in config.pools.iter().enumerate() {
            match self.config.pools.get(at) {
                None => self.pools.push(Standing::of(pool)),
                Some(was) if was.workers != pool.workers => self.pools[at].bounds = pool.workers,
                Some(_) => {}
            }
        }
        self.config = config.clone();
    }

    pub(crate) fn commanded(&mut self, command: &Command) {
        match command {
            Command::Spawn { worker, pool } => self.starts(*worker, *pool),
            Command::Demand(demand) => self.pools[demand.pool.0].credits += demand.credits,
            Command::Submit(Op::Finish { refill: Some(pool), .. }) => self.pools[pool.0].credits += 1,
            Command::Send(worker, ToWorker::Run(run)) => {
                let hand = self.workers.get_mut(worker).unwrap();
                assert!(hand.is_free && !hand.is_sent_off, "worker {worker} cannot run task {}", run.task);
                assert!(!self.pools[hand.pool.0].is_quiet, "a quiet pool runs task {}", run.task);
                hand.is_free = false;
            }
            Command::Send(worker, ToWorker::Stop(stop)) if stop.run.is_none() => self.sent_off(*worker),
            Command::Send(worker, ToWorker::Reject(_)) | Command::Signal(worker, _) => self.sent_off(*worker),
            _ => {}
        }
    }

    fn sent_off(&mut self, worker: WorkerId) {
        self.workers.get_mut(&worker).unwrap().is_sent_off = true;
    }

    fn starts(&mut self, worker: WorkerId, pool: PoolId) {
        let memory_bytes = self.config.pools[pool.0].limits.memory_bytes;
        let hand = Hand { pool, memory_bytes, rss_bytes: 0, is_free: false, is_sent_off: false };
        assert!(self.workers.insert(worker, hand).is_none(), "worker {worker} was started before");
        let (count, max) = (self.count(pool), self.pools[pool.0].bounds.max);
        assert!(count <= max, "worker {worker} is number {count} of a pool of {max} at most");
        let all = self.workers.values().map(|hand| hand.memory_bytes.unwrap_or(hand.rss_bytes)).sum::<u64>();
        let fits = memory_bytes.is_none() || all <= self.budget_bytes;
        assert!(fits, "worker {worker} makes {all} bytes of {}", self.budget_bytes);
    }

    /// What a worker that was started may have.
    pub(crate) fn memory_of(&self, worker: WorkerId) -> Option<u64> {
        self.workers.get(&worker)?.memory_bytes
    }

    fn count(&self, pool: PoolId) -> u32 {
        self.workers.values().filter(|hand| hand.pool == pool).count() as u32
    }

    /// After each event.
    pub(crate) fn check(&mut self, machine: &Machine, now: i64) {
        for (at, pool) in self.pools.iter_mut().enumerate() {
            let id = PoolId(at);
            let of_pool = machine.slots().values().filter(|slot| slot.pool == id);
            let ready = of_pool.filter(|slot| slot.phase == Phase::Ready).count() as i64;
            assert_eq!(ready, pool.credits, "workers of pool {at} that are ready, and what the queue was told");
            let target = machine.target(id);
            if target != std::mem::replace(&mut pool.target, target) {
                assert!((pool.bounds.min..=pool.bounds.max).contains(&target), "{target} of {:?}", pool.bounds);
                // One that is gone and has nobody left is not shown.
                if let Some(view) = machine.views(now).into_iter().find(|view| view.id == id) {
                    pool.decided(&view.decisions, view.scale.cooldown_us);
                }
            }
        }
    }

    /// Each pool has as many as it must have, all of them ready, and believes that nothing waits.
    pub(crate) fn is_at_rest(&self, machine: &Machine, now: i64) -> bool {
        let is_small = |(at, pool): (usize, &Standing)| {
            let min = pool.bounds.min;
            (self.count(PoolId(at)), pool.target, pool.credits) == (min, min, i64::from(min))
        };
        self.pools.iter().enumerate().all(is_small) && machine.views(now).iter().all(|view| view.waiting == 0)
    }
}

impl Standing {
    /// One less at a time, and no sooner than a cooldown after the last step of scaling in either direction.
    fn decided(&mut self, decisions: &[Decision], cooldown_us: i64) {
        let known = decisions.iter().rposition(|decision| Some(decision) == self.last_decision.as_ref());
        for decision in &decisions[known.map_or(0, |at| at + 1)..] {
            let is_scaling = !NOT_BY_SCALING.iter().any(|why| decision.why.starts_with(why));
            if decision.from == decision.to || !is_scaling {
                continue;
            }
            if decision.to < decision.from {
                assert_eq!(decision.to + 1, decision.from, "{decision:?}");
                let since_us = decision.at - self.scaled_at.unwrap_or(i64::MIN / 2);
                assert!(since_us >= cooldown_us, "{decision:?}, {since_us} us after the last, not {cooldown_us}");
            }
            self.scaled_at = Some(decision.at);
        }
        self.last_decision = decisions.last().cloned();
    }
}
