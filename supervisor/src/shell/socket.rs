//! Where the supervisor of a database listens, and the opening of that door. What is said through it is in `http`.

use std::ffi::OsString;
use std::fs::{DirBuilder, Permissions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;

/// The kernel takes no longer path of a socket.
const SOCKET_PATH_BYTES_MAX: usize = 107;

/// The path for the socket of a database: beside it, or where paths are short. Clients read it from the lock file.
///
/// # Errors
/// The folder for a long path cannot be made, or belongs to somebody else.
pub fn socket_path(db: &Path) -> io::Result<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let private = std::env::temp_dir().join(format!("mutirao-{}", geteuid()));
    let Some(path) = candidates(db, runtime, &private).into_iter().find(|path| fits(path)) else {
        return Err(io::Error::other("every place for the socket has a path over 107 bytes; set a shorter TMPDIR"));
    };
    if path.parent() == Some(&private) {
        make_private(&private)?;
    }
    Ok(path)
}

/// Listens at a path that [`socket_path`] gave, for this user alone. To be called under the lock of the database: what a
/// former life left there is removed.
///
/// # Errors
/// Something else than a socket is in the way; those of the system.
pub fn listen(path: &Path) -> io::Result<UnixListener> {
    match path.symlink_metadata() {
        Ok(found) if found.file_type().is_socket() => std::fs::remove_file(path)?,
        Ok(_) => {
            let text = format!("{} is no socket and stands where the socket is to be; move it away", path.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
        }
        Err(_) => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// In order of preference.
fn candidates(db: &Path, runtime: Option<PathBuf>, private: &Path) -> Vec<PathBuf> {
    let mut beside: OsString = db.as_os_str().to_owned();
    beside.push(".sock");
    let mut hasher = DefaultHasher::new();
    db.as_os_str().as_bytes().hash(&mut hasher);
    let hash = hasher.finish();
    let mut list = vec![PathBuf::from(beside)];
    list.extend(runtime.map(|folder| folder.join(format!("mutirao-{hash:016x}.sock"))));
    list.push(private.join(format!("{hash:016x}.sock")));
    list
}

fn fits(path: &Path) -> bool {
    path.as_os_str().len() <= SOCKET_PATH_BYTES_MAX
}

/// In a folder that everybody may write to, somebody else may have been first. Others may at most pass through it.
pub(super) fn make_private(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => return made,
    }
    let found = folder.symlink_metadata()?;
    if found.is_dir() && found.uid() == geteuid().as_raw() && found.mode() & 0o066 == 0 {
        return Ok(());
    }
    let text = format!("{} is not a folder of this user alone; remove it, or set another TMPDIR", folder.display());
    Err(io::Error::new(io::ErrorKind::PermissionDenied, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_path_gives_way_to_a_short_one() {
        let private = Path::new("/tmp/mutirao-7");
        let long = format!("/{}", "d".repeat(102));
        let fitting = |db: &str, runtime: Option<&str>| {
            let found =
                candidates(Path::new(db), runtime.map(PathBuf::from), private).into_iter().find(|path| fits(path));
            found.unwrap().to_string_lossy().into_owned()
        };
        assert_eq!(fitting("/q/queue.db", Some("/run/user/7")), "/q/queue.db.sock");
        assert_eq!(fitting(&long[..102], None).len(), 107);
        assert!(fitting(&long, Some("/run/user/7")).starts_with("/run/user/7/mutirao-"));
        assert!(fitting(&long, None).starts_with("/tmp/mutirao-7/"));
        assert!(fitting(&long, Some(&long)).starts_with("/tmp/mutirao-7/"));
        assert_ne!(fitting(&long, None), fitting(&format!("{long}e"), None), "databases do not share a socket");
    }

    #[test]
    fn a_folder_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let private = folder.path().join("p");
        make_private(&private).unwrap();
        make_private(&private).unwrap();
        std::fs::set_permissions(&private, Permissions::from_mode(0o755)).unwrap();
        assert_eq!(make_private(&private).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        let link = folder.path().join("l");
        std::os::unix::fs::symlink(folder.path(), &link).unwrap();
        assert!(make_private(&link).is_err());
    }

    #[test]
    fn the_door_is_for_this_user_and_replaces_only_a_door() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        for _ in 0..2 {
            listen(&path).unwrap();
            assert_eq!(path.symlink_metadata().unwrap().mode() & 0o777, 0o600);
        }
        let file = folder.path().join("f");
        std::fs::write(&file, "mine").unwrap();
        assert_eq!(listen(&file).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }
}
