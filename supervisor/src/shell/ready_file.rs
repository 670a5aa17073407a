//! The file that says where a supervisor is, for programs that start one: there once the door is open, gone at the end.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tempfile::NamedTempFile;

/// What it says, as JSON.
#[derive(Debug, Serialize)]
pub(super) struct Whereabouts<'a> {
    pub(super) pid: u32,
    pub(super) socket: &'a Path,
    pub(super) db: &'a Path,
}

/// A file to be; removed when it is dropped.
#[derive(Debug)]
pub(super) struct ReadyFile {
    path: PathBuf,
    /// Beside it, until it is written.
    draft: Option<NamedTempFile>,
}

impl ReadyFile {
    /// Makes sure that it can be written.
    ///
    /// # Errors
    /// It cannot, or something else than a file is there.
    pub(super) fn prepare(path: &Path) -> io::Result<ReadyFile> {
        let path = std::path::absolute(path)?;
        if path.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder; name a file in it"));
        }
        let folder = path.parent().unwrap_or(Path::new("/"));
        // Only this user may read or write it: so are temporary files made.
        let draft = NamedTempFile::new_in(folder).map_err(|error| {
            let (folder, why) = (folder.display(), error.kind());
            io::Error::new(why, format!("the folder {folder} takes no file ({why}); name another"))
        })?;
        Ok(ReadyFile { path, draft: Some(draft) })
    }

    /// What a former life left says something that is not so. To be called under the lock of the database.
    pub(super) fn forget_former(&self) {
        // Not there is what is wanted; anything else shows when the file is written.
        let _ = std::fs::remove_file(&self.path);
    }

    /// Writes it, whole: nobody sees a part of it.
    pub(super) fn publish(&mut self, whereabouts: &Whereabouts<'_>) -> io::Result<()> {
        let Some(mut draft) = self.draft.take() else { return Ok(()) };
        writeln!(draft, "{}", serde_json::to_string(whereabouts)?)?;
        draft.persist(&self.path)?;
        Ok(())
    }
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        if self.draft.is_none() {
            // Gone already is gone.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn it_is_there_whole_between_the_opening_and_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ready.json");
        std::fs::write(&path, "of a former life").unwrap();
        let mut file = ReadyFile::prepare(&path).unwrap();
        assert!(path.exists(), "another supervisor may hold the database");
        file.forget_former();
        assert!(!path.exists());
        file.publish(&Whereabouts { pid: 7, socket: Path::new("/q.db.sock"), db: Path::new("/q.db") }).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "{\"pid\":7,\"socket\":\"/q.db.sock\",\"db\":\"/q.db\"}\n");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        drop(file);
        assert_eq!(folder.path().read_dir().unwrap().count(), 0, "nothing is left");
    }

    #[test]
    fn one_that_cannot_be_written_is_refused_early_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let told = |path: &Path| ReadyFile::prepare(path).unwrap_err().to_string();
        assert!(told(&folder.path().join("no/ready")).contains("/no takes no file (entity not found); name another"));
        assert!(told(folder.path()).contains("it is a folder"));
        let path = folder.path().join("ready.json");
        std::fs::write(&path, "somebody else's").unwrap();
        drop(ReadyFile::prepare(&path).unwrap());
        assert!(path.exists(), "what was never written is not removed");
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    }
}
