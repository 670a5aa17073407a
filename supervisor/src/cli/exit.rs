//! The exit codes, which are part of the interface, and the one error of the command line. Each error of the inside gets its
//! code here.

use std::io;
use std::process::ExitCode;

use axum::http::StatusCode;
use ipc_contract::ContractError;
use queue_core::store::{StoreError, StoreErrorKind};

use super::client::ClientError;
use crate::config::{ConfigError, Refusal};
use crate::http::ApiError;
use crate::http::error::ErrorBody;
use crate::shell::RunError;
use crate::shell::lock::{LockError, LockErrorKind};
use crate::shell::offline::OfflineError;

macro_rules! exits {
    ($($id:ident = $code:literal, $meaning:literal;)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Exit {
            $(#[doc = $meaning] $id = $code,)+
        }
        impl Exit {
            /// Every code and what it means.
            pub const ALL: &[(Exit, &'static str)] = &[$((Exit::$id, $meaning),)+];
        }
    };
}

exits! {
    Done = 0, "done";
    Unexpected = 1, "something unexpected, such as a full disk; `doctor`: something is wrong; `health`: not ready; `run --until-empty`: tasks are left";
    Usage = 2, "the arguments make no sense";
    InvalidConfig = 3, "the configuration cannot be used";
    NotFound = 4, "there is no such task, pool or worker, or nothing matched";
    NotReachable = 5, "no supervisor answers";
    Refused = 6, "refused, by the supervisor or by the rights of a file";
    TimedOut = 7, "the wait timed out; the task goes on";
    SchemaUnknown = 8, "the database was written by a newer version";
    TaskFailed = 20, "the task failed, whatever the reason";
    TaskCancelled = 21, "the task was cancelled";
    DatabaseHeld = 75, "another process holds the database; try again later";
}

/// The table of codes for the help.
pub fn codes() -> String {
    let line = |(exit, meaning): &(Exit, &str)| format!("  {:<4} {meaning}\n", *exit as u8);
    let signal = "  128+ ended by a signal: 130 by SIGINT, 143 by SIGTERM; `run` stopped in order ends with 0, unless it was to go on --until-empty";
    format!("Exit codes:\n{}{signal}", Exit::ALL.iter().map(line).collect::<String>())
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
        CliError { exit, body: ErrorBody::new(code, message, hint) }
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
                CliError::new(
                    Exit::NotReachable,
                    "not_reachable",
                    message,
                    "start one with `supervisor run`, as the user whom it belongs to",
                )
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
        match &error.kind {
            LockErrorKind::Held(_) => CliError::new(Exit::DatabaseHeld, "database_held", error.to_string(), ""),
            LockErrorKind::Io(io) => CliError::new(of_io(io), "lock_file", error.to_string(), ""),
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
            RunError::Store { path, error } => {
                let CliError { exit, body } = error.into();
                let message = format!("the database {path} cannot be used: {}", body.message);
                CliError { exit, body: ErrorBody { message, ..body } }
            }
            RunError::Host(_) => CliError::new(Exit::InvalidConfig, "invalid_config", error.to_string(), ""),
            RunError::Io { what, error } => CliError::new(of_io(&error), "failed", format!("{what}: {error}"), ""),
        }
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> CliError {
        let exit = match error.kind {
            StoreErrorKind::Access => Exit::Refused,
            StoreErrorKind::Missing => Exit::NotFound,
            StoreErrorKind::Newer | StoreErrorKind::Older => Exit::SchemaUnknown,
            StoreErrorKind::Busy => Exit::DatabaseHeld,
            _ => Exit::Unexpected,
        };
        CliError::new(exit, "database", error.detail.as_str(), error.hint())
    }
}

/// Rights, and what is in the way, are for the user to change.
fn of_io(error: &io::Error) -> Exit {
    use io::ErrorKind::{AlreadyExists, IsADirectory, NotFound, PermissionDenied, ReadOnlyFilesystem};
    match error.kind() {
        AlreadyExists | IsADirectory | NotFound | PermissionDenied | ReadOnlyFilesystem => Exit::Refused,
        _ => Exit::Unexpected,
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
    use crate::shell::unavailable::Unavailable;

    #[test]
    fn each_error_has_its_exit_code() {
        let refusal = || Refusal { code: "unknown_kind", message: String::new(), hint: String::new() };
        let held = || LockError { kind: LockErrorKind::Held(None), path: "q.db.lock".into() };
        let gone = ClientError::NotReachable { socket: None, error: io::ErrorKind::NotFound.into() };
        let store = |kind| RunError::Store { path: "q.db".into(), error: StoreError { kind, detail: String::new() } };
        let io = |kind: io::ErrorKind| RunError::Io { what: String::new(), error: kind.into() };
        let table: [(CliError, u8); 16] = [
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
            (store(StoreErrorKind::Newer).into(), 8),
            (store(StoreErrorKind::Access).into(), 6),
            (store(StoreErrorKind::Busy).into(), 75),
            (store(StoreErrorKind::Full).into(), 1),
            (io(io::ErrorKind::PermissionDenied).into(), 6),
            (io(io::ErrorKind::StorageFull).into(), 1),
        ];
        for (error, code) in table {
            assert_eq!(error.exit as u8, code, "{:?}", error.body);
        }
    }

    #[test]
    fn the_help_has_every_code_once_and_in_order() {
        let codes: Vec<u8> = Exit::ALL.iter().map(|(exit, _)| *exit as u8).collect();
        assert!(codes.is_sorted_by(|a, b| a < b), "{codes:?}");
        let help = super::codes();
        assert!(help.contains("\n  75   another process holds the database"), "{help}");
        assert_eq!(help.lines().count(), codes.len() + 2);
    }
}
