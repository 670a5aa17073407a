//! The error of this library: a worker that cannot start, or a wish of a handler that cannot be met. Why one run failed is a
//! `Failure`, why a worker ended an `Ended`.

use std::io;

use ipc_contract::ContractError;

use crate::notes::UNSENT_MAX_UNITS;

/// What cannot be done. The text says what to do about it.
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
    #[error("{0}")]
    Concurrency(ContractError),
    #[error("this library does not know the channel `{0}`; use `stdio` or `fd3`")]
    UnknownChannel(String),
    #[error("cannot take over the channel: {0}; start the worker from a supervisor, which passes both ends")]
    Channel(io::Error),
    #[error("cannot prepare to run commands: {0}; check the limits on threads and open files")]
    Commands(io::Error),
    #[error("what was spent cannot be told: {0}")]
    Spend(ContractError),
    #[error("{UNSENT_MAX_UNITS} units are spent and not stored; wait for a receipt first")]
    TooMuchUnstored,
}

impl From<ErrorKind> for WorkerError {
    fn from(kind: ErrorKind) -> Self {
        Self { kind }
    }
}
