//! Killing what a command has left below this process, to the last one. Nothing here knows what a command is.
//!
//! This process is a subreaper: when a child dies, its children become ours before its death is told. So killing and reaping
//! all children, again and again, reaches every depth.

use std::fs;
use std::io;
use std::path::Path;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitOptions, kill_process, waitid, waitpid};

/// Rounds of killing: one per generation, and more for what forks while it is being killed.
const ROUNDS_MAX: u32 = 1_000;

/// Kills and reaps all children of this process. Errors: a child that may not be killed, or one that forks faster than it dies.
pub(super) fn kill_all() -> io::Result<()> {
    for _ in 0..ROUNDS_MAX {
        if !any_child()? {
            return Ok(());
        }
        for child in children(Path::new("/proc/self/task"))? {
            kill_and_reap(child)?;
        }
    }
    Err(io::Error::other("processes that the command left behind fork faster than they can be killed"))
}

/// The kernel's word: the list of children may leave out some while others come and go.
fn any_child() -> io::Result<bool> {
    match waitid(WaitId::All, WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT) {
        Err(Errno::CHILD) => Ok(false),
        Ok(_) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

fn kill_and_reap(child: Pid) -> io::Result<()> {
    match kill_process(child, Signal::KILL) {
        Ok(()) | Err(Errno::SRCH) => {}
        Err(error) => {
            let pid = child.as_raw_nonzero();
            return Err(io::Error::other(format!("cannot kill process {pid}, which the command left behind: {error}")));
        }
    }
    loop {
        match waitpid(Some(child), WaitOptions::empty()) {
            Err(Errno::INTR) => {}
            Ok(_) | Err(Errno::CHILD) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

fn children(tasks: &Path) -> io::Result<Vec<Pid>> {
    let mut found = Vec::new();
    for task in fs::read_dir(tasks)? {
        match fs::read_to_string(task?.path().join("children")) {
            Ok(list) => found.extend(list.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?))),
            // A thread of ours that has ended meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}
