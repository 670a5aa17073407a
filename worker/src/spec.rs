//! How a task to be is written down. What it may be is decided by `TaskSpec`.

use ipc_contract::{ContractError, Payload, TaskSpec};
use serde::Serialize;

/// A task of a kind, with its args. The fields of the rest are those of [`TaskSpec`]:
///
/// ```
/// use worker::{ContractError, TaskSpec, task};
///
/// # fn main() -> Result<(), ContractError> {
/// let later = TaskSpec { delay_ms: Some(60_000), ..task("greet", &("Ada", 3))? };
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// `Value` or `TooDeep` for args that cannot travel.
pub fn task<A: Serialize + ?Sized>(kind: &str, args: &A) -> Result<TaskSpec, ContractError> {
    Ok(TaskSpec { kind: kind.to_owned(), args: Payload::of(args)?, ..TaskSpec::default() })
}
