//! The process machine: who runs, who starts, who dies. Pure: time and random words are arguments, and nothing here is
//! async, reads a clock, a file or a process. The shell executes what it commands.
//!
//! - `event`, `command`: the two closed vocabularies. `machine`: one synchronous `handle` over them.
//! - `slot`: one worker process as the machine knows it. `frames`: what a worker says. `stopping`: ladders and shutdown.
//! - `pool`: what is known of a pool. `load`: what it measured. `scaling`: how many workers that makes; `rescale`: when that is
//!   looked at. `staff`: who starts and who has to go; `leave`: how they do. `recycle`: when one that is well is replaced. `memory`: who fits, who makes
//!   room, who had too much. `health`: the states of a pool. `death`: what follows one. `stop`: the ladder's times.
//! - `order`: what operators want; `operator`: what follows. `reload`: another configuration. `decisions`: what was decided, for people; `view`: a pool
//!   as they see it.
//! - `timers`: all deadlines in one table. `ending`: how the end of a run is told. `outlook`: whether what is left can be run.
//! - `notes`: what runs say of themselves, and what they print. `run_log`, `log_lines`, `log_line`: how that is kept.
//! - `log_budget`: how much of what a worker logs is passed on.

#[cfg(test)]
mod boot_tests;
pub mod command;
#[cfg(test)]
mod credit_tests;
mod death;
pub mod decisions;
pub mod ending;
pub mod event;
#[cfg(test)]
mod follow_tests;
mod frames;
#[cfg(test)]
mod hang_tests;
pub mod health;
pub mod host;
mod leave;
pub mod load;
pub mod log_budget;
pub mod log_line;
mod log_lines;
pub mod machine;
mod memory;
mod notes;
mod operator;
pub mod order;
mod outlook;
#[cfg(test)]
mod play;
pub mod pool;
#[cfg(test)]
mod pool_tests;
pub mod recycle;
mod reload;
mod rescale;
pub mod run_log;
#[cfg(test)]
mod run_tests;
#[cfg(test)]
mod scale_tests;
pub mod scaling;
pub mod slot;
mod staff;
pub mod stop;
#[cfg(test)]
mod stop_tests;
mod stopping;
pub mod timers;
pub mod view;

pub use command::{Command, Report, Signal};
pub use event::{Event, Exit, Sample, WorkerExit};
pub use host::{HostFacts, MemoryCap};
pub use machine::Machine;
pub use order::{Leave, Order};
pub use outlook::{Left, Outlook};
pub use pool::PoolSpec;
pub use view::{HeldBy, KindView, PoolHold, PoolView, WorkerView};
