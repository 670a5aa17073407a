//! What the stock worker owes to the command that runs: its group's signals, and its descendants as own children.

use std::io;
use std::sync::{Arc, Mutex};
use std::thread;

use rustix::process::{Pid, Signal, getpid, kill_process, kill_process_group, set_child_subreaper};
use signal_hook::consts::SIGTERM;
use signal_hook::iterator::Signals;

use crate::sync::lock;

/// The command that runs now, if one does.
pub(super) struct Keeper {
    current: Arc<Mutex<Option<Current>>>,
}

#[derive(Clone, Copy)]
struct Current {
    leader: Pid,
    told_to_stop: bool,
}

impl Keeper {
    /// Makes this process the parent of the orphans below it, and lets SIGTERM mean the command and not the worker.
    pub(super) fn start() -> io::Result<Self> {
        set_child_subreaper(Some(getpid()))?;
        let current = Arc::new(Mutex::new(None));
        let mut signals = Signals::new([SIGTERM])?;
        let forward = Arc::clone(&current);
        thread::Builder::new().name("mutirao-signals".into()).spawn(move || {
            for _ in signals.forever() {
                terminate(&forward);
            }
        })?;
        Ok(Self { current })
    }

    /// Starts a command and takes its group into care. The lock is held meanwhile, so that a SIGTERM waits for the group.
    pub(super) fn adopt<T>(&self, start: impl FnOnce() -> io::Result<(Pid, T)>) -> io::Result<T> {
        let mut current = lock(&self.current);
        let (leader, started) = start()?;
        *current = Some(Current { leader, told_to_stop: false });
        Ok(started)
    }

    /// Asks the command to end.
    pub(super) fn terminate(&self) {
        terminate(&self.current);
    }

    /// Kills the command and its group. The leader is named as well, in case that it has left its group.
    pub(super) fn kill(&self) {
        if let Some(Current { leader, .. }) = *lock(&self.current) {
            let _ = kill_process_group(leader, Signal::KILL);
            let _ = kill_process(leader, Signal::KILL);
        }
    }

    /// Ends the care, to be called once the leader is dead and before it is reaped: until then its number, which is that of
    /// the group, cannot belong to another. Kills what is left of the group, and says whether the command was told to stop.
    pub(super) fn release(&self) -> bool {
        let Some(current) = lock(&self.current).take() else { return false };
        let _ = kill_process_group(current.leader, Signal::KILL);
        current.told_to_stop
    }
}

/// Failing to signal is no fault of ours: what is gone, is gone, and what may not be signalled is found among the leftovers.
fn terminate(current: &Mutex<Option<Current>>) {
    if let Some(current) = lock(current).as_mut() {
        current.told_to_stop = true;
        let _ = kill_process_group(current.leader, Signal::TERM);
    }
}
