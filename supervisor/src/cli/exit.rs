//! The exit codes, which are part of the interface, and the one error of the command line. Each error of the inside gets its
//! code here.

use std::io;
use std::process::ExitCode;

use axum::http::StatusCode;
use ipc_contract::ContractError;
use queue_core::store::StoreError;

use super::client::ClientError;
use crate::config::{ConfigError, Refusal};
use crate::http::ApiError;
use crate::http::error::ErrorBody;
use crate::shell::RunError;
use crate::shell::lock::{LockError, LockErrorKind};
use crate::shell::offline::OfflineError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Done = 0,
    Unexpected = 1,
    /// Arguments that make no sense; the parser of the command line uses the same code.
    Usage = 2,
    InvalidConfig = 3,
    /// There is no such task, or nothing matched.
    NotFound = 4,
    /// No supervisor answers.
    NotReachable = 5,
    Refused = 6,
    TimedOut = 7,
    /// The task that was waited for failed.
    TaskFailed = 20,
    /// The task that was waited for was cancelled.
    TaskCancelled = 21,
    /// Another process holds the database.
    DatabaseHeld = 75,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// Why a command did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CliError {
    pub exit: Exit,
    pub body: ErrorBody,
}

impl CliError {
    pub fn new(exit: Exit, code: &str, message: impl Into<String>, hint: impl Into<String>) -> CliError {
        let body = ErrorBody { code: code.to_owned(), message: message.into(), hint: hint.into(), id: None };
        CliError { exit, body }
    }

    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> CliError {
        CliError::new(Exit::Usage, "usage", message, hint)
    }
}

impl From<ApiError> for CliError {
    fn from(error: ApiError) -> CliError {
        let exit = match error.status {
            StatusCode::NOT_FOUND => Exit::NotFound,
            StatusCode::SERVICE_UNAVAILABLE => Exit::NotReachable,
            StatusCode::INTERNAL_SERVER_ERROR => Exit::Unexpected,
            _ => Exit::Refused,
        };
        CliError { exit, body: error.body }
    }
}

impl From<ClientError> for CliError {
    fn from(error: ClientError) -> CliError {
        match error {
            ClientError::Refused(error) => CliError::from(error),
            ClientError::NotReachable { socket, error } => {
                let message = match socket {
                    Some(socket) => format!("no supervisor answers at {}: {error}", socket.display()),
                    None => "no supervisor is up for this database".to_owned(),
                };
                CliError::new(Exit::NotReachable, "not_reachable", message, "start one with `supervisor run`")
            }
            ClientError::Broken(text) => {
                let message = format!("the supervisor's answer was broken off: {text}");
                CliError::new(Exit::NotReachable, "broken_answer", message, "see whether it is still up; ask again")
            }
        }
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> CliError {
        CliError::new(Exit::InvalidConfig, "invalid_config", error.to_string(), "")
    }
}

impl From<LockError> for CliError {
    fn from(error: LockError) -> CliError {
        match error.kind {
            LockErrorKind::Held(_) => CliError::new(Exit::DatabaseHeld, "database_held", error.to_string(), ""),
            LockErrorKind::Io(_) => CliError::new(Exit::Unexpected, "lock_file", error.to_string(), ""),
        }
    }
}

impl From<OfflineError> for CliError {
    fn from(error: OfflineError) -> CliError {
        match error {
            OfflineError::Lock(error) => error.into(),
            OfflineError::Refused(refusal) => refusal.into(),
            OfflineError::Store(error) => error.into(),
        }
    }
}

impl From<RunError> for CliError {
    fn from(error: RunError) -> CliError {
        match error {
            RunError::Lock(error) => error.into(),
            other => CliError::new(Exit::Unexpected, "failed", other.to_string(), ""),
        }
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> CliError {
        CliError::new(Exit::Unexpected, "database", error.detail.as_str(), error.hint())
    }
}

impl From<Refusal> for CliError {
    fn from(refusal: Refusal) -> CliError {
        ApiError::from(refusal).into()
    }
}

impl From<ContractError> for CliError {
    fn from(error: ContractError) -> CliError {
        Refusal::from(error).into()
    }
}

impl From<io::Error> for CliError {
    fn from(error: io::Error) -> CliError {
        CliError::new(Exit::Unexpected, "io", error.to_string(), "")
    }
}

#[cfg(test)]
mod tests {
    use queue_core::task::TaskId;

    use super::*;
    use crate::shell::handle::Unavailable;

    #[test]
    fn each_error_has_its_exit_code() {
        let refusal = || Refusal { code: "unknown_kind", message: String::new(), hint: String::new() };
        let held = || LockError { kind: LockErrorKind::Held(None), path: "q.db.lock".into() };
        let gone = ClientError::NotReachable { socket: None, error: io::ErrorKind::NotFound.into() };
        let table: [(CliError, u8); 10] = [
            (ApiError::no_such_task(TaskId(1)).into(), 4),
            (gone.into(), 5),
            (ClientError::Broken(String::new()).into(), 5),
            (ApiError::from(Unavailable::Stopping).into(), 5),
            (ApiError::from(Unavailable::Overloaded).into(), 6),
            (ApiError::from(Unavailable::Failed(String::new())).into(), 1),
            (OfflineError::Refused(refusal()).into(), 6),
            (OfflineError::Lock(held()).into(), 75),
            (RunError::Lock(held()).into(), 75),
            (CliError::usage("", ""), 2),
        ];
        for (error, code) in table {
            assert_eq!(error.exit as u8, code, "{:?}", error.body);
        }
    }
}
