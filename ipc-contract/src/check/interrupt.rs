//! What happens to the workers when somebody interrupts the check: they are killed with all that they have started.

use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{io, thread};

use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Groups of processes that live now. As many as there are cases at a time.
static LIVE: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// Starts a process that leads a group of its own. With the lock held: none can be started and not be known.
///
/// # Errors
/// When it cannot be started.
pub(super) fn start(command: &mut Command) -> io::Result<Child> {
    let mut live = live();
    let child = command.spawn()?;
    live.push(Pid::from_child(&child));
    Ok(child)
}

/// To be said before the number can be given to another process.
pub(super) fn ended(group: Pid) {
    live().retain(|other| *other != group);
}

fn live() -> MutexGuard<'static, Vec<Pid>> {
    // A list is whole even when somebody has panicked beside it.
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on an interruption ends this program and all workers.
///
/// # Errors
/// When the system refuses.
pub(super) fn attend() -> io::Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    thread::Builder::new().name("interrupt".to_owned()).spawn(move || {
        if let Some(signal) = signals.forever().next() {
            let live = live();
            for group in live.iter() {
                // It fails only for what is gone already.
                let _ = kill_process_group(*group, Signal::KILL);
            }
            // With the lock held: no other worker is started any more.
            std::process::exit(128 + signal);
        }
    })?;
    Ok(())
}
