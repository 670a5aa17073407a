//! Processes as the system sees them: awaiting a death, and looking for those that should be gone.

use std::os::fd::OwnedFd;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::process::{PidfdFlags, pidfd_open};
use supervisor::shell::procfs::{self, Stat};

use super::guard::Guard;

/// A process that a test holds by the hand: its number cannot be taken for that of another.
pub struct Watched {
    pub pid: i32,
    /// Absent when it was gone already.
    pidfd: Option<OwnedFd>,
}

impl Watched {
    pub fn new(pid: i32) -> Watched {
        let number = rustix::process::Pid::from_raw(pid).unwrap_or_else(|| panic!("{pid} is no pid"));
        Watched { pid, pidfd: pidfd_open(number, PidfdFlags::empty()).ok() }
    }

    /// The direct children of a process.
    pub fn children_of(pid: i32) -> Vec<Watched> {
        procfs::children(pid).into_iter().map(Watched::new).collect()
    }

    /// Looks once. A process that is dead and not yet waited for is dead.
    pub fn is_alive(&self) -> bool {
        self.pidfd.is_some() && procfs::stat(self.pid).is_some_and(|stat| !stat.is_dead())
    }

    pub fn await_death(&self) {
        if let Some(pidfd) = &self.pidfd {
            assert!(Guard::start().readable(pidfd), "process {} does not die: {:?}", self.pid, procfs::stat(self.pid));
        }
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid), signal).unwrap_or_else(|error| panic!("process {}: {error}", self.pid));
    }
}

/// Living processes that were started with a variable that begins so, or that are in one of these sessions.
pub(super) fn living(variable_prefix: &str, sessions: &[i32]) -> Vec<Stat> {
    let is_here =
        |stat: &Stat| sessions.contains(&stat.session) || procfs::environment_has(stat.pid, variable_prefix.as_bytes());
    procfs::all().into_iter().filter(|stat| !stat.is_dead() && is_here(stat)).collect()
}

/// Kills what [`living`] finds until it finds nothing; for cleaning up after a test that failed.
pub(super) fn kill_all(variable_prefix: &str) {
    loop {
        let found = living(variable_prefix, &[]);
        if found.is_empty() {
            return;
        }
        for stat in found {
            let watched = Watched::new(stat.pid);
            if kill(Pid::from_raw(stat.pid), Signal::SIGKILL).is_ok() {
                watched.await_death();
            }
        }
    }
}
