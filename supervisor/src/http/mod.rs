//! The door: HTTP with JSON on a Unix socket that only this user may open. No policy, no rows: what comes in becomes a
//! `TaskSpec` or an `Op`, what goes out is a type of this module.
//!
//! - `serve`: connections, bounded. `routes`: which path is whose. `tasks`, `doctor`: one function per path.
//! - `request`: what is read from a request, within limits. `answer`: replies of the queue as answers. `error`: refusals.
//! - `dto`: the shape of everything that leaves; golden files beside it.

pub mod answer;
mod doctor;
mod door;
pub mod dto;
pub mod error;
mod request;
mod routes;
mod serve;
mod tasks;

pub use error::ApiError;
pub use request::{WAIT_MS_MAX, state_named};
pub use serve::serve;
