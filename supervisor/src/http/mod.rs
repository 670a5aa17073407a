//! The door: HTTP with JSON on a Unix socket that only this user may open. No policy, no rows: what comes in becomes a
//! `TaskSpec` or an `Op`, what goes out is a type of this module.
//!
//! - `serve`: connections, bounded. `routes`: which path is whose. `tasks`, `queues`, `explain`, `logs`, `pools`, `stats`,
//!   `system`, `doctor`, `health`, `reload`: one function per path.
//! - `request`, `parameters`, `bulk`: what is read from a request, within limits. `answer`: replies of the queue as answers.
//!   `error`: refusals. `reading`: what of a log is read next.
//! - `sentences`: where tasks stand and why, for people.
//! - `dto`: the shape of everything that leaves; golden files beside it.

pub mod answer;
mod bulk;
mod doctor;
mod door;
pub mod dto;
pub mod error;
mod explain;
mod health;
mod logs;
mod parameters;
mod pools;
mod queues;
mod reading;
mod reload;
mod request;
mod routes;
pub mod sentences;
mod serve;
mod stats;
mod system;
mod tasks;

pub use bulk::BULK_TASKS_MAX;
pub use error::ApiError;
pub use parameters::{WAIT_MS_MAX, cursor_named, state_named};
pub use pools::{NewScale, StopWorker};
pub use queues::{PAUSE_MS_MAX, Pause, Resume};
pub use reading::{Next, Reading, Standing};
pub use request::BODY_BYTES_MAX;
pub use serve::serve;
pub use tasks::NewPriority;
