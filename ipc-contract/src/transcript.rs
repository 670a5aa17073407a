//! Transcripts: whole conversations written down, for every party to be played against. Pure: who plays them is elsewhere.
//!
//! The files are in `spec/v1/transcripts`, one conversation each. They are the second half of the golden data beside the
//! vectors: together they visit every legal pair of state and message.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::ContractError;
use crate::kind::Kind;
use crate::message::{FromWorker, Stop, ToWorker};
use crate::session::{MessageRef, Session, State, Violation};
use crate::spec::TaskSpec;

macro_rules! files {
    ($($name:literal,)+) => {
        /// Every transcript: the name of its file, and the text of it.
        pub const FILES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../spec/v1/transcripts/", $name, ".json"))),)+];
    };
}

files! {
    "back",
    "booting",
    "cancel",
    "crossing",
    "drain-back",
    "drain-done",
    "drain-everything",
    "drain-fail",
    "drain-failed",
    "drain-spend",
    "echo",
    "enqueue",
    "fail",
    "leave-before-ready",
    "log",
    "park",
    "progress",
    "reject-kind",
    "reject-version",
    "retire",
    "save",
    "spawn-error",
    "spend",
    "stop-before-ready",
    "two-at-once",
}

/// Every transcript, by name.
///
/// # Errors
/// Those of [`Transcript::from_json`], naming the file.
pub fn all() -> Result<Vec<(&'static str, Transcript)>, ContractError> {
    let read = |&(name, json): &(&'static str, &str)| {
        let transcript = Transcript::from_json(json);
        Ok((name, transcript.map_err(|error| ContractError::value(name, format!("transcript {name}: {error}")))?))
    };
    FILES.iter().map(read).collect()
}

/// One conversation. A worker can play its part when it has the kinds and features of what is said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transcript {
    /// What it shows, in a sentence.
    pub about: String,
    /// The section of SPEC.md whose rule it shows, such as `4.2`.
    pub section: String,
    /// Which real programs can be made to play their part in it. The pure session plays all.
    pub players: Vec<Player>,
    /// For the worker, beside what every worker has.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    pub steps: Vec<Step>,
}

/// A real program that plays its part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Player {
    /// Any worker with the handlers of the specification.
    Worker,
    /// The supervisor, with a worker that reads from the script.
    Supervisor,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    #[serde(flatten)]
    pub what: What,
    /// Whose turn it is may leave it out, as what crosses on the way may.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
}

/// What happens next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    FromWorker(FromWorker),
    ToWorker(ToWorker),
    /// No message: what somebody does to the supervisor, so that it says what follows.
    Cause(Cause),
}

/// What somebody does to the supervisor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    Enqueue(Box<TaskSpec>),
    /// Cancels the task that was enqueued last.
    Cancel,
    /// SIGTERM.
    Shutdown,
}

impl Player {
    /// Every player.
    pub const ALL: &[Self] = &[Self::Worker, Self::Supervisor];

    /// `worker` or `supervisor`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Worker => "worker",
            Self::Supervisor => "supervisor",
        }
    }
}

impl What {
    /// The message, when it is one.
    pub fn message(&self) -> Option<MessageRef<'_>> {
        match self {
            Self::FromWorker(message) => Some(message.into()),
            Self::ToWorker(message) => Some(message.into()),
            Self::Cause(_) => None,
        }
    }
}

impl Transcript {
    /// Reads a file.
    ///
    /// # Errors
    /// `Value`, naming the place.
    pub fn from_json(json: &str) -> Result<Self, ContractError> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        serde_path_to_error::deserialize(&mut deserializer)
            .map_err(|error| ContractError::value(error.path().to_string(), error.to_string()))
    }

    /// What is left when this player says nothing that it need not say.
    #[must_use]
    pub fn least(&self, player: Player) -> Self {
        let is_said = |step: &&Step| match (player, &step.what) {
            (Player::Worker, What::FromWorker(_)) | (Player::Supervisor, What::ToWorker(_)) => !step.optional,
            _ => true,
        };
        Self { steps: self.steps.iter().filter(is_said).cloned().collect(), ..self.clone() }
    }

    /// Plays it to a session and says which pairs it visited: the state before each message, and the message. The stop of
    /// one run is not among them, since it is in no cell of the table.
    ///
    /// # Errors
    /// The index of the step that is not legal where it stands, and why.
    pub fn visits(&self) -> Result<Vec<(State, Kind)>, (usize, Violation)> {
        let mut session = Session::new();
        let mut visits = Vec::new();
        for (index, step) in self.steps.iter().enumerate() {
            let Some(message) = step.what.message() else { continue };
            let state = session.state();
            session.sees(message).map_err(|violation| (index, violation))?;
            if !matches!(message, MessageRef::ToWorker(ToWorker::Stop(Stop { run: Some(_), .. }))) {
                visits.push((state, message.kind()));
            }
        }
        Ok(visits)
    }
}
