//! The control groups of the workers of one database, below one group of its own.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use queue_core::task::WorkerId;

use super::group::Group;
use super::layout::Layout;
use super::level::{Base, Controllers, Level, Verdict};
use crate::config::{CgroupUse, WorkerLimits};

/// The group that we move to, since a group that divides what it has may hold no processes itself.
pub(super) const OWN_LEAF: &str = "supervisor";

#[derive(Clone, Debug)]
pub struct Groups {
    /// That of the database.
    home: PathBuf,
    controllers: Controllers,
    /// Where we were before we moved.
    moved_from: Option<PathBuf>,
    /// Whether a worker may run without: nobody has named a place for them.
    pub is_optional: bool,
}

impl Groups {
    /// Takes what can be had. To be called under the lock of the database.
    ///
    /// # Errors
    /// None can be had where the configuration wants them; a sentence.
    pub fn open(wanted: &CgroupUse, uid: &str) -> Result<(Option<Groups>, Verdict), String> {
        let is_optional = !matches!(wanted, CgroupUse::At(_));
        let (groups, verdict) = match Base::find(&before_move(Layout::here(), uid), wanted) {
            Err(why) => (None, Verdict::new(Level::None, why)),
            Ok(base) => Groups::take(&base, uid, is_optional),
        };
        if groups.is_none() && !is_optional {
            return Err(verdict.why);
        }
        Ok((groups, verdict))
    }

    pub(super) fn take(base: &Base, uid: &str, is_optional: bool) -> (Option<Groups>, Verdict) {
        let wished = base.judge();
        if wished.level == Level::None {
            return (None, wished);
        }
        let home = base.folder.join(home_name(uid));
        if let Err(error) = make(&home) {
            let why = format!("the group {} cannot be made: {error}", home.display());
            return (None, Verdict::new(Level::None, why));
        }
        if !home.join("cgroup.kill").exists() {
            let _ = fs::remove_dir(&home);
            return (None, Verdict::new(Level::None, "this kernel is older than 5.14 and cannot kill a group"));
        }
        let mut groups = Groups { home, controllers: Controllers::default(), moved_from: None, is_optional };
        let verdict = match wished.level {
            Level::Full(controllers) => groups.divide(base, controllers, wished.why),
            _ => wished,
        };
        (Some(groups), verdict)
    }

    /// Has the controllers divide what the base has among the workers.
    fn divide(&mut self, base: &Base, wished: Controllers, why: String) -> Verdict {
        if !base.is_root && base.is_own {
            let leaf = self.home.join(OWN_LEAF);
            if let Err(error) = make(&leaf).and_then(|()| fs::write(leaf.join("cgroup.procs"), "0")) {
                let why = format!("we cannot move to the group {}: {error}", leaf.display());
                return Verdict::new(Level::KillOnly, why);
            }
            self.moved_from = Some(base.folder.clone());
        }
        let mut refused = None;
        for name in wished.names() {
            for group in [&base.folder, &self.home] {
                let file = group.join("cgroup.subtree_control");
                if let Err(error) = fs::write(&file, format!("+{name}")) {
                    refused.get_or_insert(format!("{} takes no +{name}: {error}", file.display()));
                }
            }
        }
        self.controllers = Controllers::in_file(&self.home.join("cgroup.subtree_control"));
        let why = refused.unwrap_or(why);
        if self.controllers.is_empty() {
            Verdict::new(Level::KillOnly, why)
        } else {
            Verdict::new(Level::Full(self.controllers), why)
        }
    }

    pub fn controllers(&self) -> Controllers {
        self.controllers
    }

    /// The group of a new worker.
    ///
    /// # Errors
    /// Those of the system.
    pub fn make(&self, worker: WorkerId, limits: &WorkerLimits) -> io::Result<Group> {
        let group = Group::at(self.home.join(format!("w{}", worker.0)));
        make(group.folder())?;
        // One that was there was left by a worker that a former life has never recorded.
        group.end()?;
        match group.limit(limits, self.controllers) {
            Ok(()) => Ok(group),
            Err(error) => {
                group.remove();
                Err(error)
            }
        }
    }

    /// No worker is left: all is as it was before, as far as the system lets us. A place that we were not in stays divided,
    /// since others may have come to count on that.
    pub fn close(&self) {
        let release = |group: &Path| {
            let names: Vec<String> = self.controllers.names().into_iter().map(|name| format!("-{name}")).collect();
            fs::write(group.join("cgroup.subtree_control"), names.join(" "))
        };
        let _ = release(&self.home);
        if let Some(before) = &self.moved_from {
            let _ = release(before).and_then(|()| fs::write(before.join("cgroup.procs"), "0"));
            let _ = fs::remove_dir(self.home.join(OWN_LEAF));
        }
        let _ = fs::remove_dir(&self.home);
    }
}

pub(super) fn home_name(uid: &str) -> String {
    format!("mutirao-{uid}")
}

/// A layout in which we are where a former life of this database was before it moved, should we have been started where it had
/// moved to. Else each that is killed would leave the next one to divide its leaf, and so on.
pub(super) fn before_move(mut layout: Layout, uid: &str) -> Layout {
    let leaf = Path::new(&home_name(uid)).join(OWN_LEAF);
    if let Some((_, own)) = layout.unified.as_mut().filter(|(_, own)| own.ends_with(&leaf)) {
        *own = own.ancestors().nth(leaf.components().count()).unwrap_or(own).to_owned();
    }
    layout
}

fn make(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}
