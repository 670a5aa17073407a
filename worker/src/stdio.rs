//! The only place that touches the channel to the supervisor, and the environment that describes it.

use std::env;
use std::fs::File;
use std::io;

use rustix::io::fcntl_dupfd_cloexec;
use rustix::stdio::{dup2_stdin, dup2_stdout, stderr, stdin, stdout};

use crate::error::{ErrorKind, WorkerError};

/// Set by the supervisor, echoed in `hello`: its absence means that the program was started by hand.
pub const COOKIE_VARIABLE: &str = "MUTIRAO_COOKIE";

/// Which descriptors are the channel; absent means `stdio`.
pub const CHANNEL_VARIABLE: &str = "MUTIRAO_CHANNEL";

const CHANNEL_STDIO: &str = "stdio";

/// Above the three standard descriptors, so that no later redirection hits the channel.
const PRIVATE_DESCRIPTOR_MIN: i32 = 3;

/// Both ends of the conversation with the supervisor, on descriptors that no child inherits.
pub(crate) struct Channel {
    pub(crate) reader: File,
    pub(crate) writer: File,
    pub(crate) cookie: String,
}

impl Channel {
    /// Takes stdin and stdout away from the rest of the process: reading finds nothing, printing goes to stderr, which is the
    /// log. To be called before user code. `None` when there is no supervisor, and then nothing is changed.
    pub(crate) fn take() -> Result<Option<Self>, WorkerError> {
        let Some(cookie) = env::var_os(COOKIE_VARIABLE) else { return Ok(None) };
        let channel = env::var_os(CHANNEL_VARIABLE).unwrap_or_else(|| CHANNEL_STDIO.into());
        if channel != CHANNEL_STDIO {
            return Err(ErrorKind::UnknownChannel(channel.to_string_lossy().into_owned()).into());
        }
        let (reader, writer) = move_descriptors().map_err(ErrorKind::Channel)?;
        Ok(Some(Self { reader, writer, cookie: cookie.to_string_lossy().into_owned() }))
    }
}

fn move_descriptors() -> io::Result<(File, File)> {
    let reader = fcntl_dupfd_cloexec(stdin(), PRIVATE_DESCRIPTOR_MIN)?;
    let writer = fcntl_dupfd_cloexec(stdout(), PRIVATE_DESCRIPTOR_MIN)?;
    dup2_stdin(File::open("/dev/null")?)?;
    dup2_stdout(stderr())?;
    Ok((File::from(reader), File::from(writer)))
}
