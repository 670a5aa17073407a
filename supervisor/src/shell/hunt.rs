//! The killing of what a run or a dead worker left: list, SIGKILL, wait for each death, list again until none is left. A
//! process in the kernel's hands may take long to die: then the hunt waits for it, and nobody else does.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use queue_core::task::WorkerId;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::cgroup::Group;
use super::procfs;
use crate::core::WorkerExit;

#[derive(Clone, Debug)]
pub enum Goal {
    /// Nothing is left of any dead worker; then this exit may be told.
    Orphans(WorkerExit),
    /// Nothing lives below this living worker.
    Below { worker: WorkerId, pid: i32 },
}

pub struct Hunt {
    pub goal: Goal,
    /// Of the worker: but for itself, while it lives, nothing may be left in it either.
    pub group: Option<Group>,
    prey: Vec<OwnedFd>,
    is_held_up: bool,
}

impl Hunt {
    pub fn new(goal: Goal, group: Option<Group>) -> Hunt {
        Hunt { goal, group, prey: Vec::new(), is_held_up: false }
    }

    /// Something could not be killed just now: try again after a while.
    pub fn is_held_up(&self) -> bool {
        self.is_held_up
    }

    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.prey.iter().map(AsFd::as_fd)
    }

    /// Goes as far as it can without waiting; true when nothing is left. `spared` are never killed.
    pub fn go_on(&mut self, own_pid: i32, spared: &BTreeSet<i32>) -> bool {
        self.prey.retain(|pidfd| !has_died(pidfd));
        if !self.prey.is_empty() {
            return false;
        }
        let mut found = match &self.goal {
            Goal::Orphans(_) => orphans(own_pid, spared),
            Goal::Below { pid, .. } => procfs::living_below(*pid),
        };
        // Who changes parents while we look may not be seen below, and cannot leave its group.
        found.extend(self.grouped());
        let struck: Vec<_> = found.into_iter().map(strike).collect();
        // Alive and out of reach, for want of descriptors or rights: the hunt is not over, and looks again.
        self.is_held_up = struck.iter().any(Result::is_err);
        self.prey = struck.into_iter().filter_map(|pidfd| pidfd.ok().flatten()).collect();
        let is_dead = matches!(self.goal, Goal::Orphans(_));
        if is_dead && self.prey.is_empty() && self.group.as_ref().is_some_and(Group::is_populated) {
            self.is_held_up = true;
        }
        self.prey.is_empty() && !self.is_held_up
    }

    /// What is in the group, but for a living worker; that of a dead one is killed all at once, so that nothing outruns it.
    fn grouped(&self) -> Vec<i32> {
        let Some(group) = self.group.as_ref().filter(|group| group.is_populated()) else { return Vec::new() };
        match &self.goal {
            Goal::Orphans(_) => {
                let _ = group.kill();
                group.processes()
            }
            Goal::Below { pid, .. } => group.processes().into_iter().filter(|other| other != pid).collect(),
        }
    }
}

/// Children of ours that are alive and no workers. Dead ones are waited for here: nobody else will.
fn orphans(own_pid: i32, spared: &BTreeSet<i32>) -> Vec<i32> {
    let strangers = procfs::children(own_pid).into_iter().filter(|pid| !spared.contains(pid));
    strangers.filter(|pid| !was_reaped(*pid)).collect()
}

fn was_reaped(pid: i32) -> bool {
    let state = waitpid(Pid::from_raw(pid), Some(WaitPidFlag::WNOHANG));
    !matches!(state, Ok(nix::sys::wait::WaitStatus::StillAlive))
}

/// Kills through a pidfd, so that no stranger that got the number meanwhile is hit. Errs when it lives and cannot be killed.
fn strike(pid: i32) -> Result<Option<OwnedFd>, Errno> {
    let Some(pid) = rustix::process::Pid::from_raw(pid) else { return Ok(None) };
    match pidfd_open(pid, PidfdFlags::empty()).and_then(|pidfd| pidfd_send_signal(&pidfd, Signal::KILL).map(|()| pidfd))
    {
        Ok(pidfd) => Ok(Some(pidfd)),
        Err(Errno::SRCH) => Ok(None),
        Err(error) => Err(error),
    }
}

fn has_died(pidfd: &OwnedFd) -> bool {
    let mut polled = [PollFd::new(pidfd, PollFlags::IN)];
    matches!(poll(&mut polled, Some(&Timespec::default())), Ok(1..))
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};

    use super::super::cgroup::Groups;
    use super::*;
    use crate::config::{CgroupUse, WorkerLimits};

    #[test]
    fn who_is_in_the_group_of_a_worker_but_not_seen_below_it_is_hunted_too() {
        let (groups, verdict) = Groups::open(&CgroupUse::Auto, "test-hunt").unwrap();
        let Some(groups) = groups else { return eprintln!("skipped: {}", verdict.why) };
        let group = groups.make(WorkerId(1), &WorkerLimits::default()).unwrap();
        let script = "echo 0 > \"$0/cgroup.procs\"; exec sleep 1000";
        let member = || Command::new("sh").args(["-c", script]).arg(group.folder()).spawn().unwrap();
        let mut members: Vec<Child> = vec![member(), member()];
        while group.processes().len() < members.len() {
            std::thread::yield_now();
        }
        let pid = members[0].id().cast_signed();
        let mut hunt = Hunt::new(Goal::Below { worker: WorkerId(1), pid }, Some(group.clone()));
        while !hunt.go_on(std::process::id().cast_signed(), &BTreeSet::new()) {
            std::thread::yield_now();
        }
        assert_eq!(group.processes(), [pid], "the worker alone");
        for member in &mut members {
            let _ = member.kill();
            member.wait().unwrap();
        }
        group.remove();
        groups.close();
    }
}
