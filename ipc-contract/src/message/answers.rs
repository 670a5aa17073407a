//! Bodies of the answers to a run: each run has exactly one.

use serde::{Deserialize, Serialize};

use crate::bounded;
use crate::error::ContractError;
use crate::limits::PARK_MS;
use crate::name::check_name;
use crate::payload::Payload;
use crate::spec::TaskSpec;

/// A run ended well.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Done {
    pub task: u64,
    pub epoch: u64,
    /// What the handler returned; absent means nothing.
    #[serde(default)]
    pub result: Payload,
    /// True when `result` is only the last part of what there was.
    #[serde(default)]
    pub cut: bool,
    /// Tasks that come to be with this very end, or not at all.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "bounded::follow_ups")]
    pub enqueue: Vec<TaskSpec>,
}

/// A run ended badly, by the word of the worker.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fail {
    pub task: u64,
    pub epoch: u64,
    /// One sentence or a traceback, for people.
    #[serde(default)]
    pub error: String,
    #[serde(default)]
    pub retry: Retry,
    /// For whom a `retry` after some time is meant.
    #[serde(default)]
    pub scope: Scope,
    /// How a command ended, from a worker that runs commands.
    #[serde(default)]
    pub exit: Option<Exit>,
}

/// Whether and when a failed run may be tried again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// By the policy of the task.
    #[default]
    Default,
    /// Not before so many milliseconds from now.
    AfterMs(u64),
    /// Never: the task has failed for good.
    Never,
}

/// Who has to wait when a run says `after_ms`: somebody outside has told it so, and may have meant more than this one task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The task alone.
    #[default]
    Task,
    /// All tasks of its key; of a task without a key, that task.
    Key,
    /// All tasks of its queue.
    Queue,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    #[serde(default)]
    pub code: Option<i32>,
    #[serde(default)]
    pub signal: Option<i32>,
    #[serde(default)]
    pub oom: bool,
    #[serde(default)]
    pub peak_rss_bytes: Option<u64>,
    #[serde(default)]
    pub cpu_ms: Option<u64>,
}

/// The run goes on later, as another run, and costs the task nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Park {
    pub task: u64,
    pub epoch: u64,
    pub until: Until,
    /// The longest wait for facts or children; absent means no limit. What is over then is told by what is missing.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
}

/// What a parked task waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Until {
    /// So many milliseconds from now.
    AfterMs(u64),
    /// All of these facts. One that is there already is not waited for.
    #[serde(deserialize_with = "bounded::facts")]
    Facts(Vec<String>),
    /// The end of all tasks that this one has enqueued.
    Children,
}

impl Park {
    /// Checks names and times.
    ///
    /// # Errors
    /// `Name` for a fact, `Limit` for a time.
    pub fn validate(&self) -> Result<(), ContractError> {
        self.timeout_ms.map_or(Ok(()), |ms| PARK_MS.check(ms))?;
        match &self.until {
            Until::AfterMs(ms) => PARK_MS.check(*ms),
            Until::Facts(names) => names.iter().try_for_each(|name| check_name("fact", name)),
            Until::Children => Ok(()),
        }
    }
}

/// The worker is stopping and has not started this run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Back {
    pub task: u64,
    pub epoch: u64,
}
