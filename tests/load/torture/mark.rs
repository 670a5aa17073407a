//! The side of the tasks: a run takes the lock of its task, says that it begins, works, and says that it ends. A lock that
//! somebody holds is an overlap: the system frees it when its holder is dead.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::process::parent_id;
use std::path::Path;
use std::process::ExitCode;
use std::str::FromStr;
use std::thread::park_timeout;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use supervisor::shell::procfs;
use worker::{Context, Worker};

/// The kind that is run by a worker written in Rust.
pub(super) const MARK: &str = "mark";
/// The kind that is run by a plain command.
pub(super) const MARK_COMMAND: &str = "mark_command";
/// In the folder: the pipe that all runs write to.
pub(super) const MARKS: &str = "marks";
/// In the folder: a lock for each task.
pub(super) const LOCKS: &str = "locks";

/// The args of both kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::Args)]
pub struct Work {
    /// The number of the task, from 0.
    pub(super) task: usize,
    /// What is to be computed.
    pub(super) rounds: u64,
    /// How long it takes beside that, as a task that waits for somebody else does.
    pub(super) idle_ms: u64,
}

impl Work {
    /// What a run comes to: the effect that must be found once, and right.
    pub(super) fn result(self) -> u64 {
        (0..self.rounds)
            .fold(self.task as u64, |sum, round| (sum ^ round).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31))
    }
}

/// A process: its number may be used again, its start may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Process {
    pub(super) pid: i32,
    /// In clock ticks since boot.
    pub(super) start_time: i64,
}

impl Process {
    pub(super) fn find(pid: u32) -> io::Result<Process> {
        let pid = pid.cast_signed();
        let stat = procfs::stat(pid).ok_or_else(|| io::Error::other(format!("process {pid} is gone")))?;
        Ok(Process { pid, start_time: stat.start_time })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Begin,
    End,
    /// Another run of the task is alive.
    Overlap,
}

const WHATS: [(What, &str); 3] = [(What::Begin, "begin"), (What::End, "end"), (What::Overlap, "overlap")];

/// One line of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) what: What,
    pub(super) task: usize,
    pub(super) runner: Process,
    /// The runner itself, or the one that started the runner as a command.
    pub(super) worker: Process,
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Mark { what, task, runner, worker } = self;
        let name = WHATS.iter().find(|(one, _)| one == what).map_or("", |(_, name)| name);
        write!(f, "{name} {task} {} {} {} {}", runner.pid, runner.start_time, worker.pid, worker.start_time)
    }
}

impl FromStr for Mark {
    type Err = anyhow::Error;

    fn from_str(line: &str) -> anyhow::Result<Mark> {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let &[name, task, pid, start_time, worker, worker_start_time] = fields.as_slice() else {
            anyhow::bail!("{line:?} is no mark");
        };
        let process =
            |pid: &str, start_time: &str| anyhow::Ok(Process { pid: pid.parse()?, start_time: start_time.parse()? });
        let what = WHATS.iter().find(|(_, other)| *other == name).map(|(what, _)| *what);
        Ok(Mark {
            what: what.ok_or_else(|| anyhow::anyhow!("{name:?} is not said by a run"))?,
            task: task.parse()?,
            runner: process(pid, start_time)?,
            worker: process(worker, worker_start_time)?,
        })
    }
}

/// Plays the worker in this process, to its end.
pub fn worker(folder: &Path) -> ExitCode {
    let folder = folder.to_owned();
    let handler = move |_: &Context, work: Work| {
        let me = Process::find(std::process::id())?;
        run(&folder, work, me, me)
    };
    Worker::new().task(MARK, handler).run()
}

/// Plays a plain command: one run, whose result is printed.
///
/// # Errors
/// The folder cannot be used; another run of the task is alive.
pub fn mark(folder: &Path, work: Work) -> anyhow::Result<()> {
    let (runner, worker) = (Process::find(std::process::id())?, Process::find(parent_id())?);
    print!("{}", run(folder, work, runner, worker)?);
    Ok(())
}

fn run(folder: &Path, work: Work, runner: Process, worker: Process) -> io::Result<u64> {
    let mut pipe = OpenOptions::new().write(true).open(folder.join(MARKS))?;
    // One write of a line this short is never torn or mixed with another.
    let mut say = |what| pipe.write_all(format!("{}\n", Mark { what, task: work.task, runner, worker }).as_bytes());
    let lock = File::create(folder.join(LOCKS).join(work.task.to_string()))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            say(What::Overlap)?;
            return Err(io::Error::other("another run of this task is alive"));
        }
        Err(TryLockError::Error(error)) => return Err(error),
    }
    say(What::Begin)?;
    let until = Instant::now() + Duration::from_millis(work.idle_ms);
    let result = work.result();
    while let Some(left) = until.checked_duration_since(Instant::now()) {
        park_timeout(left);
    }
    say(What::End)?;
    Ok(result)
}

/// Makes what the runs need.
pub(super) fn prepare(folder: &Path) -> io::Result<()> {
    fs::create_dir(folder.join(LOCKS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written() {
        let runner = Process { pid: 4242, start_time: 99 };
        let worker = Process { pid: 7, start_time: 1 };
        for (what, name) in WHATS {
            let mark = Mark { what, task: 17, runner, worker };
            assert_eq!(mark.to_string(), format!("{name} 17 4242 99 7 1"));
            assert_eq!(mark.to_string().parse::<Mark>().unwrap(), mark);
        }
        for wrong in ["", "begin", "begin 1 2 3 4", "began 1 2 3 4 5", "end x 2 3 4 5", "end 1 2 3 4 5 6"] {
            assert!(wrong.parse::<Mark>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_result_tells_the_task_and_the_work() {
        let result = |task, rounds| Work { task, rounds, idle_ms: 0 }.result();
        assert_eq!(result(3, 0), 3);
        assert_ne!(result(3, 10), result(4, 10));
        assert_ne!(result(3, 10), result(3, 11));
    }

    #[test]
    fn a_second_run_is_an_overlap_as_long_as_the_first_is_alive() {
        let folder = tempfile::tempdir().unwrap();
        prepare(folder.path()).unwrap();
        File::create(folder.path().join(MARKS)).unwrap();
        let (work, me) = (Work { task: 5, rounds: 9, idle_ms: 0 }, Process::find(std::process::id()).unwrap());
        let first = File::create(folder.path().join(LOCKS).join("5")).unwrap();
        first.lock().unwrap();
        assert!(run(folder.path(), work, me, me).is_err());
        let said = fs::read_to_string(folder.path().join(MARKS)).unwrap();
        assert_eq!(said.trim_end().parse::<Mark>().unwrap().what, What::Overlap);
        drop(first);
        assert_eq!(run(folder.path(), work, me, me).unwrap(), work.result());
    }
}
