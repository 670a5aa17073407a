//! The rows: the only place that knows SQL. Decides nothing; a second database would be a second module beside this one,
//! held by the same conformance suite (`tests/conformance`).
//!
//! - `open`: files, pragmas, migrations. `tx`: begin, commit, and what to do when in doubt.
//! - `hot`: the statements of the tick as cached fragments. `verbs`: what the tick asks of the rows, in domain words.
//! - `rows`: how states and outcomes are spelled. `schema`: the tables, for the query builder.
//! - `read`: single tasks and bounded lists, for people. `doctor`: the invariants as SQL. `rebuild`: the book from rows.

mod doctor;
mod error;
mod hot;
mod open;
mod read;
mod rebuild;
mod rows;
mod schema;
mod tx;
mod verbs;

pub use doctor::Finding;
pub use error::{StoreError, StoreErrorKind};
pub use open::{Durability, Place, Reader, Store};
pub use read::{AttemptView, EndedRun, LIST_MAX, Phase, TaskView};
pub use verbs::{Due, FinalFacts, Head};
