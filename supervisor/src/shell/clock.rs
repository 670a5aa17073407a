//! The two clocks of the process. The only place of the shell that reads them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use queue_core::task::Now;
use tokio::time::Instant;

/// Microseconds since 1970; may step.
pub fn wall_us() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX)
}

#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
}

impl Clock {
    pub fn start() -> Clock {
        Clock { started: Instant::now() }
    }

    pub fn mono_us(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_micros()).unwrap_or(i64::MAX)
    }

    pub fn now(&self) -> Now {
        Now { wall_us: wall_us(), mono_us: self.mono_us() }
    }

    /// The moment of a reading of the monotonic clock.
    pub fn instant(&self, mono_us: i64) -> Instant {
        self.started + Duration::from_micros(mono_us.max(0).unsigned_abs())
    }
}
