//! What a worker sends: the closed list of its messages. Their bodies are in the files beside this one.

use serde::{Deserialize, Serialize};

use super::{Back, Beat, Booting, Bye, Done, Fail, Hello, Log, Note, Park, Ready, RunRef, Save};

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
    Save(Save),
    Done(Done),
    Fail(Fail),
    Park(Park),
    Back(Back),
    Bye(Bye),
}

impl FromWorker {
    /// The run that this message answers: each run has exactly one `done`, `fail`, `park` or `back`.
    pub fn answers(&self) -> Option<RunRef> {
        match self {
            Self::Done(Done { task, epoch, .. })
            | Self::Fail(Fail { task, epoch, .. })
            | Self::Park(Park { task, epoch, .. })
            | Self::Back(Back { task, epoch }) => Some(RunRef { task: *task, epoch: *epoch }),
            Self::Hello(_)
            | Self::Booting(_)
            | Self::Ready(_)
            | Self::Beat(_)
            | Self::Log(_)
            | Self::Note(_)
            | Self::Save(_)
            | Self::Bye(_) => None,
        }
    }
}
