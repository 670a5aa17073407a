//! A pool of workers as the program uses it: its program, how many there may be, what each may use, when it is replaced.
//! Values only.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// The built-in pool of plain commands.
pub const COMMANDS_POOL: &str = "commands";
/// Workers of one pool, at most.
pub const WORKERS_MAX: u32 = 256;

/// Workers of one program.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    pub name: String,
    pub program: Program,
    pub channel: Channel,
    /// At least one; the first takes the tasks that name no queue.
    pub queues: Vec<String>,
    /// Of its queues, in the same order.
    pub weights: Vec<u32>,
    pub workers: Workers,
    pub scale: Scale,
    pub limits: WorkerLimits,
    pub recycle: Recycle,
    /// From the start of a process, or its last `booting`, to `ready`.
    pub boot_timeout_us: i64,
    /// A worker that hangs is made to say where before it is killed.
    pub dump_on_hang: bool,
    /// How its processes are to be.
    pub process: ProcessSpec,
}

/// What a worker's process gets beside its program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessSpec {
    /// -20 (goes first) to 19.
    pub nice: Option<i32>,
    pub umask: u32,
    /// The name of the user whose rights it has.
    pub user: Option<String>,
    /// Names of the variables that it gets from the supervisor's environment.
    pub env: Vec<String>,
    /// Absolute: a file of further variables.
    pub env_file: Option<PathBuf>,
    /// Absolute, by name: files that it gets copies of, for its own eyes.
    pub secrets: BTreeMap<String, PathBuf>,
}

impl Default for ProcessSpec {
    fn default() -> ProcessSpec {
        let (env, secrets) = (Vec::new(), BTreeMap::new());
        ProcessSpec { nice: None, umask: UMASK_DEFAULT, user: None, env, env_file: None, secrets }
    }
}

/// Nobody else reads what a worker writes.
pub const UMASK_DEFAULT: u32 = 0o077;
pub const BOOT_TIMEOUT_US: i64 = 10_000_000;

/// From where to where the number of workers may go; the same for a fixed number. 0 to [`super::WORKERS_MAX`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Workers {
    pub min: u32,
    pub max: u32,
}

impl Workers {
    pub fn fixed(count: u32) -> Workers {
        Workers { min: count, max: count }
    }
}

/// As people write it: `4`, `0..8`.
impl std::fmt::Display for Workers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.min == self.max { write!(f, "{}", self.max) } else { write!(f, "{}..{}", self.min, self.max) }
    }
}

/// What decides how many workers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// How long a task should wait at most, as far as more workers can help.
    pub target_wait_us: i64,
    /// One worker less at a time, and only after so long without need of it.
    pub cooldown_us: i64,
}

impl Default for Scale {
    fn default() -> Scale {
        Scale { target_wait_us: 2_000_000, cooldown_us: 10_000_000 }
    }
}

/// What one worker may use, with all that it starts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WorkerLimits {
    pub memory_bytes: Option<u64>,
    /// Cores.
    pub cpu: Option<f64>,
    pub open_files: Option<u64>,
    pub processes: Option<u64>,
    pub file_size_bytes: Option<u64>,
}

/// When a worker that is well is replaced by a new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recycle {
    /// Runs that it has answered.
    pub tasks: Option<u64>,
    /// Since its process was started.
    pub age_us: Option<i64>,
    /// Since it had something to do.
    pub idle_us: Option<i64>,
    /// What it has in memory between two runs.
    pub memory_bytes: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// Any program that speaks the contract.
    Command(Vec<String>),
    /// Our own worker, for the plain commands of its kinds.
    Stock,
}

/// Which descriptors of a worker are its channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Channel {
    /// Stdin and stdout, which the worker itself must keep free of everything else.
    #[default]
    Stdio,
    /// Descriptors 3 and 4; what the worker prints is its log from the start.
    Fd3,
}

impl Channel {
    pub const ALL: [Channel; 2] = [Channel::Stdio, Channel::Fd3];

    /// The name in the contract.
    pub fn name(self) -> &'static str {
        match self {
            Channel::Stdio => "stdio",
            Channel::Fd3 => "fd3",
        }
    }

    pub fn named(name: &str) -> Option<Channel> {
        Channel::ALL.into_iter().find(|channel| channel.name() == name)
    }
}

impl Pool {
    /// A pool of a program, with the default of everything else.
    pub fn new(name: &str, program: Program, queues: Vec<String>, workers: Workers) -> Pool {
        Pool {
            name: name.to_owned(),
            program,
            channel: Channel::default(),
            weights: vec![queue_core::policy::WEIGHT_DEFAULT; queues.len()],
            queues,
            workers,
            scale: Scale::default(),
            limits: WorkerLimits::default(),
            recycle: Recycle::default(),
            boot_timeout_us: BOOT_TIMEOUT_US,
            dump_on_hang: false,
            process: ProcessSpec::default(),
        }
    }
}
