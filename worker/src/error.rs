//! The error of this library: a worker that cannot start. Why one run failed is a `Failure`, why a worker ended an `Ended`.

use std::io;

/// Why a worker could not start. The text says what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct WorkerError {
    pub kind: ErrorKind,
}

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    #[error("the kind `{0}` has two handlers; remove one of them, or give it another name")]
    DuplicateKind(String),
    #[error("{0}")]
    IllegalKind(String),
    #[error("the worker has no handlers; add one with `.task(\"name\", handler)` before `.run()`")]
    NoHandlers,
    #[error("this library speaks over stdin and stdout, not over the channel `{0}`; remove `channel` from the pool")]
    UnknownChannel(String),
    #[error("cannot take over stdin and stdout: {0}; start the worker from a supervisor, which passes both")]
    Channel(io::Error),
    #[error("cannot prepare to run commands: {0}; check the limits on threads and open files")]
    Commands(io::Error),
}

impl From<ErrorKind> for WorkerError {
    fn from(kind: ErrorKind) -> Self {
        Self { kind }
    }
}
