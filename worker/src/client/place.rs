//! Where the supervisor listens: a socket as given, or the one that the lock file beside a database names. The text of that
//! file may be of a supervisor that is gone: connecting is the test.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;

const DB_DEFAULT: &str = "queue.db";

/// A lock file is one short JSON object.
const LOCK_MAX_BYTES: u64 = 64 * 1024;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Socket(PathBuf),
    Db(PathBuf),
}

impl Place {
    /// `MUTIRAO_SOCKET`, then `MUTIRAO_DB`, then `./queue.db`.
    pub(super) fn from_env() -> Self {
        Self::choose(env::var_os("MUTIRAO_SOCKET"), env::var_os("MUTIRAO_DB"))
    }

    fn choose(socket: Option<OsString>, db: Option<OsString>) -> Self {
        let given = |text: &OsString| !text.is_empty();
        match (socket.filter(given), db.filter(given)) {
            (Some(socket), _) => Self::Socket(socket.into()),
            (None, Some(db)) => Self::Db(db.into()),
            (None, None) => Self::Db(DB_DEFAULT.into()),
        }
    }

    /// The path of the socket as of now. Errors: no supervisor has written one.
    pub(super) fn socket_path(&self) -> io::Result<PathBuf> {
        match self {
            Self::Socket(path) => Ok(path.clone()),
            Self::Db(db) => {
                let lock = lock_path(db);
                socket_of(&lock).ok_or_else(|| {
                    io::Error::new(io::ErrorKind::NotFound, format!("no socket is named in {}", lock.display()))
                })
            }
        }
    }

    /// Message and hint for when nobody answers here.
    pub(super) fn missing(&self, error: &io::Error) -> (String, String) {
        match self {
            Self::Socket(path) => (
                format!("no supervisor answers at {}: {error}", path.display()),
                "start one with `supervisor run`".to_owned(),
            ),
            Self::Db(db) => (
                format!("no supervisor is up for the database {}: {error}", db.display()),
                format!("start one with `supervisor run --db {}`, or name another database", db.display()),
            ),
        }
    }
}

/// The supervisor resolves links as well, so that one database has one lock.
fn lock_path(db: &Path) -> PathBuf {
    let mut path = fs::canonicalize(db).unwrap_or_else(|_| db.to_owned()).into_os_string();
    path.push(".lock");
    path.into()
}

fn socket_of(lock: &Path) -> Option<PathBuf> {
    #[derive(Deserialize)]
    struct Holder {
        socket: Option<PathBuf>,
    }
    let mut text = Vec::new();
    File::open(lock).ok()?.take(LOCK_MAX_BYTES).read_to_end(&mut text).ok()?;
    serde_json::from_slice::<Holder>(&text).ok()?.socket
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_chooses() {
        let some = |text: &str| Some(OsString::from(text));
        for (socket, db, place) in [
            (some("s"), some("d"), Place::Socket("s".into())),
            (some(""), some("d"), Place::Db("d".into())),
            (None, None, Place::Db("queue.db".into())),
        ] {
            assert_eq!(Place::choose(socket, db), place);
        }
    }

    #[test]
    fn the_lock_file_names_the_socket() {
        let folder = tempfile::tempdir().unwrap();
        let (db, lock) = (folder.path().join("q.db"), folder.path().join("q.db.lock"));
        let socket = || Place::Db(db.clone()).socket_path().map_err(|error| error.kind());
        assert_eq!(socket(), Err(io::ErrorKind::NotFound));
        for (text, expected) in [
            ("", Err(io::ErrorKind::NotFound)),
            (r#"{"pid": 1, "socket": null}"#, Err(io::ErrorKind::NotFound)),
            (r#"{"pid": 1, "socket": "/run/q.sock"}"#, Ok("/run/q.sock".into())),
        ] {
            fs::write(&lock, text).unwrap();
            assert_eq!(socket(), expected, "{text}");
        }
        let link = folder.path().join("link.db");
        fs::write(&db, "").unwrap();
        std::os::unix::fs::symlink(&db, &link).unwrap();
        assert_eq!(Place::Db(link).socket_path().unwrap(), PathBuf::from("/run/q.sock"));
    }
}
