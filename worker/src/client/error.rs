//! Why a client did not get what it asked for. Nothing here asks or decides.

use super::types::{Enqueued, TaskInfo};

/// Something asked for was not had.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}; {hint}")]
pub struct ClientError {
    pub kind: ClientErrorKind,
    /// For programs, such as `name_taken`.
    pub code: Box<str>,
    pub message: String,
    /// The way out.
    pub hint: String,
    /// What the earlier slices of a bulk have added, in the order of the list.
    pub added: Box<[Enqueued]>,
}

#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ClientErrorKind {
    /// No supervisor answered, or the answer broke off.
    Unreachable,
    /// The request makes no sense as it is.
    Refused {
        /// That of HTTP; `None` when the client refused it before it asked.
        status: Option<u16>,
        /// The task of a bulk that was refused: its place in the whole list, from 0.
        index: Option<usize>,
        /// The task that is in the way, such as the owner of a name that is taken.
        task_id: Option<u64>,
    },
    /// The supervisor cannot do it now, or has failed itself. The number is the status of HTTP.
    Unavailable(u16),
    /// An answer that is not what it should be.
    Unreadable,
    /// The task whose result was wanted has failed for good.
    TaskFailed(Box<TaskInfo>),
    /// The task whose result was wanted was cancelled.
    TaskCancelled(Box<TaskInfo>),
    /// The time to wait is over. The task goes on; this is how it was seen last.
    WaitTimeout(Box<TaskInfo>),
}

impl ClientError {
    pub(super) fn new(
        kind: ClientErrorKind,
        code: impl Into<Box<str>>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { kind, code: code.into(), message: message.into(), hint: hint.into(), added: Box::default() }
    }

    /// Refused before anybody was asked.
    pub(super) fn refused(code: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(ClientErrorKind::Refused { status: None, index: None, task_id: None }, code, message, hint)
    }

    pub(super) fn unreadable(message: impl Into<String>) -> Self {
        let hint = "supervisor and library may be of different versions";
        Self::new(ClientErrorKind::Unreadable, "unreadable", message, hint)
    }

    /// The same, said of a task of a bulk: `earlier` tasks came before those of its slice, and `added` of them are on the disk.
    pub(super) fn of_bulk(mut self, earlier: usize, added: Vec<Enqueued>) -> Self {
        if let ClientErrorKind::Refused { index: Some(index), .. } = &mut self.kind {
            *index += earlier;
        }
        self.added = added.into();
        self
    }

    /// The same, said of the task at this place of a list.
    pub(super) fn at(mut self, place: usize) -> Self {
        if let ClientErrorKind::Refused { index, .. } = &mut self.kind {
            *index = Some(place);
        }
        self
    }
}
