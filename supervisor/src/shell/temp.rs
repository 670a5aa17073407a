//! A private folder for each worker's temporary files, and one for its secrets, below one folder of the database. What no living
//! worker has is removed by a thread of its own, since a worker may leave a million files: nobody waits for that.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::CString;
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, chown, fchown};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use queue_core::task::WorkerId;

use super::clear::clear;
use super::socket::make_private;
use crate::config::Identity;
use crate::config::env_file::read_bounded;

/// Others may pass through, to a folder of their own, and see nothing.
const PASSAGE_MODE: u32 = 0o711;
/// How the names of folders begin that are to be removed.
const ASIDE: &str = "old-";
/// How the name of a worker's folder for secrets ends, which stands beside the other one.
const SECRETS: &str = "-secrets";
/// What the end of the supervisor waits for the removal; the rest is for its next start.
const CLOSE_GRACE: Duration = Duration::from_secs(5);

/// The folders of all workers of one database.
#[derive(Clone)]
pub struct TempFolders(Arc<Shared>);

struct Shared {
    base: PathBuf,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    living: BTreeSet<WorkerId>,
    /// Somebody has left since the thread has looked last.
    wanted: bool,
    /// The thread is at it.
    busy: bool,
    closed: bool,
    /// What could not be removed: told once, and left alone until the next start.
    stuck: BTreeSet<String>,
}

/// What a worker finds in its folder.
#[derive(Debug)]
pub struct Made {
    /// For its temporary files.
    pub temp: PathBuf,
    /// By the variables that tell where they are.
    pub secrets: Vec<(String, PathBuf)>,
}

impl TempFolders {
    /// Takes possession of the folder below `parent`, under the lock of the database; what a former life left there is removed
    /// by and by. `alert` is told of each thing that cannot be.
    ///
    /// # Errors
    /// The folder cannot be made, or belongs to somebody else.
    pub fn open(parent: &Path, uid: &str, alert: impl Fn(String) + Send + 'static) -> io::Result<TempFolders> {
        let base = parent.join(format!("mutirao-{uid}"));
        make_private(&base)?;
        let state = Mutex::new(State { wanted: true, ..State::default() });
        let folders = TempFolders(Arc::new(Shared { base, state, changed: Condvar::new() }));
        let mine = folders.clone();
        std::thread::Builder::new().name("temp".into()).spawn(move || mine.sweep_on(alert))?;
        Ok(folders)
    }

    /// The folder of a new worker, which belongs to `owner`, with copies of these files.
    ///
    /// # Errors
    /// Those of the system; a secret that cannot be read. To be followed by [`TempFolders::leave`] in any case.
    pub fn make(
        &self,
        worker: WorkerId,
        owner: Option<&Identity>,
        secrets: &BTreeMap<String, PathBuf>,
    ) -> io::Result<Made> {
        // Whoever tidies up the folder for temporary files may have removed it.
        make_private(&self.0.base)?;
        let names = [name_of(worker), name_of(worker) + SECRETS];
        let mut state = self.state();
        state.living.insert(worker);
        // Of a worker that a former life has never recorded.
        for name in &names {
            self.set_aside(&state, name)?;
        }
        drop(state);
        let [temp, own] = names.map(|name| self.0.base.join(name));
        if owner.is_some() {
            std::fs::set_permissions(&self.0.base, Permissions::from_mode(PASSAGE_MODE))?;
        }
        make_dir(&temp, owner)?;
        if !secrets.is_empty() {
            make_dir(&own, owner)?;
        }
        let mut told = Vec::new();
        for (name, file) in secrets {
            let copy = own.join(name);
            let why = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", file.display()));
            let bytes = read_bounded(file).map_err(why)?;
            let mut made = OpenOptions::new().write(true).create_new(true).mode(0o400).open(&copy)?;
            made.write_all(&bytes)?;
            owner.map_or(Ok(()), |owner| fchown(&made, Some(owner.uid), Some(owner.gid)))?;
            told.push((format!("{name}_FILE"), copy));
        }
        Ok(Made { temp, secrets: told })
    }

    /// The worker is dead, and so is everything that it left.
    pub fn leave(&self, worker: WorkerId) {
        let mut state = self.state();
        state.living.remove(&worker);
        state.wanted = true;
        self.0.changed.notify_all();
    }

    /// What is there and belongs to no living worker, unless it is just being removed.
    pub fn strays(&self) -> Vec<String> {
        let state = self.state();
        if state.busy || state.wanted {
            return Vec::new();
        }
        let names = names_in(&self.0.base).unwrap_or_default();
        let strays = names.into_iter().filter(|name| !state.has(name));
        strays.map(|name| self.0.base.join(name).display().to_string()).collect()
    }

    /// No worker is left: waits a while until everything is removed.
    pub fn close(&self) {
        let until = Instant::now() + CLOSE_GRACE;
        let mut state = self.state();
        state.closed = true;
        self.0.changed.notify_all();
        while (state.busy || state.wanted) && Instant::now() < until {
            let left = until.saturating_duration_since(Instant::now());
            state = self.0.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(state);
        // With something in it, it stays for the next start.
        let _ = std::fs::remove_dir(&self.0.base);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives what has this name one that no worker will have, so that it can be removed while that name is given anew. Only
    /// who holds the state may do this.
    fn set_aside(&self, _: &State, name: &str) -> io::Result<String> {
        let aside = format!("{ASIDE}{name}-{:016x}", fastrand::u64(..));
        match std::fs::rename(self.0.base.join(name), self.0.base.join(&aside)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(aside),
        }
    }

    fn sweep_on(&self, alert: impl Fn(String)) {
        let mut state = self.state();
        loop {
            while !state.wanted {
                if state.closed {
                    return;
                }
                state = self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            (state.wanted, state.busy) = (false, true);
            drop(state);
            self.sweep(&alert);
            state = self.state();
            state.busy = false;
            self.0.changed.notify_all();
        }
    }

    fn sweep(&self, alert: &impl Fn(String)) {
        let Ok(base) = File::open(&self.0.base) else { return };
        for name in names_in(&self.0.base).unwrap_or_default() {
            let state = self.state();
            if state.has(&name) || state.stuck.contains(&name) {
                continue;
            }
            let aside = if name.starts_with(ASIDE) { Ok(name.clone()) } else { self.set_aside(&state, &name) };
            drop(state);
            let removed = aside.as_ref().map_err(ToString::to_string).and_then(|aside| {
                let name = CString::new(aside.as_bytes()).map_err(|error| error.to_string())?;
                clear(&base, &name).map_err(|error| error.to_string())
            });
            if let Err(error) = removed {
                let left = aside.unwrap_or(name);
                let path = self.0.base.join(&left);
                alert(format!("{} is left of a worker and cannot be removed: {error}", path.display()));
                self.state().stuck.insert(left);
            }
        }
    }
}

impl State {
    /// Whether the folder of this name is that of a living worker.
    fn has(&self, name: &str) -> bool {
        let number =
            name.strip_suffix(SECRETS).unwrap_or(name).strip_prefix('w').and_then(|number| number.parse().ok());
        number.map(WorkerId).is_some_and(|worker| self.living.contains(&worker))
    }
}

fn name_of(worker: WorkerId) -> String {
    format!("w{}", worker.0)
}

/// All of them are of our own making, since nobody else may write there.
fn names_in(folder: &Path) -> io::Result<Vec<String>> {
    Ok(std::fs::read_dir(folder)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect())
}

fn make_dir(path: &Path, owner: Option<&Identity>) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)?;
    owner.map_or(Ok(()), |owner| chown(path, Some(owner.uid), Some(owner.gid)))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;
    use std::sync::mpsc::sync_channel;

    use super::*;

    fn quiet(text: String) {
        panic!("{text}");
    }

    #[test]
    fn a_worker_has_a_folder_until_it_is_dead() {
        let outer = tempfile::tempdir().unwrap();
        let at = |name: &str| outer.path().join("mutirao-7").join(name);
        fs::create_dir_all(at("w1/left")).unwrap();
        fs::set_permissions(at(""), Permissions::from_mode(0o700)).unwrap();
        fs::write(outer.path().join("key"), "hunter2").unwrap();
        let folders = TempFolders::open(outer.path(), "7", quiet).unwrap();
        let secrets = [("KEY".to_owned(), outer.path().join("key"))].into();
        let made = folders.make(WorkerId(1), None, &secrets).unwrap();
        assert_eq!((&made.temp, &made.secrets[..]), (&at("w1"), &[("KEY_FILE".to_owned(), at("w1-secrets/KEY"))][..]));
        assert_eq!(fs::read_to_string(at("w1-secrets/KEY")).unwrap(), "hunter2");
        let modes = ["w1", "w1-secrets", "w1-secrets/KEY"].map(|name| at(name).metadata().unwrap().mode() & 0o777);
        assert_eq!(modes, [0o700, 0o700, 0o400]);
        assert_eq!(fs::read_dir(&made.temp).unwrap().count(), 0, "it is a new one");
        let other = folders.make(WorkerId(2), None, &BTreeMap::new()).unwrap();
        folders.leave(WorkerId(1));
        folders.close();
        assert!(
            !at("w1").exists() && !at("w1-secrets").exists() && other.temp.exists(),
            "only what nobody has is removed"
        );
        assert_eq!(names_in(&at("")).unwrap(), ["w2"], "and what a former life left");
    }

    #[test]
    fn a_secret_that_is_gone_is_named() {
        let outer = tempfile::tempdir().unwrap();
        let folders = TempFolders::open(outer.path(), "7", quiet).unwrap();
        let secrets = [("KEY".to_owned(), outer.path().join("gone"))].into();
        let error = folders.make(WorkerId(1), None, &secrets).unwrap_err().to_string();
        assert!(error.contains("/gone: No such file"), "{error}");
        folders.leave(WorkerId(1));
        folders.close();
        assert_eq!(fs::read_dir(outer.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_is_there_and_nobodys_is_a_stray() {
        let outer = tempfile::tempdir().unwrap();
        let (sender, alerts) = sync_channel(8);
        let folders = TempFolders::open(outer.path(), "7", move |text| drop(sender.send(text))).unwrap();
        folders.make(WorkerId(1), None, &BTreeMap::new()).unwrap();
        folders.leave(WorkerId(9));
        let mut state = folders.state();
        while state.busy || state.wanted {
            state = folders.0.changed.wait(state).unwrap();
        }
        drop(state);
        assert_eq!(folders.strays(), [""; 0]);
        fs::create_dir(outer.path().join("mutirao-7/w3")).unwrap();
        assert_eq!(folders.strays(), [outer.path().join("mutirao-7/w3").display().to_string()]);
        assert!(alerts.try_recv().is_err());
    }

    #[test]
    fn what_cannot_be_removed_is_told_once() {
        let outer = tempfile::tempdir().unwrap();
        let mounted = outer.path().join("mutirao-7/w1/m");
        fs::create_dir_all(&mounted).unwrap();
        fs::set_permissions(outer.path().join("mutirao-7"), Permissions::from_mode(0o700)).unwrap();
        let run = |args: &[&str]| std::process::Command::new(args[0]).args(&args[1..]).output();
        let mount = ["mount", "-t", "tmpfs", "none", &mounted.to_string_lossy()];
        if !run(&mount).is_ok_and(|ended| ended.status.success()) {
            return eprintln!("skipped: nothing can be mounted here, and all else can be removed");
        }
        let (sender, alerts) = sync_channel(8);
        let folders = TempFolders::open(outer.path(), "7", move |text| drop(sender.send(text))).unwrap();
        let told = alerts.recv().unwrap();
        folders.leave(WorkerId(9));
        folders.close();
        let now_at = format!("{}/m", told.split_once(" is left").unwrap().0);
        assert!(run(&["umount", &now_at]).unwrap().status.success());
        assert!(
            told.contains("mutirao-7/old-w1-") && told.contains(" is left of a worker and cannot be removed: "),
            "{told}"
        );
        assert!(alerts.try_recv().is_err(), "told once");
        assert_eq!(folders.strays().len(), 1);
    }

    #[test]
    fn a_base_that_was_tidied_away_is_made_anew() {
        let outer = tempfile::tempdir().unwrap();
        let folders = TempFolders::open(outer.path(), "7", quiet).unwrap();
        fs::remove_dir(outer.path().join("mutirao-7")).unwrap();
        assert!(folders.make(WorkerId(1), None, &BTreeMap::new()).unwrap().temp.is_dir());
        folders.leave(WorkerId(1));
        folders.close();
    }

    #[test]
    fn a_folder_of_somebody_else_is_not_taken() {
        let outer = tempfile::tempdir().unwrap();
        let base = outer.path().join("mutirao-7");
        fs::create_dir(&base).unwrap();
        fs::set_permissions(&base, Permissions::from_mode(0o777)).unwrap();
        assert!(
            TempFolders::open(outer.path(), "7", quiet)
                .is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
        );
    }
}
