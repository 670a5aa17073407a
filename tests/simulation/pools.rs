//! The pools of a world: what its configuration says of them and how that changes, what their programs are like, and the
//! memory of its host. At least one worker of each pool fits beside those that the others must have.

use std::collections::BTreeMap;

use queue_core::policy::Limits;
use queue_core::retry::Backoff;
use supervisor::config::{Config, Kind, Pool, Program, Recycle, Scale, WorkerLimits, Workers};
use supervisor::core::{HostFacts, MemoryCap};

use crate::enqueuers::ROUTES;
use crate::rng::Rng;
use crate::waits::Waits;

const MS: i64 = 1_000;
const SECOND: i64 = 1_000 * MS;
pub(crate) const MIB: u64 = 1 << 20;
/// Kinds by pool. A pool behind these takes part of the work of the last.
const KINDS: [&str; 2] = ["echo", "work"];
const MORE: &str = "more";
/// In worlds whose pools have a fixed number of workers.
const FIXED: [u32; 2] = [2, 1];
const WORKERS_MAX: i64 = 6;
/// What a worker has in memory when it has run nothing.
const AT_REST_BYTES: u64 = 20 * MIB;

/// How the workers of a pool are when nothing goes wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Habits {
    /// From exec to `hello`.
    pub(crate) boot_us: (i64, i64),
    pub(crate) at_rest_bytes: u64,
    /// What each run leaves behind in memory, as long as there are faults.
    pub(crate) leak_bytes: u64,
    /// So many runs in a hundred take more than may be.
    pub(crate) hogs_percent: u64,
    /// Until then, in world time, none of them comes to `hello`.
    pub(crate) mended_at: i64,
}

pub(crate) struct Pools {
    /// As the file has it.
    pub(crate) config: Config,
    pub(crate) host: HostFacts,
    /// From one sample of what workers have in memory to the next; none is taken where nobody asks.
    pub(crate) sampled_every_us: Option<i64>,
    /// By the name of the pool.
    pub(crate) habits: BTreeMap<String, Habits>,
    /// No pool is told to have more workers at least.
    least_max: u32,
    /// Each as it was in the beginning, the one that comes and goes last.
    drawn: Vec<Pool>,
    programs: u64,
}

impl Pools {
    pub(crate) fn new(waits: &Waits, rng: &mut Rng) -> Pools {
        let least_max = rng.below(3) as u32;
        let scales = rng.percent(75);
        let names = [KINDS[0], KINDS[1], MORE];
        let drawn: Vec<Pool> = match scales {
            true => names.iter().map(|name| scaling(name, least_max, rng)).collect(),
            false => names.iter().map(|name| plain(name)).collect(),
        };
        let habits = drawn.iter().map(|pool| (pool.name.clone(), habits(pool, scales, rng))).collect();
        let is_bounded = scales && rng.percent(70);
        let memory_cap = *rng.pick(&[MemoryCap::Hard, MemoryCap::Soft, MemoryCap::Soft]);
        let memory_budget_bytes = if is_bounded { budget(&drawn, least_max, rng) } else { u64::MAX };
        let every_us = *rng.pick(&[100 * MS, 100 * MS, SECOND, 5 * SECOND]);
        let backoff = Backoff { base_ms: 400, cap_ms: 5_000, jitter: 0.2 };
        let limits = Limits { backoff, ..Limits::default() };
        let kind = |name: &&str| {
            let (_, queue) = ROUTES.iter().find(|(kind, _)| kind == name).unwrap();
            ((*name).to_owned(), Kind { queue: Some((*queue).to_owned()), limits, ..Kind::default() })
        };
        let config = Config {
            queues: waits.policies.clone(),
            kinds: KINDS.iter().map(kind).collect(),
            pools: drawn[..KINDS.len()].to_vec(),
            ..Config::default()
        };
        Pools {
            config,
            host: HostFacts { memory_budget_bytes, memory_cap },
            sampled_every_us: is_bounded.then_some(every_us),
            habits,
            least_max,
            drawn,
            programs: 0,
        }
    }

    /// The kind whose handler the workers of a pool have.
    pub(crate) fn kind(&self, pool: usize) -> &'static str {
        KINDS[pool.min(KINDS.len() - 1)]
    }

    /// What a pool with these bounds may be told to have; nothing at all for a while, by chance.
    pub(crate) fn bounds(&self, rng: &mut Rng) -> Workers {
        if rng.percent(10) { Workers::fixed(0) } else { bounds(self.least_max, rng) }
    }

    /// What somebody writes into the file next: other bounds, another program, other memory, or the last pool comes or goes.
    pub(crate) fn changed(&mut self, rng: &mut Rng) -> Config {
        let mut config = self.config.clone();
        let at = rng.below(config.pools.len() as u64) as usize;
        if rng.percent(30) {
            match config.pools.get_mut(KINDS.len()) {
                None => config.pools.push(self.drawn[KINDS.len()].clone()),
                Some(more) if more.queues.is_empty() => *more = self.drawn[KINDS.len()].clone(),
                Some(more) => *more = retired(more),
            }
        } else if !config.pools[at].queues.is_empty() {
            let (pool, drawn) = (&mut config.pools[at], &self.drawn[at]);
            match rng.below(4) {
                0 => pool.workers = bounds(self.least_max, rng),
                1 => pool.limits.memory_bytes = drawn.limits.memory_bytes.map(|bytes| bytes / rng.between(1, 2) as u64),
                2 => pool.recycle = scaling(&pool.name, 0, rng).recycle,
                _ => {
                    self.programs += 1;
                    pool.program = program(&pool.name, self.programs);
                }
            }
        }
        config
    }

    /// A new life has no places for pools that are gone.
    pub(crate) fn begin_life(&mut self) {
        self.config.pools.retain(|pool| !pool.queues.is_empty());
    }
}

/// Its place is kept: see `reload`.
fn retired(pool: &Pool) -> Pool {
    Pool { queues: Vec::new(), weights: Vec::new(), workers: Workers::fixed(0), ..pool.clone() }
}

fn program(name: &str, version: u64) -> Program {
    Program::Command(vec![name.to_owned(), version.to_string()])
}

/// What names no queue goes to the first one of its kind, which is all that the pool that comes and goes serves.
fn queues(name: &str) -> Vec<String> {
    let kind = if name == MORE { KINDS[1] } else { name };
    let routed = ROUTES.iter().filter(|(of, _)| *of == kind).map(|(_, queue)| (*queue).to_owned());
    routed.take(if name == MORE { 1 } else { ROUTES.len() }).collect()
}

fn plain(name: &str) -> Pool {
    let workers = KINDS.iter().position(|kind| *kind == name).map_or(1, |at| FIXED[at]);
    Pool::new(name, program(name, 0), queues(name), Workers::fixed(workers))
}

fn bounds(least_max: u32, rng: &mut Rng) -> Workers {
    let min = rng.below(u64::from(least_max) + 1) as u32;
    Workers { min, max: rng.between(i64::from(min.max(1)), WORKERS_MAX) as u32 }
}

fn scaling(name: &str, least_max: u32, rng: &mut Rng) -> Pool {
    let memory_bytes = rng.percent(70).then(|| *rng.pick(&[100, 200, 400, 600]) * MIB);
    let seconds = |rng: &mut Rng, percent, from, to| rng.percent(percent).then(|| rng.between(from, to) * SECOND);
    Pool {
        scale: Scale {
            target_wait_us: *rng.pick(&[300 * MS, SECOND, 3 * SECOND]),
            cooldown_us: *rng.pick(&[SECOND, 3 * SECOND, 10 * SECOND]),
        },
        limits: WorkerLimits { memory_bytes, ..WorkerLimits::default() },
        recycle: Recycle {
            tasks: rng.percent(40).then(|| rng.between(3, 20) as u64),
            age_us: seconds(rng, 20, 60, 200),
            idle_us: seconds(rng, 20, 5, 30),
            memory_bytes: memory_bytes.filter(|_| rng.percent(60)).map(|bytes| bytes * 3 / 4),
        },
        dump_on_hang: rng.percent(30),
        ..Pool::new(name, program(name, 0), queues(name), bounds(least_max, rng))
    }
}

fn habits(pool: &Pool, scales: bool, rng: &mut Rng) -> Habits {
    let boots = [(1, 400), (1, 400), (1_000, 6_000), (12_000, 25_000)].map(|(from, to)| (from * MS, to * MS));
    let leaks = pool.limits.memory_bytes.map_or(0, |bytes| bytes / rng.between(3, 20) as u64);
    Habits {
        boot_us: if scales { *rng.pick(&boots) } else { boots[0] },
        at_rest_bytes: AT_REST_BYTES,
        leak_bytes: if rng.percent(40) { leaks } else { 0 },
        hogs_percent: if pool.limits.memory_bytes.is_some() { *rng.pick(&[0, 5, 20]) } else { 0 },
        mended_at: if scales && rng.percent(20) { rng.between(5, 90) * SECOND } else { 0 },
    }
}

/// The workers that all pools must have, one more of the greatest, and by chance some room.
fn budget(pools: &[Pool], least_max: u32, rng: &mut Rng) -> u64 {
    let counts = |pool: &Pool| pool.limits.memory_bytes.unwrap_or(AT_REST_BYTES);
    let must_be = pools.iter().map(|pool| counts(pool) * u64::from(least_max)).sum::<u64>();
    let greatest = pools.iter().map(counts).max().unwrap();
    must_be + greatest * *rng.pick(&[2, 2, 3, 8]) / 2
}
