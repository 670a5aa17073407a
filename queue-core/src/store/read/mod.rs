//! Looking at the rows, for people and programs: single tasks, pages of tasks, logs. Every list is backed by an index and
//! has a limit.
//!
//! - `task`: one task and its attempts. `list`: pages by filter, and `cursor`: where one begins. `log`: what runs printed.
//! - `place`: what stands before a task, and who has closed its way. `look`: who may look.

mod cursor;
mod list;
mod log;
mod look;
mod place;
mod task;

pub use cursor::{BadCursor, Cursor};
pub use list::{Filter, LIST_MAX, LOOKED_AT_MAX, Page};
pub use log::{LOG_PARTS_MAX, LogPart};
pub(super) use task::phase;
pub use task::{ATTEMPTS_MAX, AttemptView, BudgetView, EndedRun, LinePlace, Phase, ProgressView, TaskView};
