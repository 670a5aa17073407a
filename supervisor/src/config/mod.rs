//! What the program is told: the configuration file, and where a task goes by it. No process, no database, no terminal.
//!
//! - `keys`: every key there is. `document`: the text against these, all that is wrong at once. `raw`: what is left.
//! - `resolved`, and `pool` for pools: what the program uses, complete and checked. `resolve`, with `resolve_pool` for pools
//!   and `queues` for queues: from `raw` to there. `agree`: whether its values agree with each other. Pure.
//! - `units`: durations, sizes, counts.
//! - `host`: whether the programs and rights are there; `prepare`, with `identity` for users and `env_file` for variables: what
//!   the processes of a pool get from it. `load`: which file, and where its paths lead.
//! - `arrange`: one configuration that follows another in the same life; `diff`, with `words`: what changes by that. Pure.
//! - `problem`: how all that is wrong is shown. `error`: the one error.
//! - `offers`: which pool can run what, by the word of its workers.
//! - `route`: from a `TaskSpec` to a `NewTask` with its queue, or a refusal. Pure.

mod agree;
mod arrange;
mod diff;
mod document;
pub(crate) mod env_file;
mod error;
mod host;
mod identity;
mod keys;
mod load;
mod offers;
mod pool;
mod prepare;
mod problem;
mod queues;
mod raw;
mod resolve;
mod resolve_pool;
mod resolved;
mod route;
mod units;
mod words;

pub use arrange::is_retired;
pub use diff::{Diff, Renewal};
pub use error::{ConfigError, ConfigErrorKind};
pub(crate) use host::PATH_DEFAULT;
pub use identity::Identity;
#[cfg(test)]
pub(crate) use keys::key_names;
pub use load::FILE_DEFAULT;
pub use offers::Offers;
pub use pool::{
    BOOT_TIMEOUT_US, COMMANDS_POOL, Channel, Pool, ProcessSpec, Program, Recycle, Scale, UMASK_DEFAULT, WORKERS_MAX,
    WorkerLimits, Workers,
};
pub use prepare::Prepared;
pub use problem::{Problem, Report, in_words};
pub use resolved::{CgroupUse, Config, Host, Kind, MemoryBudget};
pub use route::{Refusal, check_served, priority_of, route};
