//! The control group of one worker: its limits, its killing, what it says at the end.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use walkdir::WalkDir;

use super::level::Controllers;
use crate::config::WorkerLimits;

/// The period by which the system divides the time of its cores.
const CPU_PERIOD_US: u64 = 100_000;
/// A worker may have made groups below its own: so deep they are looked for.
const DEPTH_MAX: usize = 64;
/// How often an end is looked for again, should the system not tell it.
const LOOK_AGAIN: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    folder: PathBuf,
}

impl Group {
    pub(super) fn at(folder: PathBuf) -> Group {
        Group { folder }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Sets what the controllers can enforce.
    pub(super) fn limit(&self, limits: &WorkerLimits, controllers: Controllers) -> io::Result<()> {
        for (file, value) in values(limits, controllers) {
            let path = self.folder.join(file);
            let why = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
            match fs::write(&path, value) {
                // Without it, the worker may be swapped out before it is killed: a kernel may not count that.
                Err(_) if file == "memory.swap.max" => {}
                written => written.map_err(why)?,
            }
        }
        Ok(())
    }

    /// Kills everything in it, also what is being started at this moment.
    pub fn kill(&self) -> io::Result<()> {
        fs::write(self.folder.join("cgroup.kill"), "1")
    }

    pub fn is_populated(&self) -> bool {
        has_count(&self.folder.join("cgroup.events"), "populated")
    }

    /// The processes in it and in the groups below it.
    pub fn processes(&self) -> Vec<i32> {
        let read = |group: &Path| fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
        let lists: Vec<String> = self.groups().iter().map(|group| read(group)).collect();
        lists.iter().flat_map(|list| list.split_ascii_whitespace()).filter_map(|pid| pid.parse().ok()).collect()
    }

    /// Kills until nothing is in it, however long that takes.
    pub(super) fn end(&self) -> io::Result<()> {
        while self.is_populated() {
            self.kill()?;
            let events = File::open(self.folder.join("cgroup.events"))?;
            if self.is_populated() {
                // Whatever wakes it, it is looked at again.
                let _ = poll(&mut [PollFd::new(&events, PollFlags::PRI)], Some(&LOOK_AGAIN));
            }
        }
        Ok(())
    }

    /// Whether the system has killed something in it for memory.
    pub fn was_out_of_memory(&self) -> bool {
        has_count(&self.folder.join("memory.events"), "oom_kill")
    }

    /// The most that it ever had in memory, with the files that the system kept there for it.
    pub fn peak_bytes(&self) -> Option<i64> {
        fs::read_to_string(self.folder.join("memory.peak")).ok()?.trim().parse().ok()
    }

    /// To be called once nothing is in it. What is left is removed at the next start.
    pub fn remove(&self) {
        for group in self.groups().iter().rev() {
            let _ = fs::remove_dir(group);
        }
    }

    /// Itself first, each before what is below it.
    fn groups(&self) -> Vec<PathBuf> {
        let all = WalkDir::new(&self.folder).max_depth(DEPTH_MAX).into_iter().filter_map(Result::ok);
        all.filter(|entry| entry.file_type().is_dir()).map(walkdir::DirEntry::into_path).collect()
    }
}

/// Which file gets which text.
pub(super) fn values(limits: &WorkerLimits, controllers: Controllers) -> Vec<(&'static str, String)> {
    let mut values = Vec::new();
    if let Some(bytes) = limits.memory_bytes.filter(|_| controllers.memory) {
        values.push(("memory.max", bytes.to_string()));
        values.push(("memory.swap.max", "0".to_owned()));
        // Half a worker is none: it dies with all that it started.
        values.push(("memory.oom.group", "1".to_owned()));
    }
    if let Some(count) = limits.processes.filter(|_| controllers.pids) {
        values.push(("pids.max", count.to_string()));
    }
    if let Some(cores) = limits.cpu.filter(|_| controllers.cpu) {
        // Below a thousandth of a core the system takes nothing.
        let quota_us = (cores * CPU_PERIOD_US as f64).max(1_000.0) as u64;
        values.push(("cpu.max", format!("{quota_us} {CPU_PERIOD_US}")));
    }
    values
}

/// Whether a line of a file of names and numbers has a number above zero.
fn has_count(file: &Path, name: &str) -> bool {
    let text = fs::read_to_string(file).unwrap_or_default();
    let of = |line: &str| line.split_once(' ').filter(|(key, _)| *key == name)?.1.trim().parse::<u64>().ok();
    text.lines().find_map(of).is_some_and(|count| count > 0)
}
