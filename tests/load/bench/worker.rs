//! The worker of the bench: two kinds that do nothing, one of which says when it was called.

use std::process::ExitCode;

use serde::de::IgnoredAny;
use worker::{Context, Failure, Worker};

use crate::load::monotonic::monotonic_us;

/// Returns nothing.
pub(super) const NOOP: &str = "noop";
/// Returns the moment of its start, in microseconds of the clock that all processes share.
pub(super) const CLOCK: &str = "clock";

/// Plays the worker in this process, to its end.
pub fn worker() -> ExitCode {
    Worker::new()
        .task(NOOP, |_: &Context, _: IgnoredAny| Ok::<_, Failure>(()))
        .task(CLOCK, |_: &Context, _: IgnoredAny| monotonic_us().map_err(|error| Failure::new(error.to_string())))
        .run()
}
