//! Where tasks stand and why, in sentences. Pure: what is known is an argument.
//!
//! - `state`: where a task stands. `hold`: one thing that is waited for. `task`, `queue`: all of it together.

mod hold;
mod queue;
mod state;
mod task;

pub use queue::explain_queue;
pub use state::state_of;
pub use task::{explain_offline, explain_task, not_waiting};
