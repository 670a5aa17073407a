//! What a former life left in the control groups of its workers: found wherever it ran, whatever environment and session it has.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::group::Group;
use super::groups::{OWN_LEAF, home_name};
use super::layout::Layout;

/// So deep groups are looked for, and so many are looked at: far beyond what hosts have.
const DEPTH_MAX: usize = 24;
const GROUPS_MAX: usize = 100_000;

/// Kills all that is in the groups of the workers of this database, waits for its end, and removes the groups; how many
/// processes that were. To be called under the lock of the database, before any worker is started.
///
/// # Errors
/// One cannot be killed: its task may then not be given out.
pub fn end_former(uid: &str) -> io::Result<usize> {
    let Layout { unified: Some((mount, _)), .. } = Layout::here() else { return Ok(0) };
    homes(&mount, uid).iter().map(|home| end_home(home)).sum()
}

/// The folders of this database below a mount; there may be several, since it may have run in several places.
pub(super) fn homes(mount: &Path, uid: &str) -> Vec<PathBuf> {
    let name = home_name(uid);
    let all = WalkDir::new(mount).max_depth(DEPTH_MAX).into_iter().filter_map(Result::ok);
    let groups = all.filter(|entry| entry.file_type().is_dir()).take(GROUPS_MAX);
    groups.filter(|entry| entry.file_name() == name.as_str()).map(walkdir::DirEntry::into_path).collect()
}

fn end_home(home: &Path) -> io::Result<usize> {
    let mut killed = 0;
    let me = std::process::id().cast_signed();
    for entry in fs::read_dir(home)?.filter_map(Result::ok).filter(|entry| entry.path().is_dir()) {
        let group = Group::at(entry.path());
        let processes = group.processes();
        // That of the supervisor holds nobody else; and a task may have started us.
        if entry.file_name() != OWN_LEAF && !processes.contains(&me) {
            group.end()?;
            killed += processes.len();
        }
        group.remove();
    }
    // Somebody is in it when it cannot be removed: us.
    let _ = fs::remove_dir(home);
    Ok(killed)
}
