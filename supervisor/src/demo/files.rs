//! What is below a folder: the regular files, in the order of their names, up to a limit. Follows no link, opens no file.

use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::plan::Skipped;

/// Files of one demo, in the order of their names.
pub(super) const FILES_MAX: usize = 10_000;
/// Folders that hold what programs made of other files.
const ASIDE: [&str; 2] = [".git", "target"];

#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) files: Vec<PathBuf>,
    pub(super) skipped: Skipped,
    /// There are more than [`FILES_MAX`].
    pub(super) is_cut: bool,
}

/// The files below `root`, but not below `own`: the folder of the queue changes while it is read.
pub(super) fn find(root: &Path, own: &Path) -> Found {
    find_at_most(root, own, FILES_MAX)
}

fn find_at_most(root: &Path, own: &Path, files_max: usize) -> Found {
    let mut found = Found::default();
    let is_wanted = |entry: &DirEntry| {
        let is_aside = ASIDE.iter().any(|name| entry.file_name() == *name) && entry.depth() > 0;
        !(entry.file_type().is_dir() && (is_aside || entry.path() == own))
    };
    for entry in WalkDir::new(root).sort_by_file_name().into_iter().filter_entry(is_wanted) {
        match entry {
            Ok(entry) if !entry.file_type().is_file() => {}
            Ok(_) if found.files.len() == files_max => {
                found.is_cut = true;
                return found;
            }
            Ok(entry) => found.files.push(entry.into_path()),
            Err(error) => {
                let path = error.path().unwrap_or(root).display().to_string();
                let reason = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
                found.skipped.add(path, reason);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regular_files_in_order_without_links_and_what_lies_aside() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for path in ["b/2", "b/1", "a", "target/x", "b/.git/y", "own/queue.db", "c/.git2"] {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        std::os::unix::fs::symlink(root.join("a"), root.join("link")).unwrap();
        std::os::unix::fs::symlink(root.join("b"), root.join("folder-link")).unwrap();
        let list = |files_max| {
            let found = find_at_most(root, &root.join("own"), files_max);
            let relative = |path: &PathBuf| path.strip_prefix(root).unwrap().display().to_string();
            (found.files.iter().map(relative).collect::<Vec<_>>(), found.is_cut)
        };
        let all: Vec<String> = ["a", "b/1", "b/2", "c/.git2"].map(str::to_owned).into();
        assert_eq!(list(4), (all.clone(), false));
        assert_eq!(list(3), (all[..3].to_vec(), true));
        let target = find_at_most(&root.join("target"), root, 9);
        assert_eq!(target.files.len(), 1, "the folder that was asked for is never aside");
    }

    #[test]
    fn what_cannot_be_listed_is_told() {
        let found = find(Path::new("/proc/none"), Path::new("/"));
        assert_eq!((found.files.len(), found.skipped.count), (0, 1));
        assert!(found.skipped.named[0].starts_with("/proc/none: "), "{found:?}");
    }
}
