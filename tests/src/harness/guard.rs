//! When a wait is given up, and waiting for a descriptor within that. Nothing that a test asserts may depend on it.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// Far beyond what anything takes on a busy machine: whoever waits longer hangs.
pub const HANG_GUARD_S: u64 = 180;

/// One wait, from now on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guard {
    until: Instant,
}

impl Guard {
    pub(super) fn start() -> Guard {
        Guard { until: Instant::now() + Duration::from_secs(HANG_GUARD_S) }
    }

    /// What is left; zero when the wait is to be given up.
    pub(super) fn left(self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// Waits until a descriptor can be read; false when that takes too long.
    pub(super) fn readable(self, descriptor: impl AsFd) -> bool {
        loop {
            let left = self.left();
            let timeout = Timespec { tv_sec: i64::try_from(left.as_secs()).unwrap_or(0), tv_nsec: 0 };
            match poll(&mut [PollFd::new(&descriptor, PollFlags::IN)], Some(&timeout)) {
                Ok(0) if left.as_secs() == 0 => return false,
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return true,
                Err(error) => panic!("cannot wait for a descriptor: {error}"),
            }
        }
    }
}
