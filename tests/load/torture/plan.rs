//! Which kill comes at which progress, drawn from a seed. Pure.

/// One in so many kills of the supervisor is followed by one in the middle of its recovery.
const RECOVERY_ODDS: usize = 5;
/// Of all progress; before and after that there is nothing to hit.
const PERCENT: std::ops::Range<usize> = 2..90;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Strike {
    /// Answered enqueues and ended tasks.
    pub(super) at: usize,
    pub(super) target: Target,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    /// A process that runs a task, or the worker above it.
    Worker,
    Supervisor,
    /// The supervisor, and the next one once it has put the rows in order and before it has opened its door.
    SupervisorTwice,
}

/// `whole` is the progress of a torture that is over. In order of progress; the kills are exactly as many as asked for.
pub(super) fn plan(whole: usize, kills: usize, worker_kills: usize, random: &mut fastrand::Rng) -> Vec<Strike> {
    let mut at = || random.usize(whole * PERCENT.start / 100..=whole * PERCENT.end / 100);
    let mut strikes: Vec<Strike> = (0..worker_kills).map(|_| Strike { at: at(), target: Target::Worker }).collect();
    let twice = kills / RECOVERY_ODDS;
    let once = kills - 2 * twice;
    strikes.extend((0..twice).map(|_| Strike { at: at(), target: Target::SupervisorTwice }));
    strikes.extend((0..once).map(|_| Strike { at: at(), target: Target::Supervisor }));
    strikes.sort();
    strikes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kills(strikes: &[Strike], of: Target) -> usize {
        strikes.iter().filter(|strike| strike.target == of).count()
    }

    #[test]
    fn all_kills_are_there_in_order_and_within_the_work() {
        for (supervisors, workers) in [(0, 0), (1, 0), (5, 20), (8, 0), (50, 200), (500, 1)] {
            for seed in 0..20 {
                let strikes = plan(1_000, supervisors, workers, &mut fastrand::Rng::with_seed(seed));
                assert_eq!(kills(&strikes, Target::Worker), workers);
                let twice = kills(&strikes, Target::SupervisorTwice);
                assert_eq!(kills(&strikes, Target::Supervisor) + 2 * twice, supervisors);
                assert_eq!(twice > 0, supervisors >= RECOVERY_ODDS);
                assert!(strikes.is_sorted_by_key(|strike| strike.at));
                assert!(strikes.iter().all(|strike| (20..=900).contains(&strike.at)));
            }
        }
    }

    #[test]
    fn a_seed_gives_one_plan() {
        let of = |seed| plan(40_000, 50, 200, &mut fastrand::Rng::with_seed(seed));
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
    }
}
