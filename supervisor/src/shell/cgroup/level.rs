//! What control groups can be had, decided from what is seen of a group, and told in a sentence.

use std::fs;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, eaccess};

use super::layout::Layout;
use crate::config::CgroupUse;

/// The controllers that we have a use for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Controllers {
    pub memory: bool,
    pub pids: bool,
    pub cpu: bool,
}

impl Controllers {
    /// From a file that lists them.
    pub(super) fn in_file(file: &Path) -> Controllers {
        let text = fs::read_to_string(file).unwrap_or_default();
        let has = |name: &str| text.split_ascii_whitespace().any(|word| word == name);
        Controllers { memory: has("memory"), pids: has("pids"), cpu: has("cpu") }
    }

    pub fn names(self) -> Vec<&'static str> {
        let all = [("memory", self.memory), ("pids", self.pids), ("cpu", self.cpu)];
        all.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name).collect()
    }

    pub fn is_empty(self) -> bool {
        self.names().is_empty()
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Level {
    /// The system limits each worker, by these controllers.
    Full(Controllers),
    /// The system finds and kills all that a worker has started, and limits nothing.
    KillOnly,
    #[default]
    None,
}

impl Level {
    pub fn controllers(self) -> Controllers {
        if let Level::Full(controllers) = self { controllers } else { Controllers::default() }
    }
}

/// What is had, and why not more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    pub level: Level,
    pub why: String,
}

impl Verdict {
    pub(super) fn new(level: Level, why: impl Into<String>) -> Verdict {
        Verdict { level, why: why.into() }
    }
}

/// What is seen of the group below which those of the workers are to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Base {
    pub(super) folder: PathBuf,
    /// Why no group can be made in it.
    pub(super) refused: Option<String>,
    pub(super) available: Controllers,
    /// The topmost group of all, which alone may have both processes and controllers in use.
    pub(super) is_root: bool,
    /// Processes in it besides us.
    pub(super) has_others: bool,
    /// Whether it is where we are.
    pub(super) is_own: bool,
}

impl Base {
    /// The group that the configuration wants, or why there is none.
    pub(super) fn find(layout: &Layout, wanted: &CgroupUse) -> Result<Base, String> {
        let Some((mount, own)) = &layout.unified else {
            return Err("no control groups of version 2 are mounted here".to_owned());
        };
        match wanted {
            CgroupUse::Off => Err("they are switched off by [host] cgroup".to_owned()),
            CgroupUse::Auto => Ok(Base::look(own, own)),
            CgroupUse::At(folder) if !folder.starts_with(mount) || !folder.is_dir() => {
                let (folder, mount) = (folder.display(), mount.display());
                Err(format!("{folder} is no group; make it below {mount}, or say cgroup = \"auto\""))
            }
            CgroupUse::At(folder) => Ok(Base::look(folder, own)),
        }
    }

    fn look(folder: &Path, own: &Path) -> Base {
        let me = std::process::id().to_string();
        let processes = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
        // A process is moved by whoever may write to the group that holds both its places.
        let common = folder.ancestors().find(|above| own.starts_with(above)).unwrap_or(folder);
        let needed = [folder.to_owned(), folder.join("cgroup.procs"), common.join("cgroup.procs")];
        let refusal = |path: &PathBuf| {
            let error = eaccess(path, AccessFlags::W_OK).err()?;
            Some(format!("cannot write to {}: {}", path.display(), error.desc()))
        };
        Base {
            refused: needed.iter().find_map(refusal),
            available: Controllers::in_file(&folder.join("cgroup.controllers")),
            is_root: !folder.join("cgroup.type").exists(),
            has_others: processes.split_ascii_whitespace().any(|pid| pid != me),
            is_own: folder == own,
            folder: folder.to_owned(),
        }
    }

    pub(super) fn judge(&self) -> Verdict {
        let folder = self.folder.display();
        if let Some(refused) = &self.refused {
            let why = format!("{refused}; run as root, or as a service with Delegate=yes");
            return Verdict::new(Level::None, why);
        }
        if self.available.is_empty() {
            let why = format!("the group {folder} is given no controllers; a service with Delegate=yes is");
            return Verdict::new(Level::KillOnly, why);
        }
        if self.has_others && !self.is_root {
            let why = format!("the group {folder} holds other processes as well; run in one of its own");
            return Verdict::new(Level::KillOnly, why);
        }
        Verdict::new(Level::Full(self.available), format!("below {folder}"))
    }
}

/// What a supervisor would find here. Changes nothing.
pub fn look(layout: &Layout, wanted: &CgroupUse) -> Verdict {
    match Base::find(layout, wanted) {
        Ok(base) => base.judge(),
        Err(why) => Verdict::new(Level::None, why),
    }
}
