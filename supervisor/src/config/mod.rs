//! What the program is told: the configuration file, and where a task goes by it. No process, no database, no terminal.
//!
//! - `keys`: every key there is. `document`: the text against these, all that is wrong at once. `raw`: what is left.
//! - `resolved`: what the program uses, complete and checked. `resolve`, and `queues` for what is said of
//!   queues: from `raw` to there. Pure.
//! - `host`: whether the programs and rights are there. `load`: which file, and where its paths lead.
//! - `problem`: how all that is wrong is shown. `error`: the one error.
//! - `offers`: which pool can run what, by the word of its workers.
//! - `route`: from a `TaskSpec` to a `NewTask` with its queue, or a refusal. Pure.

mod document;
mod error;
mod host;
mod keys;
mod load;
mod offers;
mod problem;
mod queues;
mod raw;
mod resolve;
mod resolved;
mod route;

pub use error::{ConfigError, ConfigErrorKind};
#[cfg(test)]
pub(crate) use keys::key_names;
pub use load::FILE_DEFAULT;
pub use offers::Offers;
pub use problem::{Problem, Report};
pub use resolve::{COMMANDS_POOL, WORKERS_MAX};
pub use resolved::{Channel, Config, Kind, Pool, Program};
pub use route::{Refusal, check_served, priority_of, route};
