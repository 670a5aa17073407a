//! The ladder of a stop: when each of its rungs comes. Pure arithmetic.
//!
//! The `stop` frame goes out at once, SIGTERM to the group at half of the grace (SIGABRT when it is to say where it hangs), SIGKILL at its end. Whoever is not dead
//! ten seconds after SIGKILL is stuck in the kernel: the slot stays taken and an alert says so.

pub const STUCK_AFTER_US: i64 = 10_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rung {
    Term,
    /// In place of [`Rung::Term`]: whoever hangs says where.
    Abort,
    Kill,
    Stuck,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ladder {
    next: Option<Rung>,
    term_at: i64,
    kill_at: i64,
}

impl Ladder {
    pub fn new(now: i64, grace_us: i64) -> Ladder {
        Ladder { next: Some(Rung::Term), term_at: now + grace_us / 2, kill_at: now + grace_us }
    }

    /// Whoever climbs it is made to say where it hangs.
    pub fn with_dump(self) -> Ladder {
        let next = self.next.map(|rung| if rung == Rung::Term { Rung::Abort } else { rung });
        Ladder { next, ..self }
    }

    /// A ladder that starts with SIGKILL: the caller sends it.
    pub fn killed(now: i64) -> Ladder {
        Ladder { next: Some(Rung::Stuck), term_at: now, kill_at: now }
    }

    pub fn next_at(&self) -> Option<i64> {
        Some(match self.next? {
            Rung::Term | Rung::Abort => self.term_at,
            Rung::Kill => self.kill_at,
            Rung::Stuck => self.kill_at + STUCK_AFTER_US,
        })
    }

    /// The rung that has come, at most one a call.
    pub fn step(&mut self, now: i64) -> Option<Rung> {
        let rung = self.next.filter(|_| self.next_at().is_some_and(|at| at <= now))?;
        self.next = match rung {
            Rung::Term | Rung::Abort => Some(Rung::Kill),
            Rung::Kill => Some(Rung::Stuck),
            Rung::Stuck => None,
        };
        Some(rung)
    }

    /// The stricter of two stops.
    pub fn sooner(self, other: Ladder) -> Ladder {
        if other.kill_at < self.kill_at { other } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rungs_come_in_order_and_at_their_times() {
        let mut ladder = Ladder::new(100, 20);
        let steps: Vec<_> = [109, 110, 110, 119, 120, 120].map(|now| ladder.step(now)).into();
        assert_eq!(steps, [None, Some(Rung::Term), None, None, Some(Rung::Kill), None]);
        assert_eq!(ladder.next_at(), Some(120 + STUCK_AFTER_US));
        assert_eq!(ladder.step(120 + STUCK_AFTER_US), Some(Rung::Stuck));
        assert_eq!((ladder.next_at(), ladder.step(i64::MAX)), (None, None));
    }

    #[test]
    fn a_late_look_still_climbs_one_rung_at_a_time() {
        let mut ladder = Ladder::new(0, 20);
        assert_eq!([(); 3].map(|()| ladder.step(i64::MAX)), [Some(Rung::Term), Some(Rung::Kill), Some(Rung::Stuck)]);
    }

    #[test]
    fn the_stricter_stop_wins() {
        let (strict, mild) = (Ladder::new(0, 10), Ladder::new(0, 20));
        assert_eq!(strict.sooner(mild), strict);
        assert_eq!(mild.sooner(strict), strict);
    }
}
