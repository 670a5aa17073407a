//! The sample that takes its worker down, by a signal or an exit.

use rustix::process::{Signal, getpid, kill_process};
use serde::Deserialize;
use signal_hook::consts::{SIGKILL, SIGSEGV, SIGSTOP};
use signal_hook::low_level::emulate_default_handler;

use crate::context::Context;
use crate::failure::Failure;

#[derive(Deserialize)]
pub(super) struct Crash {
    /// By number; left out, and without `exit`, SIGSEGV.
    signal: Option<i32>,
    exit: Option<i32>,
    /// The only attempt that crashes; left out, each does.
    on_attempt: Option<u32>,
}

/// Returns the attempt when it does not crash.
pub(super) fn crash(context: &Context, args: Crash) -> Result<u32, Failure> {
    if args.on_attempt.is_none_or(|attempt| attempt == context.attempt()) {
        eprintln!("crashing on attempt {}, as asked", context.attempt());
        match (args.exit, args.signal.unwrap_or(SIGSEGV)) {
            (Some(code), _) => std::process::exit(code),
            (None, SIGKILL) => kill_process(getpid(), Signal::KILL)?,
            (None, SIGSTOP) => kill_process(getpid(), Signal::STOP)?,
            // The runtime of the language has a handler for some signals, which would swallow the first one.
            (None, signal) => emulate_default_handler(signal)?,
        }
    }
    Ok(context.attempt())
}
