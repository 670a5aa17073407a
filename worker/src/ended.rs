//! How a worker ended, and the exit code that tells it.

use crate::exit::{EXIT_ABANDONED, EXIT_CONFIG, EXIT_IO, EXIT_NOT_READY, EXIT_PROTOCOL};

/// How a worker ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Asked to stop, or retired by itself: what ran is answered, what waited was given back.
    Drained,
    /// The channel ended without a stop: the supervisor is gone.
    Abandoned,
    /// What was to be done before the first run has failed.
    NotReady(String),
    /// Refused by the supervisor, in a sentence that the user can act on.
    Rejected(String),
    /// The conversation broke a rule of the contract.
    Protocol(String),
    /// The channel or a thread failed.
    Io(String),
}

impl Ended {
    /// The exit code of the process: 0, 1, 70, 78, 76 or 74.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Drained => 0,
            Self::Abandoned => EXIT_ABANDONED,
            Self::NotReady(_) => EXIT_NOT_READY,
            Self::Rejected(_) => EXIT_CONFIG,
            Self::Protocol(_) => EXIT_PROTOCOL,
            Self::Io(_) => EXIT_IO,
        }
    }

    /// What a person should know of it; nothing when all is well.
    pub fn sentence(&self) -> Option<String> {
        match self {
            Self::Drained => None,
            Self::Abandoned => Some("the supervisor is gone".to_owned()),
            Self::NotReady(why) => Some(format!("the worker could not get ready: {why}")),
            Self::Rejected(reason) => Some(format!("the supervisor refused this worker: {reason}")),
            Self::Protocol(text) => Some(format!("the supervisor broke the contract: {text}")),
            Self::Io(text) => Some(text.clone()),
        }
    }
}
