//! Transcripts: whole conversations written down, for every party to be played against. Pure: who plays them is elsewhere.
//!
//! The files are in `spec/v1/transcripts`, one conversation each. They are the second half of the golden data beside the
//! vectors: together they visit every legal pair of state and message.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::ContractError;
use crate::kind::Kind;
use crate::message::{FromWorker, ToWorker};
use crate::session::{MessageRef, Session, State, Violation};
use crate::spec::TaskSpec;

/// One conversation.
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
    /// It may be left out, as what crosses on the way may.
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
    Enqueue(TaskSpec),
    /// Cancels the task that was enqueued last.
    Cancel,
    /// SIGTERM.
    Shutdown,
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

    /// Plays it to a session and says which pairs it visited: the state before each message, and the message.
    ///
    /// # Errors
    /// The index of the step that is not legal where it stands, and why.
    pub fn visits(&self) -> Result<Vec<(State, Kind)>, (usize, Violation)> {
        let mut session = Session::new();
        let messages = self.steps.iter().enumerate().filter_map(|(index, step)| Some((index, step.what.message()?)));
        messages
            .map(|(index, message)| {
                let state = session.state();
                session.sees(message).map_err(|violation| (index, violation))?;
                Ok((state, message.kind()))
            })
            .collect()
    }
}
