//! One worker process and its pipes, none of which ever blocks. Moves bytes and waits; knows no frames.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::ioctl_fionread;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, pidfd_open, waitid,
};

use super::{Channel, interrupt};

/// Turns the standard descriptors into those of `fd3`, then becomes the worker.
const MOVE_DESCRIPTORS: &str = r#"exec "$@" 3<&0 4>&1 0</dev/null 1>&2"#;

/// Read at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Code(i32),
    Signal(i32),
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "death by signal {signal}"),
        }
    }
}

/// What a read gave.
pub(super) enum Chunk {
    Bytes(Vec<u8>),
    NothingYet,
    End,
}

/// What to wait for beside the end of the process.
#[derive(Clone, Copy)]
pub(super) struct Interest {
    pub(super) read: bool,
    pub(super) stderr: bool,
    pub(super) write: bool,
}

/// A worker in a process group of its own, which is killed when this is dropped.
pub(super) struct Process {
    child: Child,
    pidfd: OwnedFd,
    pid: Pid,
    input: Option<ChildStdin>,
    output: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    exit: Option<Exit>,
}

impl Process {
    /// Starts the command with these variables set, or (`None`) not there.
    pub(super) fn start(
        command: &[OsString],
        channel: Channel,
        environment: &[(String, Option<String>)],
    ) -> io::Result<Self> {
        let mut starter = match (command, channel) {
            ([], _) => return Err(io::Error::new(io::ErrorKind::InvalidInput, "no command")),
            ([program, arguments @ ..], Channel::Stdio) => with_arguments(program, arguments),
            (whole, Channel::Fd3) => {
                let mut shell = with_arguments(OsStr::new("sh"), &["-c", MOVE_DESCRIPTORS, "sh"]);
                shell.args(whole);
                shell
            }
        };
        for (name, value) in environment {
            match value {
                Some(value) => starter.env(name, value),
                None => starter.env_remove(name),
            };
        }
        starter.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = interrupt::start(&mut starter)?;
        let pid = Pid::from_child(&child);
        let (input, output, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
        let process = Self { child, pidfd, pid, input, output, stderr, exit: None };
        for pipe in [
            process.input.as_ref().map(AsFd::as_fd),
            process.output.as_ref().map(AsFd::as_fd),
            process.stderr.as_ref().map(AsFd::as_fd),
        ]
        .into_iter()
        .flatten()
        {
            fcntl_setfl(pipe, OFlags::NONBLOCK)?;
        }
        Ok(process)
    }

    /// Waits until something of interest can go on, the process has ended, or the time is over.
    pub(super) fn wait(&self, interest: Interest, at_most: Duration) -> io::Result<()> {
        let mut of_interest = Vec::with_capacity(4);
        if self.exit.is_none() {
            of_interest.push(PollFd::new(&self.pidfd, PollFlags::IN));
        }
        if let Some(stderr) = self.stderr.as_ref().filter(|_| interest.stderr) {
            of_interest.push(PollFd::new(stderr, PollFlags::IN));
        }
        if let Some(output) = self.output.as_ref().filter(|_| interest.read) {
            of_interest.push(PollFd::new(output, PollFlags::IN));
        }
        if let Some(input) = self.input.as_ref().filter(|_| interest.write) {
            of_interest.push(PollFd::new(input, PollFlags::OUT));
        }
        let timeout = Timespec::try_from(at_most).map_err(io::Error::other)?;
        match poll(&mut of_interest, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// What has come over the channel.
    pub(super) fn read(&mut self) -> Chunk {
        read(&mut self.output)
    }

    pub(super) fn read_stderr(&mut self) -> Chunk {
        read(&mut self.stderr)
    }

    /// Writes what there is room for; `None` when nobody will read it any more.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Option<usize> {
        let input = self.input.as_mut()?;
        loop {
            return match input.write(bytes) {
                Ok(written) => Some(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Some(0),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => {
                    self.input = None;
                    None
                }
            };
        }
    }

    /// The worker sees the end of its input.
    pub(super) fn close_input(&mut self) {
        self.input = None;
    }

    /// The worker cannot write any more, not even once.
    pub(super) fn close_output(&mut self) {
        interrupt::close(self.output.take());
    }

    /// Bytes in the pipe that the worker has not read.
    pub(super) fn unread_bytes(&self) -> u64 {
        self.input.as_ref().and_then(|input| ioctl_fionread(input).ok()).unwrap_or_default()
    }

    pub(super) fn has_output(&self) -> bool {
        self.output.is_some()
    }

    pub(super) fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// The pipes of the channel, as `/proc` names them.
    pub(super) fn channel_pipes(&self) -> Vec<String> {
        let inode = |fd: rustix::fd::BorrowedFd<'_>| rustix::fs::fstat(fd).ok().map(|stat| stat.st_ino);
        let pipes = [self.input.as_ref().map(AsFd::as_fd), self.output.as_ref().map(AsFd::as_fd)];
        pipes.into_iter().flatten().filter_map(inode).map(|inode| format!("pipe:[{inode}]")).collect()
    }

    pub(super) fn terminate(&self) -> io::Result<()> {
        Ok(kill_process(self.pid, Signal::TERM)?)
    }

    /// How the process ended, once it has. It is reaped only when its group is killed: until then its number is taken.
    pub(super) fn exit(&mut self) -> Option<Exit> {
        if self.exit.is_none() {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            let status = waitid(WaitId::PidFd(self.pidfd.as_fd()), options).ok().flatten()?;
            self.exit = status.exit_status().map(Exit::Code).or(status.terminating_signal().map(Exit::Signal));
        }
        self.exit
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only for what is gone already.
        let _ = kill_process_group(self.pid, Signal::KILL);
        interrupt::ended(self.pid);
        let _ = self.child.wait();
    }
}

fn with_arguments<S: AsRef<OsStr>>(program: &OsStr, arguments: &[S]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

fn read(pipe: &mut Option<impl Read>) -> Chunk {
    let Some(open) = pipe else { return Chunk::End };
    let mut bytes = vec![0; CHUNK_BYTES];
    loop {
        return match open.read(&mut bytes) {
            Ok(0) => {
                *pipe = None;
                Chunk::End
            }
            Ok(count) => {
                bytes.truncate(count);
                Chunk::Bytes(bytes)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Chunk::NothingYet,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => {
                *pipe = None;
                Chunk::End
            }
        };
    }
}
