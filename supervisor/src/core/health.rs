//! The states of a pool, and when a dead worker of it is replaced: at once, after a back-off, or not until someone has looked.
//! Pure.
//!
//! The first deaths cost nothing: they may be a task's fault. Further deaths in a row, with neither a run answered nor a minute
//! of life between, wait 0.25 s
//! doubling to 30 s. Five deaths before `hello` within 60 s open the circuit: one probe a minute. Exit code 78 says that
//! the worker's own configuration is wrong: no replacement at all. Workers that we killed for what they ran are not counted.

use std::collections::VecDeque;

const BASE_US: i64 = 250_000;
const CAP_US: i64 = 30_000_000;
const EARLY_DEATHS_MAX: usize = 5;
const EARLY_WINDOW_US: i64 = 60_000_000;
/// A worker that lived so long was healthy, whatever ended it.
const HEALTHY_US: i64 = 60_000_000;
pub const PROBE_US: i64 = 60_000_000;
/// Deaths in a row, with runs in hand, that each worker of a pool has free: so many poison tasks may meet in it at once.
const FREE_PER_WORKER: u32 = 2;
/// `EX_CONFIG` of sysexits.h.
pub const CONFIG_EXIT_CODE: i32 = 78;

/// Whether a pool may start workers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PoolState {
    #[default]
    Serving,
    /// Its workers died: none is started before then.
    BackingOff { until: i64 },
    /// The circuit is open: its workers die before they say hello, and one is tried at a time, the next one then.
    Broken { probe_at: i64 },
    /// Its workers ask not to be started again: until someone reloads or recycles the pool.
    Stopped,
}

impl PoolState {
    /// No worker is started before this.
    pub fn may_start_at(self) -> i64 {
        match self {
            PoolState::Serving => i64::MIN,
            PoolState::BackingOff { until } => until,
            PoolState::Broken { probe_at } => probe_at,
            PoolState::Stopped => i64::MAX,
        }
    }

    /// The circuit is open.
    pub fn is_broken(self) -> bool {
        matches!(self, PoolState::Broken { .. } | PoolState::Stopped)
    }

    /// For people, at a moment.
    pub fn name(self, now: i64) -> &'static str {
        match self {
            PoolState::BackingOff { until } if until > now => "backing off",
            PoolState::Serving | PoolState::BackingOff { .. } => "serving",
            PoolState::Broken { .. } => "broken",
            PoolState::Stopped => "stopped",
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    state: PoolState,
    deaths_in_row: u32,
    early_deaths_at: VecDeque<i64>,
}

/// How a worker died, as far as its replacement is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Death {
    pub before_hello: bool,
    /// It had a run in its hands.
    pub with_run: bool,
    /// Since its process was started.
    pub lived_us: i64,
    pub code: Option<i32>,
}

impl Health {
    pub fn state(&self) -> PoolState {
        self.state
    }

    /// A worker said hello: its program is there and works.
    pub fn greeted(&mut self) {
        self.early_deaths_at.clear();
        if let PoolState::Broken { .. } = self.state {
            self.state = PoolState::Serving;
        }
    }

    /// A run was answered, well or badly.
    pub fn answered(&mut self) {
        self.deaths_in_row = 0;
    }

    /// Someone has looked: all is as if nothing had died.
    pub fn mended(&mut self) {
        *self = Health::default();
    }

    /// `workers` is how many the pool has when all is well. Says whether the circuit opened with this death.
    pub fn died(&mut self, death: Death, workers: u32, now: i64, random: u64) -> bool {
        let was = self.state;
        let before = if death.lived_us >= HEALTHY_US { 0 } else { self.deaths_in_row };
        self.deaths_in_row = before.saturating_add(1);
        if death.before_hello {
            self.early_deaths_at.push_back(now);
            self.early_deaths_at.retain(|at| now - at <= EARLY_WINDOW_US);
        }
        let is_looping = self.early_deaths_at.len() >= EARLY_DEATHS_MAX;
        self.state = match was {
            _ if death.code == Some(CONFIG_EXIT_CODE) => PoolState::Stopped,
            PoolState::Stopped => PoolState::Stopped,
            PoolState::Broken { .. } => PoolState::Broken { probe_at: now + PROBE_US },
            _ if is_looping => PoolState::Broken { probe_at: now + PROBE_US },
            _ => match self.back_off_us(death, workers, random) {
                0 => PoolState::Serving,
                wait_us => PoolState::BackingOff { until: now + wait_us },
            },
        };
        !was.is_broken() && self.state.is_broken()
    }

    fn back_off_us(&self, death: Death, workers: u32, random: u64) -> i64 {
        let free = match (death.before_hello, death.with_run) {
            (true, _) => 0,
            (false, false) => 1,
            (false, true) => FREE_PER_WORKER.saturating_mul(workers),
        };
        if self.deaths_in_row <= free {
            return 0;
        }
        let doublings = self.deaths_in_row - free - 1;
        let whole = (BASE_US << doublings.min(16)).min(CAP_US);
        // Between half and all of it, so that workers do not come back in step.
        whole / 2 + (random % (whole as u64 / 2 + 1)) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATE: Death = Death { before_hello: false, with_run: false, lived_us: 0, code: None };
    const EARLY: Death = Death { before_hello: true, with_run: false, lived_us: 0, code: None };
    const POISONED: Death = Death { with_run: true, ..LATE };
    const WRONG: Death = Death { code: Some(CONFIG_EXIT_CODE), ..LATE };
    /// Half of a wait is left to chance: this word takes all of it.
    const LONGEST: u64 = BASE_US as u64 / 2;

    enum Step {
        Died(Death),
        Greeted,
        Answered,
        Mended,
    }
    use Step::{Answered, Died, Greeted, Mended};

    /// The state after these steps, one each second from second 1 on, and whether the circuit opened with the last of them.
    fn after(steps: &[Step]) -> (PoolState, bool) {
        let (mut health, mut opened) = (Health::default(), false);
        for (second, step) in steps.iter().enumerate() {
            opened = false;
            match step {
                Died(death) => opened = health.died(*death, 1, (second as i64 + 1) * 1_000_000, LONGEST),
                Greeted => health.greeted(),
                Answered => health.answered(),
                Mended => health.mended(),
            }
        }
        (health.state(), opened)
    }

    #[test]
    fn the_states_of_a_pool() {
        use PoolState::{BackingOff, Broken, Serving, Stopped};
        let dies = || Died(EARLY);
        let table: Vec<(&str, Vec<Step>, (PoolState, bool))> = vec![
            ("at first", vec![], (Serving, false)),
            ("the first death is free", vec![Died(LATE)], (Serving, false)),
            ("the second is not", vec![Died(LATE), Died(LATE)], (BackingOff { until: 2_250_000 }, false)),
            ("an answer forgives", vec![Died(LATE), Died(LATE), Answered, Died(LATE)], (Serving, false)),
            ("two poison tasks are free", vec![Died(POISONED), Died(POISONED)], (Serving, false)),
            ("before hello none is", vec![dies()], (BackingOff { until: 1_250_000 }, false)),
            (
                "five before hello",
                vec![dies(), dies(), dies(), dies(), dies()],
                (Broken { probe_at: 65_000_000 }, true),
            ),
            (
                "a probe that dies",
                vec![dies(), dies(), dies(), dies(), dies(), dies()],
                (Broken { probe_at: 66_000_000 }, false),
            ),
            ("a hello closes it", vec![dies(), dies(), dies(), dies(), dies(), Greeted], (Serving, false)),
            (
                "a hello between",
                vec![dies(), dies(), dies(), dies(), Greeted, dies()],
                (BackingOff { until: 8_125_000 }, false),
            ),
            ("exit 78", vec![Died(WRONG)], (Stopped, true)),
            ("is the last word", vec![Died(WRONG), Greeted, Answered, Died(LATE)], (Stopped, false)),
            ("also of a broken one", vec![dies(), dies(), dies(), dies(), dies(), Died(WRONG)], (Stopped, false)),
            ("until someone looks", vec![Died(WRONG), Mended], (Serving, false)),
        ];
        for (what, steps, expected) in table {
            let (state, opened) = after(&steps);
            assert_eq!((state, opened), expected, "{what}");
        }
    }

    #[test]
    fn each_state_says_when_and_what() {
        let table = [
            (PoolState::Serving, i64::MIN, "serving"),
            (PoolState::BackingOff { until: 7 }, 7, "backing off"),
            (PoolState::BackingOff { until: 5 }, 5, "serving"),
            (PoolState::Broken { probe_at: 9 }, 9, "broken"),
            (PoolState::Stopped, i64::MAX, "stopped"),
        ];
        for (state, at, name) in table {
            assert_eq!((state.may_start_at(), state.name(6)), (at, name));
        }
    }

    fn wait_us(health: &mut Health, death: Death, workers: u32, now: i64, random: u64) -> i64 {
        health.died(death, workers, now, random);
        (health.state().may_start_at().max(now) - now).max(0)
    }

    #[test]
    fn the_first_death_is_free_and_the_next_ones_double() {
        let mut health = Health::default();
        let waits: Vec<i64> = (0..10).map(|_| wait_us(&mut health, LATE, 1, 0, u64::MAX / 2)).collect();
        assert_eq!(waits[0], 0);
        assert!((BASE_US / 2..=BASE_US).contains(&waits[1]));
        assert!((CAP_US / 2..=CAP_US).contains(&waits[9]));
        let old = Death { lived_us: HEALTHY_US, ..LATE };
        assert_eq!(wait_us(&mut health, old, 1, 9, 0), 0, "a minute of life forgives");
    }

    #[test]
    fn early_deaths_that_are_spread_out_do_not_open_the_circuit() {
        let mut slow = Health::default();
        for n in 1..20 {
            assert!(!slow.died(EARLY, 1, n * EARLY_WINDOW_US, 0));
        }
    }

    #[test]
    fn a_pool_full_of_poison_is_replaced_at_once_but_not_for_ever() {
        let mut health = Health::default();
        for n in 1..=16 {
            assert_eq!(wait_us(&mut health, POISONED, 8, n, 0), 0, "death {n} of a pool of 8");
        }
        assert!(wait_us(&mut health, POISONED, 8, 17, 0) > 0, "a program that breaks every run");
    }
}
