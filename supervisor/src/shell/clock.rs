//! The two clocks of the process. The only place of the shell that reads them.
//!
//! The monotonic one counts the time in which this process ran: while it is stopped (SIGSTOP, a machine that is paused), its
//! timers wait, since it could not have heard a worker that was in time.

use std::cell::Cell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use queue_core::task::Now;
use tokio::time::Instant;

use crate::observe;

/// So often at least is the clock read, as long as the process runs.
pub const READ_EVERY_US: i64 = 1_000_000;
/// A longer time between two readings is one in which it did not run.
const GAP_US_MAX: i64 = 3 * READ_EVERY_US;

/// Microseconds since 1970; may step.
pub fn wall_us() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX)
}

#[derive(Clone, Debug)]
pub struct Clock {
    started: Instant,
    pauses: Cell<Pauses>,
}

impl Clock {
    pub fn start() -> Clock {
        Clock { started: Instant::now(), pauses: Cell::default() }
    }

    pub fn mono_us(&self) -> i64 {
        let system_us = i64::try_from(self.started.elapsed().as_micros()).unwrap_or(i64::MAX);
        let (pauses, was_away_us) = self.pauses.get().read(system_us);
        self.pauses.set(pauses);
        if was_away_us > 0 {
            observe::was_away(was_away_us);
        }
        system_us - pauses.away_us
    }

    pub fn now(&self) -> Now {
        Now { wall_us: wall_us(), mono_us: self.mono_us() }
    }

    /// The moment of a reading of the monotonic clock, if the process runs until then.
    pub fn instant(&self, mono_us: i64) -> Instant {
        let system_us = mono_us.saturating_add(self.pauses.get().away_us);
        self.started + Duration::from_micros(system_us.max(0).unsigned_abs())
    }
}

/// The time in which the process did not run, by a clock of the system that went on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Pauses {
    read_at_us: i64,
    away_us: i64,
}

impl Pauses {
    /// The system's clock is read; with how long the process was away since the last time.
    fn read(self, system_us: i64) -> (Pauses, i64) {
        let gap_us = system_us - self.read_at_us;
        let was_away_us = if gap_us > GAP_US_MAX { gap_us } else { 0 };
        (Pauses { read_at_us: system_us, away_us: self.away_us + was_away_us }, was_away_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_that_is_longer_than_any_turn_does_not_count() {
        const S: i64 = 1_000_000;
        // Readings of the system's clock, and what is left of the last one.
        let table: [(&[i64], i64); 6] = [
            (&[0], 0),
            (&[S, 2 * S, 3 * S], 3 * S),
            (&[S, S + GAP_US_MAX], S + GAP_US_MAX),
            (&[S, S + GAP_US_MAX + 1], S),
            (&[S, 100 * S, 101 * S, 101 * S], 2 * S),
            (&[S, 100 * S, 101 * S, 9_000 * S, 9_001 * S], 3 * S),
        ];
        for (readings, want) in table {
            let mut pauses = Pauses::default();
            for reading in readings {
                pauses = pauses.read(*reading).0;
            }
            assert_eq!(readings[readings.len() - 1] - pauses.away_us, want, "{readings:?}");
        }
    }

    #[test]
    fn moments_lie_as_far_ahead_as_before() {
        let clock = Clock { started: Instant::now(), pauses: Cell::new(Pauses { read_at_us: 0, away_us: 70 }) };
        assert_eq!(clock.instant(30), clock.started + Duration::from_micros(100));
    }
}
