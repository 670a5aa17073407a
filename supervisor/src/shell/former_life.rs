//! The processes that a former life of this supervisor left: found by their recorded sessions and by the tag in their
//! environment, killed, and waited for. Only when none is left may their tasks be given out again.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::OwnedFd;

use queue_core::op::WorkerRow;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::procfs::{self, Stat};

/// The variable whose value begins with the database's uid, in every process below a worker that kept its environment.
pub const TAG_VARIABLE: &str = "MUTIRAO_TAG";

/// Kills everything that is left, however many rounds it takes; how many processes that were. Errs when one lives and cannot
/// be killed: its task may then not be given out.
pub fn kill_remains(workers: &[WorkerRow], uid: &str) -> io::Result<usize> {
    let boot_id = procfs::boot_id();
    let recorded: Vec<&WorkerRow> = workers.iter().filter(|row| row.boot_id == boot_id).collect();
    let tag = format!("{TAG_VARIABLE}={uid}");
    let mut killed = BTreeSet::new();
    loop {
        let all = procfs::all();
        let remains = all.iter().filter(|stat| !stat.is_dead() && is_remains(stat, &all, &recorded, tag.as_bytes()));
        let struck = remains.map(|stat| strike(stat, &mut killed)).collect::<io::Result<Vec<Option<OwnedFd>>>>()?;
        let dying: Vec<OwnedFd> = struck.into_iter().flatten().collect();
        if dying.is_empty() {
            return Ok(killed.len());
        }
        for pidfd in &dying {
            // Waits as long as it takes: a task is not given out while it may still run.
            while poll(&mut [PollFd::new(pidfd, PollFlags::IN)], None) == Err(Errno::INTR) {}
        }
    }
}

/// In the session of a recorded worker, unless that number belongs to another process by now; or tagged as ours.
fn is_remains(stat: &Stat, all: &[Stat], recorded: &[&WorkerRow], tag: &[u8]) -> bool {
    let mine = std::process::id().cast_signed();
    let same_leader = |row: &WorkerRow| {
        let leader = all.iter().find(|other| other.pid == row.pid && !other.is_dead());
        leader.is_none_or(|leader| leader.start_time == row.start_time)
    };
    let in_session = recorded.iter().any(|row| stat.session == row.pid && same_leader(row));
    stat.pid != mine && (in_session || procfs::environment_has(stat.pid, tag))
}

/// `None` when it is gone already.
fn strike(stat: &Stat, killed: &mut BTreeSet<(i32, i64)>) -> io::Result<Option<OwnedFd>> {
    let Some(pid) = Pid::from_raw(stat.pid) else { return Ok(None) };
    let pidfd = match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(pidfd) => pidfd,
        Err(Errno::SRCH) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    // Between the look and the handle the number may have changed hands.
    if procfs::stat(stat.pid).is_none_or(|now| now.start_time != stat.start_time) {
        return Ok(None);
    }
    match pidfd_send_signal(&pidfd, Signal::KILL) {
        Ok(()) => {}
        Err(Errno::SRCH) => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    killed.insert((stat.pid, stat.start_time));
    Ok(Some(pidfd))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(pid: i32, start_time: i64) -> WorkerRow {
        let text = String::new;
        WorkerRow { id: queue_core::task::WorkerId(1), pool: text(), pid, start_time, boot_id: text(), tag: text() }
    }

    #[test]
    fn a_session_counts_unless_its_number_has_a_new_owner() {
        // Numbers beyond any real process, so that no environment is found.
        let leader = Stat { pid: 900_000_001, state: 'S', session: 900_000_001, start_time: 7 };
        let member = Stat { pid: 900_000_002, ..leader };
        let check = |all: &[Stat], row: &WorkerRow| is_remains(&member, all, &[row], b"no such tag");
        assert!(check(&[leader, member], &row(900_000_001, 7)), "its leader lives");
        assert!(check(&[member], &row(900_000_001, 7)), "its leader is gone");
        assert!(
            check(&[Stat { state: 'Z', start_time: 9, ..leader }, member], &row(900_000_001, 7)),
            "dead ones own nothing"
        );
        assert!(!check(&[Stat { start_time: 9, ..leader }, member], &row(900_000_001, 7)), "somebody else's by now");
        assert!(!check(&[leader, member], &row(900_000_009, 7)), "another session");
    }
}
