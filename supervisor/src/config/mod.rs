//! What the program is told: the configuration file, and where a task goes by it. No process, no database, no terminal.
//!
//! - `raw`: what the file says. `resolved`: what the program uses, complete and checked. `resolve`: from one to the other.
//! - `load`: which file, and where its paths lead. `error`: what is wrong with it, all at once.
//! - `route`: from a `TaskSpec` to a `NewTask` with its queue, or a refusal. Pure.

mod error;
mod load;
mod raw;
mod resolve;
mod resolved;
mod route;

pub use error::{ConfigError, ConfigErrorKind};
pub use load::FILE_DEFAULT;
pub use resolve::{COMMANDS_POOL, WORKERS_MAX};
pub use resolved::{Config, Kind, Pool, Program};
pub use route::{Offers, Refusal, route};
