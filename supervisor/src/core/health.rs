//! When a dead worker is replaced: at once, after a back-off, or not until someone has looked. Pure.
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

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    deaths_in_row: u32,
    early_deaths_at: VecDeque<i64>,
    circuit: Circuit,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Circuit {
    #[default]
    Closed,
    /// One probe a minute.
    Open,
    /// Stays so until the supervisor is started again.
    Stopped,
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

/// What follows a death.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// When the next worker may be started; `None` is never.
    pub restart_at: Option<i64>,
    /// The circuit opened with this death.
    pub opened: bool,
}

impl Health {
    pub fn circuit(&self) -> Circuit {
        self.circuit
    }

    /// A worker said hello: its program is there and works.
    pub fn greeted(&mut self) {
        self.early_deaths_at.clear();
        if self.circuit == Circuit::Open {
            self.circuit = Circuit::Closed;
        }
    }

    /// A run was answered, well or badly.
    pub fn answered(&mut self) {
        self.deaths_in_row = 0;
    }

    /// `workers` is how many the pool has when all is well.
    pub fn died(&mut self, death: Death, workers: u32, now: i64, random: u64) -> Verdict {
        let was = self.circuit;
        let before = if death.lived_us >= HEALTHY_US { 0 } else { self.deaths_in_row };
        self.deaths_in_row = before.saturating_add(1);
        if death.before_hello {
            self.early_deaths_at.push_back(now);
            self.early_deaths_at.retain(|at| now - at <= EARLY_WINDOW_US);
        }
        if death.code == Some(CONFIG_EXIT_CODE) {
            self.circuit = Circuit::Stopped;
        } else if self.early_deaths_at.len() >= EARLY_DEATHS_MAX && was == Circuit::Closed {
            self.circuit = Circuit::Open;
        }
        let restart_at = match self.circuit {
            Circuit::Closed => Some(now + self.back_off_us(death, workers, random)),
            Circuit::Open => Some(now + PROBE_US),
            Circuit::Stopped => None,
        };
        Verdict { restart_at, opened: was == Circuit::Closed && self.circuit != Circuit::Closed }
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

    #[test]
    fn the_first_death_is_free_and_the_next_ones_double() {
        let mut health = Health::default();
        let mut waits = Vec::new();
        for _ in 0..10 {
            waits.push(health.died(LATE, 1, 0, u64::MAX / 2).restart_at.unwrap());
        }
        assert_eq!(waits[0], 0);
        assert!((BASE_US / 2..=BASE_US).contains(&waits[1]));
        assert!((CAP_US / 2..=CAP_US).contains(&waits[9]));
        health.answered();
        assert_eq!(health.died(LATE, 1, 7, 0).restart_at, Some(7), "an answered run starts the count anew");
        health.died(LATE, 1, 8, 0);
        let old = Death { lived_us: HEALTHY_US, ..LATE };
        assert_eq!(health.died(old, 1, 9, 0).restart_at, Some(9), "and so does a minute of life");
    }

    #[test]
    fn five_early_deaths_in_a_minute_open_the_circuit_and_a_hello_closes_it() {
        let mut health = Health::default();
        for n in 1..5 {
            let verdict = health.died(EARLY, 1, n, 0);
            assert!(!verdict.opened && verdict.restart_at.unwrap() > n, "never at once");
        }
        assert_eq!(health.died(EARLY, 1, 5, 0), Verdict { restart_at: Some(5 + PROBE_US), opened: true });
        assert_eq!(health.died(EARLY, 1, 6, 0), Verdict { restart_at: Some(6 + PROBE_US), opened: false });
        health.greeted();
        assert_eq!(health.circuit(), Circuit::Closed);
        let mut slow = Health::default();
        for n in 1..20 {
            assert!(!slow.died(EARLY, 1, n * EARLY_WINDOW_US, 0).opened, "spread out they do not open it");
        }
    }

    #[test]
    fn a_pool_full_of_poison_is_replaced_at_once_but_not_for_ever() {
        let mut health = Health::default();
        let poisoned = Death { with_run: true, ..LATE };
        for n in 1..=16 {
            assert_eq!(health.died(poisoned, 8, n, 0).restart_at, Some(n), "death {n} of a pool of 8");
        }
        assert!(health.died(poisoned, 8, 17, 0).restart_at.unwrap() > 17, "a program that breaks every run");
    }

    #[test]
    fn exit_78_is_final() {
        let mut health = Health::default();
        let wrong = Death { code: Some(CONFIG_EXIT_CODE), ..LATE };
        assert_eq!(health.died(wrong, 1, 1, 0), Verdict { restart_at: None, opened: true });
        health.greeted();
        assert_eq!(health.circuit(), Circuit::Stopped);
    }
}
