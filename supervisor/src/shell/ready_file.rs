//! The file that says where a supervisor is, for programs that start one: there once the door is open, gone at the end. It
//! takes the place of no file but of one like it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::lock::lock_path;

/// Two paths and a number are far less.
const FILE_BYTES_MAX: u64 = 64 * 1024;
/// What SQLite keeps in files of its own, behind the name of the database.
const DB_SUFFIXES: [&str; 4] = ["", "-wal", "-shm", "-journal"];

/// What it says, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Whereabouts {
    pub(super) pid: u32,
    pub(super) socket: PathBuf,
    pub(super) db: PathBuf,
}

impl Whereabouts {
    /// What a supervisor has written there; nothing else is opened.
    fn read(path: &Path) -> Option<Whereabouts> {
        let found = path.symlink_metadata().ok()?;
        if !found.is_file() || found.len() > FILE_BYTES_MAX {
            return None;
        }
        let mut text = String::new();
        File::open(path).ok()?.take(FILE_BYTES_MAX).read_to_string(&mut text).ok()?;
        // An array would be read as well.
        text.starts_with('{').then(|| serde_json::from_str(&text).ok())?
    }

    /// Whether this path is a file of the supervisor itself, be it there or not.
    fn takes(&self, path: &Path) -> bool {
        let beside = |suffix: &str| {
            let mut file = self.db.as_os_str().to_owned();
            file.push(suffix);
            PathBuf::from(file)
        };
        let mut own = DB_SUFFIXES.map(beside).into_iter().chain([lock_path(&self.db), self.socket.clone()]);
        own.any(|file| real(&file) == real(path))
    }
}

/// A file to be; removed when it is dropped.
#[derive(Debug)]
pub(super) struct ReadyFile {
    path: PathBuf,
    whereabouts: Whereabouts,
    /// Beside it, until it is written.
    draft: Option<NamedTempFile>,
}

impl ReadyFile {
    /// Makes sure that it can be written, and changes nothing.
    ///
    /// # Errors
    /// It cannot, or something else than a former one is there, or belongs there.
    pub(super) fn prepare(path: &Path, whereabouts: Whereabouts) -> io::Result<ReadyFile> {
        let path = std::path::absolute(path)?;
        if path.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder; choose another, or a file in it"));
        }
        if whereabouts.takes(&path) {
            let db = whereabouts.db.display();
            return Err(in_the_way(format!("it belongs to the database {db}; choose another")));
        }
        if path.symlink_metadata().is_ok() && Whereabouts::read(&path).is_none() {
            return Err(in_the_way("no supervisor wrote what is there; choose another, or move that away"));
        }
        let folder = path.parent().unwrap_or(Path::new("/"));
        // Only this user may read or write it: so are temporary files made.
        let draft = NamedTempFile::new_in(folder).map_err(|error| {
            let (folder, why) = (folder.display(), error.kind());
            io::Error::new(why, format!("the folder {folder} takes no file ({why}); choose another"))
        })?;
        Ok(ReadyFile { path, whereabouts, draft: Some(draft) })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What a former life left says something that is not so. To be called under the lock of the database.
    pub(super) fn forget_former(&self) {
        if Whereabouts::read(&self.path).is_some() {
            self.remove();
        }
    }

    /// Writes it, whole: nobody sees a part of it.
    ///
    /// # Errors
    /// Something has come to be in its place; those of the system.
    pub(super) fn publish(&mut self) -> io::Result<()> {
        let Some(mut draft) = self.draft.take() else { return Ok(()) };
        writeln!(draft, "{}", serde_json::to_string(&self.whereabouts)?)?;
        draft.persist_noclobber(&self.path).map_err(|failed| match failed.error.kind() {
            io::ErrorKind::AlreadyExists => in_the_way("a file came to be there meanwhile; choose another"),
            _ => failed.error,
        })?;
        Ok(())
    }

    fn remove(&self) {
        // Gone already is gone; anything else shows when the next one is to be written.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        // Another supervisor may have put its own there.
        if Whereabouts::read(&self.path).as_ref() == Some(&self.whereabouts) {
            self.remove();
        }
    }
}

fn in_the_way(text: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::AlreadyExists, text.into())
}

/// The same for every way to a file, as far as its folder is there.
fn real(path: &Path) -> PathBuf {
    let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
    folder.zip(path.file_name()).map_or_else(|| path.to_owned(), |(folder, name)| folder.join(name))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn whereabouts(folder: &Path, pid: u32) -> Whereabouts {
        Whereabouts { pid, socket: folder.join("s.sock"), db: folder.join("q.db") }
    }

    #[test]
    fn it_is_there_whole_between_the_opening_and_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ready.json");
        let said = |pid| serde_json::to_string(&whereabouts(Path::new("/f"), pid)).unwrap() + "\n";
        assert_eq!(said(7), "{\"pid\":7,\"socket\":\"/f/s.sock\",\"db\":\"/f/q.db\"}\n");
        fs::write(&path, said(6)).unwrap();
        let mut file = ReadyFile::prepare(&path, whereabouts(Path::new("/f"), 7)).unwrap();
        assert!(path.exists(), "another supervisor may hold the database");
        file.forget_former();
        assert!(!path.exists());
        file.publish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), said(7));
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        drop(file);
        assert_eq!(folder.path().read_dir().unwrap().count(), 0, "nothing is left");
    }

    #[test]
    fn only_its_own_is_removed_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ready.json");
        let prepare = |pid| ReadyFile::prepare(&path, whereabouts(folder.path(), pid)).unwrap();
        let publish = |mut file: ReadyFile| {
            file.forget_former();
            file.publish().unwrap();
            file
        };
        drop(publish(prepare(7)));
        assert!(!path.exists());
        let (first, second) = (publish(prepare(7)), publish(prepare(8)));
        drop(first);
        assert_eq!(Whereabouts::read(&path), Some(whereabouts(folder.path(), 8)));
        drop(second);
        let never = prepare(7);
        fs::write(&path, "somebody else's").unwrap();
        never.forget_former();
        drop(never);
        assert_eq!(fs::read_to_string(&path).unwrap(), "somebody else's");
        fs::remove_file(&path).unwrap();
        let mut late = prepare(7);
        fs::write(&path, "came meanwhile").unwrap();
        assert!(late.publish().unwrap_err().to_string().contains("choose another"));
        drop(late);
        assert_eq!(fs::read_to_string(&path).unwrap(), "came meanwhile");
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn a_place_that_is_not_for_it_is_refused_early_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("sub")).unwrap();
        symlink(folder.path(), at("way")).unwrap();
        symlink("nowhere", at("link")).unwrap();
        let alike = serde_json::to_string(&whereabouts(folder.path(), 7)).unwrap();
        let long = alike.clone() + &" ".repeat(FILE_BYTES_MAX as usize);
        let more = alike.replacen('{', "{\"more\":1,", 1);
        let others =
            [("empty", ""), ("array", r#"[7,"/s","/q"]"#), ("less", r#"{"pid":7}"#), ("more", &more), ("long", &long)];
        for (name, text) in others {
            fs::write(at(name), text).unwrap();
        }
        let taken =
            ["q.db", "q.db-wal", "q.db-shm", "q.db-journal", "q.db.lock", "s.sock", "sub/../q.db", "way/s.sock"];
        let table = taken.map(|name| (name, "it belongs to the database")).into_iter();
        let table = table.chain(others.map(|(name, _)| (name, "no supervisor wrote what is there")));
        let table = table.chain([
            ("link", "no supervisor wrote what is there"),
            ("sub", "it is a folder"),
            ("no/ready", "/no takes no file (entity not found)"),
        ]);
        let count = folder.path().read_dir().unwrap().count();
        for (name, why) in table {
            let told = ReadyFile::prepare(&at(name), whereabouts(folder.path(), 7)).unwrap_err().to_string();
            assert!(told.contains(why) && told.contains("choose another"), "{name}: {told}");
        }
        assert_eq!(folder.path().read_dir().unwrap().count(), count);
        assert!(others.iter().all(|(name, text)| fs::read_to_string(at(name)).unwrap() == *text));
    }
}
