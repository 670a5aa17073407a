//! The folder of the queue: kept where the user says, or gone with the demo. Holds a configuration to go on with, and the
//! Python part.

use std::fs::DirBuilder;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempDir};

use super::package::{CLIENT, PACKAGE, POOL, WORKER};
use crate::config::FILE_DEFAULT;

/// What a new folder is configured with.
const CONFIG: &str = include_str!("supervisor.toml");

pub(super) struct Workspace {
    folder: PathBuf,
    /// Removes the folder when it is dropped.
    temporary: Option<TempDir>,
}

impl Workspace {
    /// Uses `keep`, which is made when it is not there, or a new temporary folder. A configuration, a worker and a client
    /// that are there stay: they are the user's.
    ///
    /// # Errors
    /// Those of the system.
    pub(super) fn open(keep: Option<&Path>, has_python: bool) -> io::Result<Workspace> {
        let workspace = match keep {
            Some(folder) => {
                DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
                Workspace { folder: folder.canonicalize()?, temporary: None }
            }
            None => {
                let temporary = tempfile::Builder::new().prefix("mutirao-demo-").tempdir()?;
                Workspace { folder: temporary.path().canonicalize()?, temporary: Some(temporary) }
            }
        };
        workspace.fill(has_python)?;
        Ok(workspace)
    }

    /// Absolute, without links.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn config_file(&self) -> PathBuf {
        self.folder.join(FILE_DEFAULT)
    }

    pub(super) fn is_kept(&self) -> bool {
        self.temporary.is_none()
    }

    fn fill(&self, has_python: bool) -> io::Result<()> {
        if !has_python {
            return self.put_new(FILE_DEFAULT, CONFIG);
        }
        for (name, text) in PACKAGE {
            self.put(name, text)?;
        }
        for (name, text) in [WORKER, CLIENT, (FILE_DEFAULT, &format!("{CONFIG}{POOL}"))] {
            self.put_new(name, text)?;
        }
        Ok(())
    }

    /// Leaves what is there.
    fn put_new(&self, name: &str, text: &str) -> io::Result<()> {
        if self.folder.join(name).exists() { Ok(()) } else { self.put(name, text) }
    }

    /// Whole or not at all, since a kept demo may be killed at any moment.
    fn put(&self, name: &str, text: &str) -> io::Result<()> {
        let path = self.folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(&self.folder))?;
        let mut file = NamedTempFile::new_in(&self.folder)?;
        file.write_all(text.as_bytes())?;
        file.persist(path)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::{CRASH, DIGEST, TEXT_STATS, WORDS};
    use super::*;
    use crate::config::Config;

    fn names(folder: &Path) -> Vec<String> {
        let entries = folder.read_dir().unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_is_the_users_stays_and_a_temporary_folder_goes() {
        let outer = tempfile::tempdir().unwrap();
        let keep = outer.path().join("new/queue");
        let kept = Workspace::open(Some(&keep), false).unwrap();
        assert_eq!(names(&keep), [FILE_DEFAULT], "nothing but the configuration");
        std::fs::write(kept.config_file(), "# mine").unwrap();
        std::fs::write(keep.join("worker.py"), "# mine").unwrap();
        assert!(kept.is_kept());
        drop(kept);
        for _ in 0..2 {
            drop(Workspace::open(Some(&keep), true).unwrap());
            assert_eq!(names(&keep), ["client.py", "mutirao", FILE_DEFAULT, "worker.py"]);
            let text = |name: &str| std::fs::read_to_string(keep.join(name)).unwrap();
            assert_eq!([text(FILE_DEFAULT), text("worker.py")], ["# mine", "# mine"]);
            assert_eq!(text("client.py"), CLIENT.1);
            assert_eq!(
                text("mutirao/__init__.py"),
                PACKAGE.iter().find(|(name, _)| *name == "mutirao/__init__.py").unwrap().1
            );
            // That of another version of this program.
            std::fs::write(keep.join("mutirao/__init__.py"), "").unwrap();
        }
        let temporary = Workspace::open(None, true).unwrap();
        let folder = temporary.folder().to_owned();
        assert!(folder.is_dir() && !temporary.is_kept());
        drop(temporary);
        assert!(!folder.exists());
    }

    #[test]
    fn the_configuration_is_good_and_routes_every_kind() {
        for has_python in [false, true] {
            let workspace = Workspace::open(None, has_python).unwrap();
            let config = Config::load(Some(&workspace.config_file()), None).unwrap();
            for kind in [CRASH, DIGEST, TEXT_STATS] {
                assert!(config.kinds[kind].queue.is_some(), "{kind}");
            }
            assert_eq!(config.kinds.contains_key(WORDS), has_python);
        }
    }
}
