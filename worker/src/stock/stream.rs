//! The pipe that a command prints to, read without ever waiting for it. What is kept of it is decided in `capture`; all of it
//! goes to the log.

use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::ChildStdout;
use std::time::{Duration, Instant};

use rustix::io::ioctl_fionbio;
use rustix::stdio::stderr;

use super::capture::{Captured, Tail};
use super::echo::Echo;

/// What is read from a command at once.
const READ_CHUNK_BYTES: usize = 64 * 1024;

/// What is read after the death of a command: as much as a pipe can hold, so that a writer which escaped cannot go on for ever.
const REST_MAX_BYTES: usize = 1024 * 1024;

/// How long the log is waited for after the death of a command.
const LOG_WAIT: Duration = Duration::from_secs(1);

pub(super) struct Stream {
    /// `None` once it was read to its end.
    pipe: Option<ChildStdout>,
    tail: Tail,
    echo: Echo,
}

impl Stream {
    /// Keeps the last `max_bytes` of what comes.
    pub(super) fn new(pipe: Option<ChildStdout>, max_bytes: usize) -> io::Result<Self> {
        if let Some(pipe) = &pipe {
            ioctl_fionbio(pipe, true)?;
        }
        Ok(Self { pipe, tail: Tail::new(max_bytes), echo: Echo::default() })
    }

    /// What to poll for more, while more can come.
    pub(super) fn source(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// What to poll for room, while the log has not taken all.
    pub(super) fn sink(&self) -> Option<BorrowedFd<'_>> {
        (!self.echo.is_empty()).then(stderr)
    }

    /// Hands on what the sink has room for.
    pub(super) fn pass_on(&mut self) {
        self.echo.write(stderr(), Instant::now());
    }

    /// Reads once; how many bytes it found, 0 when there are none now or never again.
    pub(super) fn read(&mut self) -> io::Result<usize> {
        let Some(pipe) = &mut self.pipe else { return Ok(0) };
        let mut chunk = [0; READ_CHUNK_BYTES];
        match pipe.read(&mut chunk) {
            Ok(0) => {
                self.pipe = None;
                Ok(0)
            }
            Ok(size_bytes) => {
                self.tail.push(&chunk[..size_bytes]);
                self.echo.push(&chunk[..size_bytes]);
                Ok(size_bytes)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// Reads what the pipe still holds and closes it; hands the log what it takes within a limit.
    pub(super) fn finish(mut self) -> io::Result<Captured> {
        let mut rest_bytes = 0;
        while rest_bytes < REST_MAX_BYTES {
            match self.read()? {
                0 => break,
                size_bytes => rest_bytes += size_bytes,
            }
        }
        self.echo.write(stderr(), Instant::now() + LOG_WAIT);
        Ok(self.tail.finish())
    }
}
