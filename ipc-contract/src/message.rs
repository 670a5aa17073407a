//! The messages of the contract and their bodies: what one frame says. No bytes (`frame`), no order (`session`) lives here.
//!
//! On the wire a message is a one-key map, the key naming the message: `{"run": {...}}`. Bodies are maps with field
//! names; unknown fields are ignored and missing ones have their defaults, so that an addition needs no new version.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::ContractError;
use crate::limits::{self, CONCURRENCY, SPEND};
use crate::name::check_name;
use crate::payload::Payload;

/// The protocol version that this crate speaks.
pub const PROTOCOL: u16 = 1;

/// From a worker to the supervisor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FromWorker {
    Hello(Hello),
    Booting(Booting),
    Ready(Ready),
    Beat(Beat),
    Log(Log),
    Note(Note),
    Done(Done),
    Fail(Fail),
    Back(Back),
    Bye(Bye),
}

/// From the supervisor to a worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToWorker {
    Welcome(Welcome),
    Reject(Reject),
    Run(Run),
    Stop(Stop),
    Ack(Ack),
}

/// One run of one task: every message about a run names both, so that a late one can be told from a live one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RunRef {
    pub task: u64,
    pub epoch: u64,
}

impl FromWorker {
    /// The run that this message answers: each run has exactly one `done`, `fail` or `back`.
    pub fn answers(&self) -> Option<RunRef> {
        match self {
            Self::Done(Done { task, epoch, .. })
            | Self::Fail(Fail { task, epoch, .. })
            | Self::Back(Back { task, epoch }) => Some(RunRef { task: *task, epoch: *epoch }),
            Self::Hello(_)
            | Self::Booting(_)
            | Self::Ready(_)
            | Self::Beat(_)
            | Self::Log(_)
            | Self::Note(_)
            | Self::Bye(_) => None,
        }
    }
}

/// The first message of a worker: who it is and what it can do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// Lowest protocol version that the worker speaks.
    pub protocol_min: u16,
    /// Highest protocol version that the worker speaks.
    pub protocol_max: u16,
    /// The value of `MUTIRAO_COOKIE`, to catch a program that is no worker; not a secret.
    #[serde(default)]
    pub cookie: String,
    /// Name and version of the library, for people: `mutirao-rust/0.1.0`.
    #[serde(default)]
    pub sdk: String,
    /// The kinds of task that the worker has handlers for.
    #[serde(default, deserialize_with = "limits::kinds")]
    pub kinds: Vec<String>,
    /// Runs that the worker accepts at once, 1 or more.
    #[serde(default = "one")]
    pub concurrency: u32,
    /// Optional abilities, such as `beat`. Neither side uses one that the other did not name.
    #[serde(default, deserialize_with = "limits::features")]
    pub features: Vec<String>,
}

impl Hello {
    /// Checks what a worker offers, before it is welcomed. What fails here deserves a `reject` with the error's sentence.
    ///
    /// # Errors
    /// `Limit` for `concurrency`, `Name` for a kind, `Value` for a range of versions that is empty.
    pub fn validate(&self) -> Result<(), ContractError> {
        CONCURRENCY.check(self.concurrency)?;
        if self.protocol_min > self.protocol_max {
            let detail = "protocol_min is above protocol_max; name the lowest version first";
            return Err(ContractError::value("protocol_min", detail));
        }
        self.kinds.iter().try_for_each(|kind| check_name("kind", kind))
    }
}

fn one() -> u32 {
    1
}

/// "Still starting": prolongs the boot timeout.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Booting {}

/// Grants as many credits as `concurrency` of `hello` says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ready {}

/// The process is alive, said by an OS thread whatever the handler does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Beat {}

/// A line for the log, of a run or of the worker.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Log {
    #[serde(default)]
    pub run: Option<RunRef>,
    #[serde(default)]
    pub level: Level,
    pub message: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Debug,
    #[default]
    Info,
    Warn,
    Error,
}

/// What a run says of itself while it goes on: how far it is, and what it has spent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Note {
    pub task: u64,
    pub epoch: u64,
    /// How far the run is, of `total`, in units of the handler's own.
    #[serde(default)]
    pub done: Option<f64>,
    #[serde(default)]
    pub total: Option<f64>,
    /// One line for people, such as what is being done now.
    #[serde(default)]
    pub message: Option<String>,
    /// By unit, such as `tokens`: how much was spent since the last note that was acknowledged.
    #[serde(default, deserialize_with = "limits::spend")]
    pub spend: BTreeMap<String, u64>,
    /// The number of a note that spends, from 1 in each run; 0 of one that does not.
    #[serde(default)]
    pub seq: u64,
}

impl Note {
    /// Checks what a note spends. How far a run is cannot be wrong: it is only shown.
    ///
    /// # Errors
    /// `Name` for a unit, `Limit` for an amount, `Value` for a number that does not fit.
    pub fn validate(&self) -> Result<(), ContractError> {
        if self.spend.is_empty() != (self.seq == 0) {
            return Err(ContractError::value(
                "seq",
                "a note that spends has a seq from 1, and no other has one; number it",
            ));
        }
        self.spend.iter().try_for_each(|(unit, amount)| {
            check_name("unit", unit)?;
            SPEND.check(*amount)
        })
    }
}

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

/// The worker is stopping and has not started this run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Back {
    pub task: u64,
    pub epoch: u64,
}

/// The last message of a worker.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bye {
    /// Why the worker's program could not be started; only from the shim, in place of `hello`.
    #[serde(default)]
    pub spawn_error: Option<String>,
}

/// The worker is accepted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Welcome {
    /// The protocol version that both speak from here on.
    pub protocol: u16,
    /// The supervisor's number of this worker.
    #[serde(default)]
    pub worker: u64,
    #[serde(default, deserialize_with = "limits::features")]
    pub features: Vec<String>,
}

/// The worker is refused, in a sentence that its user can act on; the worker prints it and exits 78.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reject {
    pub reason: String,
}

/// Run a task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Run {
    pub task: u64,
    pub epoch: u64,
    pub kind: String,
    /// The task's input.
    #[serde(default)]
    pub args: Payload,
    /// 1 in the first run.
    #[serde(default = "one")]
    pub attempt: u32,
    /// The same in all runs of a task: the idempotency key of effects outside.
    #[serde(default)]
    pub effect_key: String,
    /// Time until the run is stopped; absent means no limit.
    #[serde(default)]
    pub time_left_ms: Option<u64>,
}

/// Stop one run, or (without `run`) the worker: finish what runs, give back what has not started, say `bye`, exit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stop {
    #[serde(default)]
    pub run: Option<RunRef>,
    pub reason: StopReason,
    /// Time until the worker is killed.
    pub grace_ms: u64,
}

/// What a note has spent is on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    pub task: u64,
    pub epoch: u64,
    /// That of the note.
    pub seq: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    Cancel,
    Timeout,
    Shutdown,
    Scaling,
    Recycling,
    Reload,
    Sibling,
    Budget,
    Memory,
    Recall,
    /// A reason that this version does not know: obey it all the same.
    #[serde(other)]
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_is_checked_before_it_is_welcomed() {
        let good =
            Hello { protocol_min: 1, protocol_max: 2, concurrency: 1, kinds: vec!["a".to_owned()], ..Hello::default() };
        good.validate().unwrap();
        let table = [
            (Hello { concurrency: 0, ..good.clone() }, "limit"),
            (Hello { concurrency: 1_025, ..good.clone() }, "limit"),
            (Hello { protocol_min: 3, ..good.clone() }, "value"),
            (Hello { kinds: vec!["a".to_owned(), "A".to_owned()], ..good }, "name"),
        ];
        for (hello, kind) in table {
            assert_eq!(hello.validate().unwrap_err().kind.name(), kind, "{hello:?}");
        }
    }
}
