//! The application of a user: `client.py`, a process of its own that knows the package and where the queue is, no more.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::thread::Builder;

use nix::sys::resource::{Resource, getrlimit};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::sync::oneshot;

use super::package::CLIENT;
use super::python::PROGRAM;
use super::workspace::Workspace;
use crate::config::{Channel, Config};
use crate::shell::plan::Plan;
use crate::shell::shim;

/// The files that it is to ask for, as JSON.
const FILES: &str = "files.json";
/// What it prints, and its errors.
const LOG: &str = "client.log";
/// Of its log, what is shown.
const SAID_BYTES_MAX: u64 = 8 * 1024;
/// Some of its tasks are not completed: as the command line says it.
pub(super) const EXIT_TASK_FAILED: i32 = 20;

/// Killed when it is dropped.
pub(super) struct Application {
    pidfd: OwnedFd,
    ended: oneshot::Receiver<io::Result<ExitStatus>>,
    log: PathBuf,
}

impl Application {
    /// Asks for work on each of `files`. Starts before the supervisor, which takes later children of this process for
    /// orphans of its workers; the client waits until somebody answers.
    ///
    /// # Errors
    /// Those of the system.
    pub(super) fn start(workspace: &Workspace, config: &Config, files: &[String]) -> io::Result<Application> {
        let folder = workspace.folder();
        std::fs::write(folder.join(FILES), serde_json::to_vec(files)?)?;
        let log = folder.join(LOG);
        let output = File::create(&log)?;
        let (open_files, _) = getrlimit(Resource::RLIMIT_NOFILE)?;
        // Through the shim: it ends when this process does, and Ctrl-C is not for it.
        let mut child = shim::command(&Plan::plain(Channel::Stdio, open_files), [PROGRAM, CLIENT.0, FILES])?
            .current_dir(folder)
            .env("MUTIRAO_DB", &config.db)
            .env_remove("MUTIRAO_SOCKET")
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()?;
        let pidfd = pidfd_open(Pid::from_child(&child), PidfdFlags::empty())?;
        let (ending, ended) = oneshot::channel();
        // Nobody may want to know it any more.
        Builder::new().name("application".into()).spawn(move || drop(ending.send(child.wait())))?;
        Ok(Application { pidfd, ended, log })
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// Those of the system.
    pub(super) async fn ended(&mut self) -> io::Result<ExitStatus> {
        (&mut self.ended).await.map_err(io::Error::other)?
    }

    /// The last that it printed.
    ///
    /// # Errors
    /// Those of the system.
    pub(super) fn said(&self) -> io::Result<Vec<u8>> {
        let mut log = File::open(&self.log)?;
        let size_bytes = log.metadata()?.len();
        log.seek(SeekFrom::Start(size_bytes.saturating_sub(SAID_BYTES_MAX)))?;
        let mut said = Vec::new();
        log.take(SAID_BYTES_MAX).read_to_end(&mut said)?;
        Ok(said)
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        // It may have ended long ago.
        let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
    }
}
