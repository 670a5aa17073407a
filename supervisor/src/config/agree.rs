//! Whether values of a configuration agree with each other, where each alone is right. Pure.

use super::problem::Problem;
use super::problem::Problems;
use super::resolved::{Config, MemoryBudget};
use crate::text::bytes;

/// What can never work: a worker that fits into no budget, a replacement that comes after the end.
pub(super) fn disagreements(config: &Config, problems: &mut Problems) {
    for pool in &config.pools {
        let Some(limit) = pool.limits.memory_bytes else { continue };
        let key = format!("pools.{}", pool.name);
        if let MemoryBudget::Bytes(budget) = config.host.memory
            && limit > budget
        {
            let sentence = format_args!(
                "is {}, above the {} of host.memory, so that no worker would ever be started; lower it, or raise that",
                bytes(limit),
                bytes(budget)
            );
            problems.add(&format!("{key}.limits.memory"), sentence);
        }
        if let Some(worn) = pool.recycle.memory_bytes.filter(|worn| *worn > limit) {
            let sentence = format_args!(
                "is {}, above limits.memory, which is {}: a worker would be killed before it is replaced; lower it",
                bytes(worn),
                bytes(limit)
            );
            problems.add(&format!("{key}.recycle.memory"), sentence);
        }
    }
}

/// What works, and hardly as it is meant: pools whose least workers do not all fit at once.
pub(super) fn doubts(config: &Config) -> Option<Problem> {
    let MemoryBudget::Bytes(budget) = config.host.memory else { return None };
    let least = config.pools.iter().fold(0_u64, |sum, pool| {
        let of_pool = pool.limits.memory_bytes.unwrap_or(0).saturating_mul(u64::from(pool.workers.min));
        sum.saturating_add(of_pool)
    });
    let sentence = || {
        format!(
            "is {}, and the least workers of all pools may need {}: not all of them are there at a time; raise it, or \
             let the pools go lower",
            bytes(budget),
            bytes(least)
        )
    };
    (least > budget).then(|| Problem::new("host.memory", sentence()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Host, Pool, Program, Recycle, WorkerLimits, Workers};

    const MIB: u64 = 1 << 20;

    fn config(budget_mib: u64, pools: &[(u32, u64, Option<u64>)]) -> Config {
        let pool = |(index, (min, limit_mib, worn_mib)): (usize, &(u32, u64, Option<u64>))| Pool {
            limits: WorkerLimits { memory_bytes: Some(limit_mib * MIB), ..WorkerLimits::default() },
            recycle: Recycle { memory_bytes: worn_mib.map(|mib| mib * MIB), ..Recycle::default() },
            ..Pool::new(&format!("p{index}"), Program::Stock, vec![], Workers { min: *min, max: 9 })
        };
        let host = Host { memory: MemoryBudget::Bytes(budget_mib * MIB), ..Host::default() };
        Config { pools: pools.iter().enumerate().map(pool).collect(), host, ..Config::default() }
    }

    #[test]
    fn a_worker_fits_into_the_budget_and_is_replaced_before_its_end() {
        let told = |config: &Config| {
            let mut problems = Problems::default();
            disagreements(config, &mut problems);
            problems.0.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(told(&config(100, &[(0, 100, Some(100))])), [""; 0]);
        let both = told(&config(100, &[(0, 101, None), (0, 100, Some(101))]));
        assert_eq!(
            both,
            [
                "pools.p0.limits.memory: is 101.0 MiB, above the 100.0 MiB of host.memory, so that no worker would ever be \
                 started; lower it, or raise that",
                "pools.p1.recycle.memory: is 101.0 MiB, above limits.memory, which is 100.0 MiB: a worker would be killed \
                 before it is replaced; lower it",
            ]
        );
        let share = Host { memory: MemoryBudget::Share(0.01), ..Host::default() };
        assert_eq!(told(&Config { host: share, ..config(1, &[(9, 4, None)]) }), [""; 0], "depends on the machine");
    }

    #[test]
    fn the_least_workers_of_all_pools_fit_or_that_is_a_doubt() {
        assert_eq!(doubts(&config(100, &[(2, 25, None), (5, 10, None)])), None);
        let doubt = doubts(&config(100, &[(2, 26, None), (5, 10, None)])).unwrap();
        assert!(
            doubt
                .to_string()
                .starts_with("host.memory: is 100.0 MiB, and the least workers of all pools may need 102.0 MiB")
        );
    }
}
