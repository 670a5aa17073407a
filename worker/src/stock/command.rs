//! One command, from its start to the death of all that belongs to it. What its end means is decided in `verdict`.

use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use ipc_contract::{CommandArgs, StopReason, limits};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use wait4::Wait4;

use crate::context::Context;
use crate::failure::Failure;
use crate::handler::Output;
use crate::stdio::without_channel;
use crate::stop::StopSign;

use super::capture::Captured;
use super::keeper::Keeper;
use super::leftovers;
use super::stream::Stream;
use super::verdict::{End, judge};

/// What MessagePack puts before a text or a binary of this size: one byte for the type, four for the length.
const RESULT_HEADER_BYTES: usize = 5;

/// Of the stdout of a command, what its result keeps.
const STDOUT_MAX_BYTES: usize = limits::RESULT_BYTES.default as usize - RESULT_HEADER_BYTES;

/// Runs a command to its end, and to the end of everything below it.
pub(super) fn run(context: &Context, keeper: &Keeper, args: &CommandArgs) -> Result<Output, Failure> {
    args.validate().map_err(|error| Failure::from(error).never())?;
    let mut running = keeper
        .adopt(|| Running::start(args).map(|running| (running.leader, running)))
        .map_err(|error| Failure::new(cannot_start(args, &error)))?;
    let attended = running.attend(context.stop_sign(), keeper);
    if attended.is_err() {
        // Nobody watches it any more, so it may not go on.
        keeper.kill();
    }
    let (end, stdout) = running.settle(keeper, context.stop_reason())?;
    attended?;
    judge(&end, &stdout)
}

/// A command that was started and is not reaped yet.
struct Running {
    child: Child,
    leader: Pid,
    /// Readable once the first process is dead.
    death: OwnedFd,
    stdout: Stream,
}

/// What a wait has ended with.
struct Seen {
    death: bool,
    output: bool,
    stop: bool,
    /// The log takes more.
    room: bool,
}

impl Running {
    fn start(args: &CommandArgs) -> io::Result<Self> {
        let mut child = command(args).spawn()?;
        match watch(&mut child) {
            Ok((leader, death, stdout)) => Ok(Self { child, leader, death, stdout }),
            Err(error) => {
                // It could not be stopped later, so it may not begin. The first error is the one to tell.
                let _ = child.kill();
                let _ = child.wait();
                Err(error)
            }
        }
    }

    /// Reads what the command prints until its first process is dead. Once it shall stop: SIGTERM to the group at once, SIGKILL
    /// at half of the grace, for at its end this worker is killed itself.
    fn attend(&mut self, sign: &StopSign, keeper: &Keeper) -> io::Result<()> {
        let wake = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        let raised = Arc::clone(&wake);
        sign.listen(Box::new(move || {
            let _ = rustix::io::write(&*raised, &1_u64.to_ne_bytes());
        }));
        let (mut stopping, mut kill_at) = (false, None);
        loop {
            let seen = self.wait((!stopping).then_some(&*wake), kill_at)?;
            if seen.death {
                return Ok(());
            }
            if seen.output {
                self.stdout.read()?;
            }
            if seen.room {
                self.stdout.pass_on();
            }
            if let (true, Some(order)) = (seen.stop, sign.get()) {
                stopping = true;
                keeper.terminate();
                kill_at = Instant::now().checked_add(order.grace / 2);
            }
            if kill_at.is_some_and(|at| at <= Instant::now()) {
                keeper.kill();
                kill_at = None;
            }
        }
    }

    /// Waits for the first of: death, output, the sign to stop while it is of interest, room in the log, the time to kill.
    fn wait(&self, sign: Option<&OwnedFd>, until: Option<Instant>) -> io::Result<Seen> {
        let timeout = until
            .map(|at| Timespec::try_from(at.saturating_duration_since(Instant::now())))
            .transpose()
            .map_err(io::Error::other)?;
        // A place that nothing is awaited at watches for death as well: that wakes no earlier, and death is looked at first.
        let death = self.death.as_fd();
        let (source, sign, sink) = (self.stdout.source(), sign.map(AsFd::as_fd), self.stdout.sink());
        let room = if sink.is_some() { PollFlags::OUT } else { PollFlags::IN };
        let places = [(Some(death), PollFlags::IN), (source, PollFlags::IN), (sign, PollFlags::IN), (sink, room)];
        let mut fds = places.map(|(fd, wanted)| PollFd::from_borrowed_fd(fd.unwrap_or(death), wanted));
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let [death, output, stop, room] = fds.map(|fd| !fd.revents().is_empty());
        Ok(Seen { death, output, stop, room })
    }

    /// Kills what is left of the group, reaps the first process, kills all that is left below, reads what is left in the pipe.
    fn settle(self, keeper: &Keeper, reason: Option<StopReason>) -> io::Result<(End, Captured)> {
        let told_to_stop = keeper.release();
        let usage = self.child.wait4()?;
        leftovers::kill_all()?;
        Ok((End { usage, told_to_stop, reason }, self.stdout.finish()?))
    }
}

fn command(args: &CommandArgs) -> Command {
    let mut command = Command::new(program(args));
    command.args(args.argv.iter().skip(1)).envs(&args.env).stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0);
    without_channel(&mut command);
    if let Some(folder) = &args.cwd {
        command.current_dir(folder);
    }
    command
}

fn watch(child: &mut Child) -> io::Result<(Pid, OwnedFd, Stream)> {
    let leader = Pid::from_child(child);
    let death = pidfd_open(leader, PidfdFlags::empty())?;
    Ok((leader, death, Stream::new(child.stdout.take(), STDOUT_MAX_BYTES)?))
}

fn program(args: &CommandArgs) -> &str {
    args.argv.first().map_or("", String::as_str)
}

fn cannot_start(args: &CommandArgs, error: &io::Error) -> String {
    let program = program(args);
    let folder = args.cwd.as_deref().unwrap_or("the folder of the worker");
    match error.kind() {
        _ if args.cwd.as_ref().is_some_and(|folder| !Path::new(folder).is_dir()) => {
            format!("cannot start `{program}` in {folder}: there is no such folder")
        }
        ErrorKind::NotFound => format!(
            "cannot start `{program}` in {folder}: there is no such program; install it, give its path, or check the \
             interpreter that its first line names"
        ),
        ErrorKind::PermissionDenied => {
            format!("cannot start `{program}` in {folder}: it may not be executed; check its mode and its owner")
        }
        _ => format!("cannot start `{program}` in {folder}: {error}"),
    }
}
