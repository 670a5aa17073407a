//! One process per database: an exclusive lock on a file of its own beside it, which says who holds it and where the
//! holder listens. The database itself is never opened here.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How long a holder that is about to let go is waited for.
pub const LOCK_WAIT_MS: u64 = 5_000;
/// The kernel cannot wait for a lock with a time limit, so it is tried this often.
const LOCK_RETRY_MS: u64 = 20;

/// What a holder does with the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Runs tasks, until it is stopped.
    Supervisor,
    /// Adds one task, within milliseconds.
    Enqueue,
}

/// The text of the lock file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub pid: u32,
    pub role: Role,
    /// Where a supervisor listens.
    pub socket: Option<PathBuf>,
}

impl Holder {
    /// Who wrote the lock file last. Whether that process still lives is not said: connect to its socket to know.
    pub fn read(db: &Path) -> Option<Holder> {
        serde_json::from_slice(&std::fs::read(lock_path(db)).ok()?).ok()
    }
}

/// The lock, held until it is dropped. The file stays: deleting it would let two processes hold two files of one name.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock of a database. A holder that only adds a task is waited for, at most [`LOCK_WAIT_MS`].
    ///
    /// # Errors
    /// `Held` by a supervisor, or by anybody after the wait; `Io` when the lock file cannot be opened or written.
    pub fn take(db: &Path, role: Role, socket: Option<&Path>) -> Result<Lock, LockError> {
        Lock::take_with(db, role, socket, || sleep(Duration::from_millis(LOCK_RETRY_MS)))
    }

    fn take_with(db: &Path, role: Role, socket: Option<&Path>, mut pause: impl FnMut()) -> Result<Lock, LockError> {
        let path = lock_path(db);
        let failed = |error| LockError { kind: LockErrorKind::Io(error), path: path.clone() };
        // Not truncated: the text belongs to the holder until the lock is ours.
        let file =
            OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(failed)?;
        let mut seen = None;
        for tries_left in (0..=LOCK_WAIT_MS / LOCK_RETRY_MS).rev() {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(failed(error)),
                Err(TryLockError::WouldBlock) => {}
            }
            let holder = Holder::read(db);
            // Seen twice, since a new holder needs a moment to replace the text of one that crashed.
            let is_staying = holder == seen && holder.as_ref().is_some_and(|holder| holder.role == Role::Supervisor);
            if is_staying || tries_left == 0 {
                return Err(LockError { kind: LockErrorKind::Held(holder), path });
            }
            seen = holder;
            pause();
        }
        let lock = Lock { file };
        let holder = Holder { pid: std::process::id(), role, socket: socket.map(Path::to_owned) };
        lock.write(&holder).map_err(failed)?;
        Ok(lock)
    }

    fn write(&self, holder: &Holder) -> io::Result<()> {
        self.file.set_len(0)?;
        (&self.file).write_all(serde_json::to_string(holder)?.as_bytes())
    }
}

impl Drop for Lock {
    /// A text that outlives its writer is read as one that crashed; nothing worse can follow from a failure here.
    fn drop(&mut self) {
        let _ = self.file.set_len(0);
    }
}

pub(super) fn lock_path(db: &Path) -> PathBuf {
    let mut path = db.as_os_str().to_owned();
    path.push(".lock");
    PathBuf::from(path)
}

/// The lock could not be had.
#[derive(Debug)]
pub struct LockError {
    pub kind: LockErrorKind,
    /// The lock file.
    pub path: PathBuf,
}

#[derive(Debug)]
pub enum LockErrorKind {
    /// Another process has it; unknown when it is just taking it or letting go.
    Held(Option<Holder>),
    Io(io::Error),
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.kind {
            LockErrorKind::Held(Some(Holder { pid, role: Role::Supervisor, .. })) => {
                write!(f, "the supervisor with pid {pid} holds {path}; use that one, or stop it first")
            }
            LockErrorKind::Held(Some(Holder { pid, role: Role::Enqueue, .. })) => {
                write!(f, "an enqueue with pid {pid} holds {path} for longer than {LOCK_WAIT_MS} ms; see what it does")
            }
            LockErrorKind::Held(None) => write!(f, "another process holds {path}; try again"),
            LockErrorKind::Io(error) => {
                let way_out = match error.kind() {
                    io::ErrorKind::StorageFull => "free some space",
                    io::ErrorKind::PermissionDenied => "be the user whom the database belongs to, or use another",
                    _ => "check that the folder exists and may be written to",
                };
                write!(f, "cannot use the lock file {path}: {error}; {way_out}")
            }
        }
    }
}

impl std::error::Error for LockError {}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_second_one_is_told_who_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let db = folder.path().join("q.db");
        assert_eq!(Holder::read(&db), None);
        let lock = Lock::take(&db, Role::Supervisor, Some(Path::new("/s"))).unwrap();
        let holder = Holder { pid: std::process::id(), role: Role::Supervisor, socket: Some("/s".into()) };
        assert_eq!(Holder::read(&db), Some(holder.clone()));
        let error = Lock::take(&db, Role::Enqueue, None).unwrap_err();
        assert!(matches!(&error.kind, LockErrorKind::Held(Some(found)) if *found == holder));
        assert!(error.to_string().contains(&format!("supervisor with pid {}", holder.pid)), "{error}");
        drop(lock);
        assert_eq!(Holder::read(&db), None, "nobody holds it any more");
        assert!(lock_path(&db).exists() && !db.exists());
        assert_eq!(lock_path(&db).metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let again = Lock::take(&db, Role::Enqueue, None).unwrap();
        assert_eq!(Holder::read(&db).unwrap().role, Role::Enqueue, "a shorter text replaces the longer one");
        drop(again);
    }

    #[test]
    fn an_enqueue_is_waited_for_but_not_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let db = folder.path().join("q.db");
        let mut first = Some(Lock::take(&db, Role::Enqueue, None).unwrap());
        let mut pauses = 0;
        let error = Lock::take_with(&db, Role::Supervisor, None, || pauses += 1).unwrap_err();
        assert!(error.to_string().starts_with("an enqueue with pid"), "{error}");
        assert_eq!(pauses, LOCK_WAIT_MS / LOCK_RETRY_MS);
        let second = Lock::take_with(&db, Role::Supervisor, None, || drop(first.take())).unwrap();
        assert_eq!(Holder::read(&db).unwrap().role, Role::Supervisor);
        drop(second);
    }

    #[test]
    fn the_text_of_a_crashed_supervisor_is_not_believed_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let db = folder.path().join("q.db");
        let mut taking = Some(File::create(lock_path(&db)).unwrap());
        taking.as_ref().unwrap().lock().unwrap();
        std::fs::write(lock_path(&db), r#"{"pid": 1, "role": "supervisor", "socket": null}"#).unwrap();
        Lock::take_with(&db, Role::Enqueue, None, || drop(taking.take())).unwrap();
    }

    #[test]
    fn a_folder_that_is_not_there_is_said() {
        let error = Lock::take(Path::new("/proc/none/q.db"), Role::Supervisor, None).unwrap_err();
        assert!(matches!(error.kind, LockErrorKind::Io(_)));
    }
}
