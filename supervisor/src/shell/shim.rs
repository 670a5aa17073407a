//! The exec shim: what a worker's process does to itself before it becomes the worker. Runs in its own process, one thread.
//!
//! The order matters: own session first, so that the group can be signalled; what takes rights before they are given up; the
//! parent-death signal after that, since a change of the user clears it, and then a look whether the parent is still there,
//! since a parent that died before arming is not noticed otherwise. What confines a worker further
//! (Landlock, seccomp) belongs after that; namespaces belong before the change of the user.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::RawFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use ipc_contract::frame::encode;
use ipc_contract::message::{Bye, FromWorker};
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{AccessFlags, Gid, Uid, eaccess, getppid, setgid, setgroups, setsid, setuid};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::setpriority_process;
use rustix::stdio::{dup2_stdin, dup2_stdout, stderr, stdout};

use super::exec::become_program;
use super::plan::Plan;
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

/// A process of this one that carries out `plan` and becomes the program of `argv`.
///
/// # Errors
/// A path of the plan is not UTF-8.
pub fn command(plan: &Plan, argv: impl IntoIterator<Item = impl AsRef<OsStr>>) -> io::Result<Command> {
    let mut command = Command::new(OWN_BINARY);
    command.arg0("mutirao-shim").args([SHIM, &serde_json::to_string(plan)?, "--"]).args(argv);
    Ok(command)
}

/// `shim PLAN -- PROGRAM ARGS`. Only returns when the program could not be started.
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

/// One thing that the process does to itself.
struct Step {
    /// Behind "cannot".
    what: &'static str,
    /// What can be done when the system refuses.
    way_out: &'static str,
    take: fn(&Plan) -> io::Result<()>,
}

const fn step(what: &'static str, way_out: &'static str, take: fn(&Plan) -> io::Result<()>) -> Step {
    Step { what, way_out, take }
}

/// In this order.
const STEPS: [Step; 15] = [
    step("begin a session", "", |_| Ok(setsid().map(|_| ())?)),
    step("become a subreaper", "", |_| Ok(prctl::set_child_subreaper(true)?)),
    step("restore its signals", "", |_| restore_signals()),
    step("move the channel", "", separate_channel),
    step("close what is not its own", "", close_rest),
    step(
        "join its cgroup",
        "see what `supervisor system` says of cgroups, or say [host] cgroup = \"off\"",
        join_cgroup,
    ),
    step("set its limits", "correct the pool's `limits`", set_limits),
    step("be the first to go", "", go_first),
    step("set its priority", "only root may set `nice` below 0", set_nice),
    step("set its umask", "", set_umask),
    step("become its user", "start the supervisor as root, or drop the pool's `user`", become_user),
    step("use its temporary folder", "give the supervisor a TMPDIR that the pool's `user` may enter", reach_temp),
    step("arm the parent-death signal", "", |_| Ok(prctl::set_pdeathsig(Signal::SIGKILL)?)),
    step("begin", "", see_parent),
    step("give up new privileges", "", |_| Ok(prctl::set_no_new_privs()?)),
];

fn become_worker(args: &[OsString]) -> Result<std::convert::Infallible, String> {
    let stranger = || "the shim is started by the supervisor only".to_owned();
    let [plan, dashes, program, rest @ ..] = args else { return Err(stranger()) };
    let plan = plan.to_str().filter(|_| dashes == "--").and_then(|text| serde_json::from_str::<Plan>(text).ok());
    let plan = plan.ok_or_else(stranger)?;
    for Step { what, way_out, take } in &STEPS {
        let told = |error| format!("cannot {what}: {error}{}{way_out}", if way_out.is_empty() { "" } else { "; " });
        take(&plan).map_err(told)?;
    }
    // The name is for people who look at the list of processes.
    let name = if program == OWN_BINARY { OsStr::new("supervisor") } else { program };
    let argv = Vec::from_iter(std::iter::once(name).chain(rest.iter().map(OsString::as_os_str)));
    let Err(error) = become_program(program, &argv);
    let folder = std::env::current_dir().unwrap_or_default();
    let (program, folder) = (program.to_string_lossy(), folder.display());
    let whose = plan.identity.map(|identity| format!(" as {}", identity.name)).unwrap_or_default();
    Err(format!("cannot start '{program}' in {folder}{whose}: {error}; check the pool's `command`"))
}

/// Dispositions and mask are inherited: what the supervisor ignores or blocks, a worker would be deaf to.
#[allow(unsafe_code)]
fn restore_signals() -> io::Result<()> {
    for number in 1..=64 {
        // SAFETY: SIG_DFL is always a valid disposition; numbers that cannot be set are refused by the kernel.
        unsafe { libc::signal(number, libc::SIG_DFL) };
    }
    Ok(sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?)
}

/// Stdin and stdout become what they are for any program that has no channel there: nothing to read, and the log.
#[allow(unsafe_code)]
fn separate_channel(plan: &Plan) -> io::Result<()> {
    if plan.channel == Channel::Stdio {
        return Ok(());
    }
    for (from, to) in CHANNEL_FD3.into_iter().enumerate() {
        // SAFETY: this process was started with three descriptors and owns no other below `FREE_DESCRIPTOR_MIN`.
        if unsafe { libc::dup2(from as RawFd, to) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    dup2_stdin(File::open("/dev/null")?)?;
    Ok(dup2_stdout(stderr())?)
}

fn join_cgroup(plan: &Plan) -> io::Result<()> {
    // Zero stands for the one who writes.
    plan.cgroup.as_ref().map_or(Ok(()), |group| std::fs::write(group.join("cgroup.procs"), "0"))
}

/// The hard limits as well, so that no worker raises its own. A core is a copy of what it works on: none is written.
fn set_limits(plan: &Plan) -> io::Result<()> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, plan.open_files.min(hard), hard)?;
    let caps = [
        (Resource::RLIMIT_NOFILE, plan.open_files_max),
        (Resource::RLIMIT_CORE, Some(0)),
        (Resource::RLIMIT_FSIZE, plan.file_size_bytes),
        (Resource::RLIMIT_NPROC, plan.processes),
    ];
    for (resource, cap) in caps {
        if let Some(cap) = cap {
            let (_, hard) = getrlimit(resource)?;
            setrlimit(resource, cap.min(hard), cap.min(hard))?;
        }
    }
    Ok(())
}

/// Before the rights for it are gone.
fn go_first(_: &Plan) -> io::Result<()> {
    // Not everywhere allowed, and only a preference.
    let _ = std::fs::write("/proc/self/oom_score_adj", OOM_SCORE_ADJ);
    Ok(())
}

fn set_nice(plan: &Plan) -> io::Result<()> {
    plan.nice.map_or(Ok(()), |nice| Ok(setpriority_process(None, nice)?))
}

fn set_umask(plan: &Plan) -> io::Result<()> {
    umask(Mode::from_bits_truncate(plan.umask));
    Ok(())
}

/// Groups first: afterwards there is no right to change them.
fn become_user(plan: &Plan) -> io::Result<()> {
    let Some(identity) = &plan.identity else { return Ok(()) };
    let groups: Vec<Gid> = identity.groups.iter().copied().map(Gid::from_raw).collect();
    setgroups(&groups)?;
    setgid(Gid::from_raw(identity.gid))?;
    Ok(setuid(Uid::from_raw(identity.uid))?)
}

fn reach_temp(plan: &Plan) -> io::Result<()> {
    let reached = plan.temp.as_ref().map(|folder| eaccess(folder, AccessFlags::W_OK | AccessFlags::X_OK));
    Ok(reached.transpose().map(drop)?)
}

fn see_parent(plan: &Plan) -> io::Result<()> {
    let is_there = u32::try_from(getppid().as_raw()) == Ok(plan.parent);
    if is_there { Ok(()) } else { Err(io::Error::other("the supervisor died meanwhile")) }
}

/// Closes everything beyond the channel once the program begins.
#[allow(unsafe_code)]
fn close_rest(plan: &Plan) -> io::Result<()> {
    let first = match plan.channel {
        Channel::Stdio => CHANNEL_FD3[0],
        Channel::Fd3 => FREE_DESCRIPTOR_MIN,
    };
    // SAFETY: only sets a flag on descriptors that nothing here uses after exec. An old kernel refuses; ours are
    // close-on-exec already.
    unsafe {
        libc::close_range(first.unsigned_abs(), libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC as libc::c_int);
    }
    Ok(())
}

/// The version of Landlock that the kernel has; none when it has none, or it is switched off.
#[allow(unsafe_code)]
pub fn landlock_abi() -> Option<u32> {
    const ASK_VERSION: libc::c_ulong = 1;
    let nothing = std::ptr::null::<libc::c_void>();
    // SAFETY: with this flag the call reads no memory and makes nothing.
    let version = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, nothing, 0_usize, ASK_VERSION) };
    u32::try_from(version).ok().filter(|version| *version > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_the_steps_is_that_in_which_they_can_be_taken() {
        let at = |what: &str| STEPS.iter().position(|step| step.what == what).unwrap();
        let user = at("become its user");
        for before in ["join its cgroup", "set its limits", "be the first to go", "set its priority"] {
            assert!(at(before) < user, "{before}: needs rights");
        }
        assert!(user < at("arm the parent-death signal"), "a change of the user clears it");
        assert!(at("arm the parent-death signal") < at("begin"), "a parent that dies in between is not noticed");
    }

    #[test]
    fn strangers_are_told_off() {
        let args = |args: &[&str]| args.iter().map(OsString::from).collect::<Vec<_>>();
        for wrong in [&[][..], &["1", "2", "stdio", "--", "true"], &["{}", "--", "true"]] {
            let Err(told) = become_worker(&args(wrong));
            assert_eq!(told, "the shim is started by the supervisor only");
        }
    }
}
