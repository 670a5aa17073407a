//! The one immortal thread that starts every worker and sees every death: the parent-death signal belongs to the parent
//! *thread*, and a child that is being born must not be taken for an orphan. It never waits for "any child".
//!
//! Each worker is the subreaper of its own descendants, so a child of ours that is no worker is an orphan of a dead one.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::signal::{Signal as OsSignal, kill, killpg};
use nix::unistd::Pid;
use queue_core::op::WorkerRow;
use queue_core::task::WorkerId;
use tokio::sync::mpsc;
use wait4::Wait4;

use super::cgroup::{Group, Groups};
use super::examine::Census;
use super::hunt::{Goal, Hunt};
use super::procfs;
use super::quarters::{Given, Quarters};
use super::shim;
use super::temp::TempFolders;
use super::worker_io::Pipes;
use crate::config::{Channel, Identity, ProcessSpec, WorkerLimits};
use crate::core::{Exit, Signal, WorkerExit};

/// Requests on their way to the thread. The event loop never waits for it, so that it cannot be waited for.
const REQUESTS_MAX: usize = 8 * 1024;
/// Until a hunt that is held up looks again.
const HELD_UP_MS: u16 = 1_000;

/// What to start, complete.
#[derive(Clone, Debug)]
pub struct Launch {
    pub worker: WorkerId,
    pub pool: String,
    pub channel: Channel,
    pub argv: Vec<String>,
    pub folder: PathBuf,
    /// The environment, but for what tells it where its own things are.
    pub env: Vec<(String, String)>,
    pub tag: String,
    pub limits: WorkerLimits,
    pub process: ProcessSpec,
    /// Whom it becomes.
    pub identity: Option<Identity>,
}

pub enum Request {
    Spawn(Box<Launch>),
    Signal(WorkerId, Signal),
    /// Kill what is below a living worker.
    Clean(WorkerId),
    /// Say who our children are.
    Census,
}

/// What the thread tells.
pub enum Told {
    Spawned(WorkerRow, Pipes),
    Cleaned(WorkerId),
    /// The worker and its orphans are dead. Its output is still in the pipe.
    Exited(WorkerExit),
    Census(Census),
}

/// The thread's door.
pub struct Spawner {
    requests: SyncSender<Request>,
    wake: std::sync::Arc<EventFd>,
}

impl Spawner {
    pub fn start(groups: Option<Groups>, folders: TempFolders, told: mpsc::Sender<Told>) -> io::Result<Spawner> {
        let wake = std::sync::Arc::new(EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?);
        let (requests, inbox) = sync_channel(REQUESTS_MAX);
        let born_before = procfs::children(own_pid()).into_iter().collect();
        let quarters = Quarters::new(groups, folders, raise_open_files()?);
        let mut keeper = Keeper {
            inbox,
            told,
            wake: wake.clone(),
            born_before,
            quarters,
            boot_id: procfs::boot_id(),
            living: BTreeMap::new(),
            hunts: Vec::new(),
        };
        std::thread::Builder::new().name("spawner".into()).spawn(move || keeper.run())?;
        Ok(Spawner { requests, wake })
    }

    pub fn ask(&self, request: Request) {
        match self.requests.try_send(request) {
            Ok(()) => drop(self.wake.write(1)),
            Err(TrySendError::Full(_)) => panic!("{REQUESTS_MAX} requests wait for the spawner thread: it hangs"),
            Err(TrySendError::Disconnected(_)) => panic!("the spawner thread is gone"),
        }
    }
}

fn own_pid() -> i32 {
    std::process::id().cast_signed()
}

/// The supervisor needs four descriptors a worker; workers get back the limit that they would have had.
fn raise_open_files() -> io::Result<u64> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    Ok(soft)
}

struct Keeper {
    inbox: Receiver<Request>,
    told: mpsc::Sender<Told>,
    wake: std::sync::Arc<EventFd>,
    /// Children that this process was started with: not ours to judge.
    born_before: BTreeSet<i32>,
    quarters: Quarters,
    boot_id: String,
    living: BTreeMap<WorkerId, Living>,
    hunts: Vec<Hunt>,
}

struct Living {
    child: Child,
    pidfd: OwnedFd,
    group: Option<Group>,
}

impl Keeper {
    fn run(&mut self) {
        loop {
            let (asked, dead) = match self.wait() {
                Ok(seen) => seen,
                Err(error) => panic!("the spawner thread cannot wait for its workers: {error}"),
            };
            for worker in dead {
                self.bury(worker);
            }
            if asked {
                let _ = self.wake.read();
                while let Ok(request) = self.inbox.try_recv() {
                    self.serve(request);
                }
            }
            self.hunt();
        }
    }

    /// Sleeps until a request has come or a worker or prey has died; says which workers have.
    fn wait(&self) -> io::Result<(bool, Vec<WorkerId>)> {
        let workers: Vec<(WorkerId, BorrowedFd<'_>)> =
            self.living.iter().map(|(worker, living)| (*worker, living.pidfd.as_fd())).collect();
        let prey = self.hunts.iter().flat_map(Hunt::descriptors);
        let mut polled: Vec<PollFd<'_>> = std::iter::once(self.wake.as_fd())
            .chain(workers.iter().map(|(_, pidfd)| *pidfd))
            .chain(prey)
            .map(|descriptor| PollFd::new(descriptor, PollFlags::POLLIN))
            .collect();
        let held_up = self.hunts.iter().any(Hunt::is_held_up);
        let until = if held_up { PollTimeout::from(HELD_UP_MS) } else { PollTimeout::NONE };
        match poll(&mut polled, until) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ready = |at: usize| polled[at].any().unwrap_or(false);
        let dead = workers.iter().enumerate().filter(|(at, _)| ready(at + 1)).map(|(_, (worker, _))| *worker).collect();
        Ok((ready(0), dead))
    }

    fn serve(&mut self, request: Request) {
        match request {
            Request::Spawn(launch) => self.spawn(&launch),
            Request::Signal(worker, signal) => {
                if let Some(living) = self.living.get(&worker) {
                    living.signal(signal);
                }
            }
            Request::Clean(worker) => match self.living.get(&worker) {
                Some(living) => {
                    let goal = Goal::Below { worker, pid: living.child.id().cast_signed() };
                    self.hunts.push(Hunt::new(goal, living.group.clone()));
                }
                None => self.tell(Told::Cleaned(worker)),
            },
            Request::Census => self.tell(Told::Census(self.census())),
        }
    }

    fn spawn(&mut self, launch: &Launch) {
        match self.start(launch) {
            Ok((row, pipes)) => self.tell(Told::Spawned(row, pipes)),
            Err(error) => {
                let exit = Exit::NotStarted(format!("no process could be made for it: {error}"));
                self.tell(Told::Exited(WorkerExit {
                    worker: launch.worker,
                    exit,
                    peak_rss_bytes: None,
                    cpu_ms: None,
                    oom: false,
                    output: Vec::new(),
                }));
            }
        }
    }

    fn start(&mut self, launch: &Launch) -> io::Result<(WorkerRow, Pipes)> {
        let given = self.quarters.give(launch)?;
        let group = given.group.clone();
        let begun = self.begin(launch, given);
        if begun.is_err() {
            group.iter().for_each(Group::remove);
            self.quarters.take_back(launch.worker);
        }
        begun
    }

    /// No code of ours runs between fork and exec: that is what lets the standard library use `posix_spawn`.
    fn begin(&mut self, launch: &Launch, given: Given) -> io::Result<(WorkerRow, Pipes)> {
        let (child_stdin, stdin) = io::pipe()?;
        let (stdout, child_stdout) = io::pipe()?;
        let (stderr, child_stderr) = io::pipe()?;
        let mut child = shim::command(&given.plan, &launch.argv)?
            .env_clear()
            .envs(launch.env.iter().chain(&given.env).map(|(name, value)| (name, value)))
            .current_dir(&launch.folder)
            .stdin(Stdio::from(child_stdin))
            .stdout(Stdio::from(child_stdout))
            .stderr(Stdio::from(child_stderr))
            .spawn()?;
        let pid = child.id().cast_signed();
        // Until it is waited for, its pid cannot belong to anybody else.
        let handle = rustix::process::Pid::from_child(&child);
        let pidfd = match rustix::process::pidfd_open(handle, rustix::process::PidfdFlags::empty()) {
            Ok(pidfd) => pidfd,
            Err(error) => {
                // Its end could not be seen, so it may not begin. The first error is the one to tell.
                let _ = child.kill();
                let _ = child.wait();
                return Err(error.into());
            }
        };
        let start_time = procfs::stat(pid).map_or(0, |stat| stat.start_time);
        self.living.insert(launch.worker, Living { child, pidfd, group: given.group });
        let row = WorkerRow {
            id: launch.worker,
            pool: launch.pool.clone(),
            pid,
            start_time,
            boot_id: self.boot_id.clone(),
            tag: launch.tag.clone(),
        };
        Ok((row, Pipes { stdin: stdin.into(), stdout: stdout.into(), stderr: stderr.into() }))
    }

    /// A worker has died: take its exit, and go for what it left.
    fn bury(&mut self, worker: WorkerId) {
        let Some(living) = self.living.remove(&worker) else { return };
        let (exit, peak, cpu) = match living.child.wait4() {
            Ok(used) => {
                let exit = match (used.status.code(), used.status.signal()) {
                    (Some(code), _) => Exit::Code(code),
                    (None, signal) => Exit::Signal(signal.unwrap_or(0)),
                };
                let cpu = used.rusage.utime + used.rusage.stime;
                (exit, i64::try_from(used.rusage.maxrss).ok(), i64::try_from(cpu.as_millis()).ok())
            }
            Err(error) => (Exit::NotStarted(format!("its end could not be read: {error}")), None, None),
        };
        self.hunts.retain(|hunt| !matches!(hunt.goal, Goal::Below { worker: of, .. } if of == worker));
        let exit = WorkerExit { worker, exit, peak_rss_bytes: peak, cpu_ms: cpu, oom: false, output: Vec::new() };
        self.hunts.push(Hunt::new(Goal::Orphans(exit), living.group));
    }

    fn spared(&self) -> BTreeSet<i32> {
        let workers = self.living.values().map(|living| living.child.id().cast_signed());
        workers.chain(self.born_before.iter().copied()).collect()
    }

    fn census(&self) -> Census {
        let spared = self.spared();
        let strangers = procfs::children(own_pid()).into_iter().filter(|pid| !spared.contains(pid)).collect();
        let pipes = procfs::descriptors("pipe:");
        Census {
            living: self.living.keys().copied().collect(),
            hunting: !self.hunts.is_empty(),
            strangers,
            pipes,
            folders: self.quarters.strays(),
        }
    }

    /// Kills on, and tells what has come to its end.
    fn hunt(&mut self) {
        let spared = self.spared();
        let mut over = Vec::new();
        self.hunts.retain_mut(|hunt| {
            let done = hunt.go_on(own_pid(), &spared);
            if done {
                over.push((hunt.goal.clone(), hunt.group.take()));
            }
            !done
        });
        for (goal, group) in over {
            self.tell(match goal {
                Goal::Orphans(exit) => {
                    self.quarters.take_back(exit.worker);
                    Told::Exited(match group {
                        Some(group) => told_by(&group, exit),
                        None => exit,
                    })
                }
                Goal::Below { worker, .. } => Told::Cleaned(worker),
            });
        }
    }

    fn tell(&self, told: Told) {
        // Nobody listens any more when the supervisor ends; its workers end with it.
        let _ = self.told.blocking_send(told);
    }
}

impl Living {
    /// To the worker's process group, and to itself in case that it has not made its group yet. The last signal goes to all that it
    /// has started, where there is a control group.
    fn signal(&self, signal: Signal) {
        let signal = match signal {
            Signal::Term => OsSignal::SIGTERM,
            Signal::Abort => OsSignal::SIGABRT,
            Signal::Kill => OsSignal::SIGKILL,
        };
        let pid = Pid::from_raw(self.child.id().cast_signed());
        // It may have died meanwhile, but it has not been waited for: the number is still its own.
        let grouped = killpg(pid, signal);
        if grouped.is_err() || signal == OsSignal::SIGKILL {
            let _ = kill(pid, signal);
        }
        if signal == OsSignal::SIGKILL {
            // What this misses is hunted once the worker is dead.
            self.group.iter().for_each(|group| drop(group.kill()));
        }
    }
}

/// What the group of a dead worker says of its life; then there is no use for it any more.
fn told_by(group: &Group, exit: WorkerExit) -> WorkerExit {
    let (oom, peak_rss_bytes) = (group.was_out_of_memory(), exit.peak_rss_bytes.max(group.peak_bytes()));
    group.remove();
    WorkerExit { oom, peak_rss_bytes, ..exit }
}
