//! What this host gives: read from the system, and told as guarantees.
//!
//! - `facts`: what is seen. `report`: what follows from it, pure.

mod facts;
mod report;

pub use facts::Facts;
pub use report::{Line, report};
