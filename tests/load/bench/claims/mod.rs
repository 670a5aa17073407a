//! What a claim costs in queues of every shape, at one size and at a hundred times that: counted in steps of SQLite's virtual
//! machine, which is exact, and timed beside that.
//!
//! - `shape`: what the queues are like. `filled`: a queue of a shape, and its life cycles. `flat`: the sizes compared.

mod filled;
mod flat;
mod shape;

pub use flat::{ClaimsOptions, Compared, Flatness, claims, compare};
pub use shape::Shape;
