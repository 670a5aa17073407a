//! The exec shim: what a worker's process does to itself before it becomes the worker. Runs in its own process, one thread.
//!
//! The order matters: own session first, so that the group can be signalled; the parent-death signal last, and then a look
//! whether the parent is still there, since a parent that died before arming is not noticed otherwise.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::RawFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use ipc_contract::frame::encode;
use ipc_contract::message::{Bye, FromWorker};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{getppid, setsid};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::stdio::{dup2_stdin, dup2_stdout, stderr, stdout};

use crate::config::Channel;

/// This very binary, whatever has become of its file since.
pub const OWN_BINARY: &str = "/proc/self/exe";
/// The word that makes our binary the shim.
pub const SHIM: &str = "shim";
/// Where the channel `fd3` is: what the worker reads, and what it writes.
const CHANNEL_FD3: [RawFd; 2] = [3, 4];
/// The first descriptor that is nobody's, on any channel.
const FREE_DESCRIPTOR_MIN: RawFd = 5;
/// Under memory pressure a worker goes before the supervisor.
const OOM_SCORE_ADJ: &str = "500";
/// What shells say of a program that could not be started.
const EXIT_NOT_STARTED: u8 = 127;

/// A process of this one that becomes the program of `argv` through the shim. `open_files` is its limit of open files.
pub fn command(open_files: u64, channel: Channel, argv: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let mut command = Command::new(OWN_BINARY);
    command.arg0("mutirao-shim").args([SHIM, &std::process::id().to_string(), &open_files.to_string()]);
    command.args([channel.name(), "--"]).args(argv);
    command
}

/// `shim PARENT_PID OPEN_FILES CHANNEL -- PROGRAM ARGS`. Only returns when the program could not be started.
pub fn main(args: Vec<OsString>) -> ExitCode {
    // Wherever the channel is moved to, this is where it ends.
    let channel = fcntl_dupfd_cloexec(stdout(), FREE_DESCRIPTOR_MIN);
    let Err(error) = become_worker(&args);
    let bye = FromWorker::Bye(Bye { spawn_error: Some(error) });
    if let (Ok(frame), Ok(channel)) = (encode(&bye), channel) {
        // With the channel gone there is nobody left to tell.
        let _ = File::from(channel).write_all(&frame);
    }
    ExitCode::from(EXIT_NOT_STARTED)
}

fn become_worker(args: &[OsString]) -> Result<std::convert::Infallible, String> {
    let stranger = || "the shim is started by the supervisor only".to_owned();
    let [parent, open_files, channel, dashes, program, rest @ ..] = args else { return Err(stranger()) };
    let number = |text: &OsString| text.to_str().and_then(|text| text.parse::<u64>().ok());
    let channel = channel.to_str().and_then(Channel::named).filter(|_| dashes == "--");
    let (Some(parent), Some(open_files), Some(channel)) = (number(parent), number(open_files), channel) else {
        return Err(stranger());
    };
    let told = |what: &'static str| move |error: nix::errno::Errno| format!("cannot {what}: {}", error.desc());
    setsid().map_err(told("begin a session"))?;
    nix::sys::prctl::set_child_subreaper(true).map_err(told("become a subreaper"))?;
    restore_signals();
    let kept = match channel {
        Channel::Stdio => CHANNEL_FD3[0],
        Channel::Fd3 => {
            move_channel().map_err(|error| format!("cannot move the channel: {error}"))?;
            FREE_DESCRIPTOR_MIN
        }
    };
    close_from(kept);
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).map_err(told("read the limit of open files"))?;
    setrlimit(Resource::RLIMIT_NOFILE, open_files.min(hard), hard).map_err(told("restore the limit of open files"))?;
    // Not everywhere allowed, and only a preference.
    let _ = std::fs::write("/proc/self/oom_score_adj", OOM_SCORE_ADJ);
    umask(Mode::from_bits_truncate(0o077));
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).map_err(told("arm the parent-death signal"))?;
    if u64::try_from(getppid().as_raw()) != Ok(parent) {
        return Err("the supervisor died meanwhile".to_owned());
    }
    nix::sys::prctl::set_no_new_privs().map_err(told("give up new privileges"))?;
    let mut command = Command::new(program);
    if program == OWN_BINARY {
        // For people who look at the list of processes.
        command.arg0("supervisor");
    }
    let error = command.args(rest).exec();
    let folder = std::env::current_dir().unwrap_or_default();
    let program = program.to_string_lossy();
    Err(format!("cannot start '{program}' in {}: {error}; check the pool's `command`", folder.display()))
}

/// Dispositions and mask are inherited: what the supervisor ignores or blocks, a worker would be deaf to.
#[allow(unsafe_code)]
fn restore_signals() {
    for number in 1..=64 {
        // SAFETY: SIG_DFL is always a valid disposition; numbers that cannot be set are refused by the kernel.
        unsafe { libc::signal(number, libc::SIG_DFL) };
    }
    // An empty mask is always accepted.
    let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None);
}

/// Stdin and stdout become what they are for any program that has no channel there: nothing to read, and the log.
#[allow(unsafe_code)]
fn move_channel() -> io::Result<()> {
    for (from, to) in CHANNEL_FD3.into_iter().enumerate() {
        // SAFETY: this process was started with three descriptors and owns no other below `FREE_DESCRIPTOR_MIN`.
        if unsafe { libc::dup2(from as RawFd, to) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    dup2_stdin(File::open("/dev/null")?)?;
    Ok(dup2_stdout(stderr())?)
}

/// Closes everything from this descriptor on, once the program begins.
#[allow(unsafe_code)]
fn close_from(first: RawFd) {
    // SAFETY: only sets a flag on descriptors that nothing here uses after exec. An old kernel refuses; ours are
    // close-on-exec already.
    unsafe {
        libc::close_range(first.unsigned_abs(), libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC as libc::c_int);
    }
}
