//! The shapes of everything that leaves: JSON objects of their own, so that rows and domain types may change. Pure.
//!
//! - `task`: tasks, their runs, and pages of them. `answers`: what became of a request. `explanation`: why tasks wait. `stats`: how many stand where.
//!   `health`: how the supervisor is. `pool`: pools, their workers, what was decided about them. `system`: what the host gives.
//! - `log_line`: what a run printed. Golden files in `../golden`.

mod answers;
mod explanation;
mod health;
mod log_line;
mod pool;
mod stats;
mod system;
mod task;
#[cfg(test)]
mod tests;

pub use answers::{Breach, Cancelled, Enqueued, EnqueuedAll, Examination, QueueGate, Reloaded, Reprioritised, Retried};
pub use explanation::{HeldKey, HoldText, QueueExplanation, TaskExplanation};
pub use health::{Live, Readiness};
pub use log_line::LogLine;
pub use pool::{Decision, KindLoad, Pool, PoolList, PoolSummary, StoppedWorker, Worker};
pub use stats::{PoolStats, QueueStats, Stats};
pub use system::{Feature, System};
pub use task::{Attempt, Budget, Progress, Task, TaskList, TaskSummary};
