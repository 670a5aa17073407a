//! The removal of a folder with all that is in it, whatever a worker has made of it: no link is followed, no path is longer than
//! two names, and neither stack nor descriptors grow with its depth. What is deep is lifted up first.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nix::unistd::geteuid;
use rustix::fs::{AtFlags, Dir, Mode, OFlags, chmodat, openat, renameat, unlinkat};
use rustix::io::Errno;

/// Looks at the topmost folder; each takes away a level of depth at least. Who makes folders faster than that is alive.
const PASSES_MAX: usize = 1_000_000;

/// Removes what has this name in `parent`, be it a file, a link or a folder. What is gone already is no error.
///
/// # Errors
/// The first thing that cannot be removed; everything else is.
pub fn clear(parent: impl AsFd, name: &CStr) -> io::Result<()> {
    if remove(&parent, name)? {
        return Ok(());
    }
    let top = open(&parent, name)?;
    let mut lifted = Lifted { prefix: fastrand::u64(..), count: 0 };
    for _ in 0..PASSES_MAX {
        let (mut progress, mut stuck) = (false, None);
        for entry in names(&top)? {
            match remove_or_lift(&top, &entry, &mut lifted) {
                Ok(()) => progress = true,
                Err(error) => stuck = stuck.or(Some(error)),
            }
        }
        match (progress, stuck) {
            (false, None) => return Ok(unlinkat(&parent, name, AtFlags::REMOVEDIR)?),
            (false, Some(error)) => return Err(error.into()),
            (true, _) => {}
        }
    }
    Err(io::Error::other("somebody makes new folders in it all the time"))
}

/// Names for what is lifted, which nobody can have guessed.
struct Lifted {
    prefix: u64,
    count: u64,
}

impl Lifted {
    fn next(&mut self) -> CString {
        self.count += 1;
        // Digits and points hold no zero byte.
        CString::new(format!(".{:016x}.{}", self.prefix, self.count)).unwrap_or_default()
    }
}

/// Removes an entry of the topmost folder; the folders in it come up to stand beside it.
fn remove_or_lift(top: &OwnedFd, name: &CStr, lifted: &mut Lifted) -> Result<(), Errno> {
    if remove(top, name)? {
        return Ok(());
    }
    let folder = open(top, name)?;
    for inner in names(&folder)? {
        if !remove(&folder, &inner)? {
            unlock(&folder, &inner)?;
            renameat(&folder, &inner, top, lifted.next())?;
        }
    }
    unlinkat(top, name, AtFlags::REMOVEDIR)
}

/// False when it is a folder that is not empty.
fn remove(parent: impl AsFd, name: &CStr) -> Result<bool, Errno> {
    let refused = match unlinkat(&parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(true),
        Err(error) => error,
    };
    if refused != Errno::ISDIR && refused != Errno::PERM {
        return Err(refused);
    }
    match unlinkat(&parent, name, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => Ok(true),
        Err(Errno::NOTEMPTY | Errno::EXIST) => Ok(false),
        // A file that may not be removed.
        Err(Errno::NOTDIR) => Err(refused),
        Err(error) => Err(error),
    }
}

fn open(parent: impl AsFd, name: &CStr) -> Result<OwnedFd, Errno> {
    unlock(&parent, name)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(&parent, name, flags, Mode::empty())
}

/// A folder of our own may be closed to us. Root needs no key, and must not be led elsewhere by a link.
fn unlock(parent: impl AsFd, name: &CStr) -> Result<(), Errno> {
    if geteuid().is_root() { Ok(()) } else { chmodat(parent, name, Mode::RWXU, AtFlags::empty()) }
}

/// As of one moment: what comes meanwhile is seen by the next pass.
fn names(folder: &OwnedFd) -> Result<impl Iterator<Item = CString>, Errno> {
    let entries = Dir::read_from(folder)?;
    let named = entries.map_while(Result::ok).map(|entry| entry.file_name().to_owned());
    Ok(named.filter(|name| ![c".", c".."].contains(&name.as_c_str())))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::fs::{self, File, Permissions, set_permissions};
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn all_is_removed_and_no_link_is_followed() {
        let outer = tempfile::tempdir().unwrap();
        let at = |name: &str| outer.path().join(name);
        fs::create_dir_all(at("victim/inner")).unwrap();
        fs::write(at("victim/inner/kept"), "").unwrap();
        fs::create_dir_all(at("own/a/b/c")).unwrap();
        for (target, link) in [("victim", "own/link"), ("victim/inner/kept", "own/a/b/link"), ("gone", "own/a/link")] {
            symlink(at(target), at(link)).unwrap();
        }
        fs::write(at("own/a/b").join(OsStr::from_bytes(b"\xff\n")), "x").unwrap();
        for folder in ["own/a/b", "own/a"] {
            set_permissions(at(folder), Permissions::from_mode(0o000)).unwrap();
        }
        symlink(at("victim"), at("link")).unwrap();
        let parent = File::open(outer.path()).unwrap();
        for name in [c"own", c"link", c"gone"] {
            clear(&parent, name).unwrap();
        }
        assert!(!at("own").exists() && at("link").symlink_metadata().is_err());
        assert!(at("victim/inner/kept").exists());
    }

    #[test]
    fn depth_costs_neither_stack_nor_descriptors() {
        /// Far beyond what a path can name.
        const DEPTH: usize = 2_000;
        let outer = tempfile::tempdir().unwrap();
        let parent = File::open(outer.path()).unwrap();
        rustix::fs::mkdirat(&parent, c"deep", Mode::RWXU).unwrap();
        let mut folder = open(&parent, c"deep").unwrap();
        for _ in 0..DEPTH {
            for name in [c"d", c"beside"] {
                rustix::fs::mkdirat(&folder, name, Mode::RWXU).unwrap();
            }
            folder = open(&folder, c"d").unwrap();
        }
        drop(folder);
        clear(&parent, c"deep").unwrap();
        assert_eq!(fs::read_dir(outer.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_cannot_be_removed_is_told_and_holds_up_nothing_else() {
        if !geteuid().is_root() {
            eprintln!("skipped: only root can make what it cannot remove at once, a mount");
            return;
        }
        let outer = tempfile::tempdir().unwrap();
        let at = |name: &str| outer.path().join(name);
        fs::create_dir_all(at("own/mount")).unwrap();
        fs::create_dir_all(at("own/beside/x")).unwrap();
        let mounted = std::process::Command::new("mount").args(["-t", "tmpfs", "none"]).arg(at("own/mount")).status();
        if !mounted.is_ok_and(|status| status.success()) {
            eprintln!("skipped: nothing can be mounted here");
            return;
        }
        let parent = File::open(outer.path()).unwrap();
        let error = clear(&parent, c"own").unwrap_err();
        let names: Vec<_> = fs::read_dir(at("own")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        std::process::Command::new("umount").arg(at("own/mount")).status().unwrap();
        assert_eq!((error.kind(), names), (io::ErrorKind::ResourceBusy, vec!["mount".into()]));
        clear(&parent, c"own").unwrap();
    }
}
