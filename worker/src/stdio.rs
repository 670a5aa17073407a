//! The only place that touches the channel to the supervisor, and the environment that describes it.

use std::env;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::process::Command;

use ipc_contract::{Booting, FromWorker, frame};
use nix::unistd::close;
use rustix::io::fcntl_dupfd_cloexec;
use rustix::stdio::{dup2_stdin, dup2_stdout, stderr, stdin, stdout};

use crate::error::{ErrorKind, WorkerError};

/// Set by the supervisor, echoed in `hello`: its absence means that the program was started by hand.
pub const COOKIE_VARIABLE: &str = "MUTIRAO_COOKIE";

/// Which descriptors are the channel; absent means `stdio`.
pub const CHANNEL_VARIABLE: &str = "MUTIRAO_CHANNEL";

/// Above the three standard descriptors, so that no later redirection hits the channel.
const PRIVATE_DESCRIPTOR_MIN: i32 = 3;

/// Where the channel is when it is not stdin and stdout.
const READING_DESCRIPTOR: i32 = 3;
const WRITING_DESCRIPTOR: i32 = 4;

/// Both ends of the conversation with the supervisor, on descriptors that no child inherits.
pub(crate) struct Channel {
    pub(crate) reader: File,
    pub(crate) writer: File,
    pub(crate) cookie: String,
}

impl Channel {
    /// Takes the channel away from the rest of the process. On stdin and stdout, reading finds nothing from then on, and
    /// printing goes to stderr, which is the log. To be called before user code. `None` when there is no supervisor, and then
    /// nothing is changed.
    pub(crate) fn take() -> Result<Option<Self>, WorkerError> {
        let Some(cookie) = env::var_os(COOKIE_VARIABLE) else { return Ok(None) };
        let channel = env::var_os(CHANNEL_VARIABLE).unwrap_or_else(|| "stdio".into());
        let taken = match channel.to_str() {
            Some("stdio") => take_stdio(),
            Some("fd3") => take_fd3(),
            _ => return Err(ErrorKind::UnknownChannel(channel.to_string_lossy().into_owned()).into()),
        };
        let (reader, writer) = taken.map_err(ErrorKind::Channel)?;
        Ok(Some(Self { reader, writer, cookie: cookie.to_string_lossy().into_owned() }))
    }

    /// Says "still starting". A failure is found again by whoever writes next.
    pub(crate) fn booting(&self) {
        if let Ok(frame) = frame::encode(&FromWorker::Booting(Booting {})) {
            let _ = (&self.writer).write_all(&frame);
        }
    }
}

fn take_stdio() -> io::Result<(File, File)> {
    let reader = fcntl_dupfd_cloexec(stdin(), PRIVATE_DESCRIPTOR_MIN)?;
    let writer = fcntl_dupfd_cloexec(stdout(), PRIVATE_DESCRIPTOR_MIN)?;
    dup2_stdin(File::open("/dev/null")?)?;
    dup2_stdout(stderr())?;
    Ok((File::from(reader), File::from(writer)))
}

/// A descriptor that is known by its number alone cannot be owned safely. So each pipe is opened once more, by its path, which
/// gives a descriptor that is closed on exec; then the one that children would inherit is closed.
fn take_fd3() -> io::Result<(File, File)> {
    let path = |descriptor: i32| format!("/proc/self/fd/{descriptor}");
    let reader = File::open(path(READING_DESCRIPTOR))?;
    let writer = OpenOptions::new().write(true).open(path(WRITING_DESCRIPTOR))?;
    close(READING_DESCRIPTOR)?;
    close(WRITING_DESCRIPTOR)?;
    Ok((reader, writer))
}

/// Takes out of the environment of a child what is meant for this process alone: a child that is itself a worker program was
/// started by hand, as far as it can know.
pub fn without_channel(command: &mut Command) -> &mut Command {
    command.env_remove(COOKIE_VARIABLE).env_remove(CHANNEL_VARIABLE)
}
