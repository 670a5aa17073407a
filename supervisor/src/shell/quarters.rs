//! What each worker gets from this host and gives back at its end: a control group and a folder of its own.

use std::io;

use queue_core::task::WorkerId;

use super::cgroup::{Group, Groups};
use super::plan::Plan;
use super::spawner::Launch;
use super::temp::TempFolders;
use crate::observe;

/// The variable that tells programs where their temporary files belong.
const TEMP_VARIABLE: &str = "TMPDIR";

pub struct Quarters {
    groups: Option<Groups>,
    folders: TempFolders,
    /// That of a worker whose pool names no other: what it would have without us.
    open_files: u64,
    /// That a worker had to go without a group.
    was_told: bool,
}

/// Those of one worker.
pub struct Given {
    pub plan: Plan,
    /// Variables beside those of its pool.
    pub env: Vec<(String, String)>,
    pub group: Option<Group>,
}

impl Quarters {
    pub fn new(groups: Option<Groups>, folders: TempFolders, open_files: u64) -> Quarters {
        Quarters { groups, folders, open_files, was_told: false }
    }

    /// # Errors
    /// Those of the system, with a sentence; nothing is given then.
    pub fn give(&mut self, launch: &Launch) -> io::Result<Given> {
        let given = self.make(launch);
        if given.is_err() {
            self.take_back(launch.worker);
        }
        given
    }

    fn make(&mut self, launch: &Launch) -> io::Result<Given> {
        let Launch { worker, limits, process, identity, .. } = launch;
        let made = self.folders.make(*worker, identity.as_ref(), &process.secrets);
        let made = made.map_err(said("its private folder cannot be made"))?;
        let group = self.group(launch)?;
        let counts_processes = group.is_some() && self.groups.iter().any(|groups| groups.controllers().pids);
        let plan = Plan {
            cgroup: group.as_ref().map(|group| group.folder().to_owned()),
            open_files_max: limits.open_files,
            processes: limits.processes.filter(|_| !counts_processes),
            file_size_bytes: limits.file_size_bytes,
            nice: process.nice,
            umask: process.umask,
            identity: identity.clone(),
            temp: Some(made.temp.clone()),
            ..Plan::plain(launch.channel, self.open_files)
        };
        let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
        let secrets = made.secrets.iter().map(|(name, path)| (name.clone(), text(path)));
        let env = std::iter::once((TEMP_VARIABLE.to_owned(), text(&made.temp))).chain(secrets).collect();
        Ok(Given { plan, env, group })
    }

    fn group(&mut self, launch: &Launch) -> io::Result<Option<Group>> {
        let Some(groups) = &self.groups else { return Ok(None) };
        match groups.make(launch.worker, &launch.limits) {
            Ok(group) => Ok(Some(group)),
            Err(error) if groups.is_optional => {
                if !std::mem::replace(&mut self.was_told, true) {
                    let text = format!("workers start without a cgroup, and so without its limits: {error}");
                    observe::alert("cgroup", &text);
                }
                Ok(None)
            }
            Err(error) => Err(said("its cgroup cannot be made")(error)),
        }
    }

    /// The worker is dead, with all that it left, or never lived. Its group is not among this.
    pub fn take_back(&self, worker: WorkerId) {
        self.folders.leave(worker);
    }

    /// Folders that no worker has.
    pub fn strays(&self) -> Vec<String> {
        self.folders.strays()
    }
}

fn said(what: &'static str) -> impl FnOnce(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{what}: {error}"))
}
