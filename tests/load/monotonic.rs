//! The clock that all processes of a machine share: what one reads may be compared with what another reads.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// Microseconds since the machine was started.
///
/// # Errors
/// The system has no such clock.
pub fn monotonic_us() -> anyhow::Result<i64> {
    let read = Duration::from(clock_gettime(ClockId::CLOCK_MONOTONIC)?);
    Ok(i64::try_from(read.as_micros())?)
}
