//! The folder of the queue: kept where the user says, or gone with the demo. Holds a configuration to go on with.

use std::fs::DirBuilder;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempDir};

use crate::config::FILE_DEFAULT;

/// What a new folder is configured with.
const CONFIG: &str = include_str!("supervisor.toml");

pub(super) struct Workspace {
    folder: PathBuf,
    /// Removes the folder when it is dropped.
    temporary: Option<TempDir>,
}

impl Workspace {
    /// Uses `keep`, which is made when it is not there, or a new temporary folder. A configuration that is there stays.
    ///
    /// # Errors
    /// Those of the system.
    pub(super) fn open(keep: Option<&Path>) -> io::Result<Workspace> {
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
        workspace.configure()?;
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

    /// Whole or not at all, since a kept demo may be killed at any moment.
    fn configure(&self) -> io::Result<()> {
        let mut file = NamedTempFile::new_in(&self.folder)?;
        file.write_all(CONFIG.as_bytes())?;
        match file.persist_noclobber(self.config_file()) {
            Err(failed) if failed.error.kind() != io::ErrorKind::AlreadyExists => Err(failed.error),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::{CRASH, DIGEST, TEXT_STATS};
    use super::*;
    use crate::config::Config;

    #[test]
    fn a_kept_folder_stays_as_it_is_and_a_temporary_one_goes() {
        let outer = tempfile::tempdir().unwrap();
        let keep = outer.path().join("new/queue");
        let kept = Workspace::open(Some(&keep)).unwrap();
        std::fs::write(kept.config_file(), "# mine").unwrap();
        assert!(kept.is_kept());
        drop(kept);
        let again = Workspace::open(Some(&keep)).unwrap();
        assert_eq!(std::fs::read_to_string(again.config_file()).unwrap(), "# mine");
        assert_eq!(keep.read_dir().unwrap().count(), 1, "nothing but the configuration");
        let temporary = Workspace::open(None).unwrap();
        let folder = temporary.folder().to_owned();
        assert!(folder.is_dir() && !temporary.is_kept());
        drop(temporary);
        assert!(!folder.exists());
    }

    #[test]
    fn the_configuration_is_good_and_routes_every_kind() {
        let workspace = Workspace::open(None).unwrap();
        let config = Config::load(Some(&workspace.config_file()), None).unwrap();
        for kind in [CRASH, DIGEST, TEXT_STATS] {
            assert!(config.kinds[kind].queue.is_some(), "{kind}");
        }
    }
}
