//! The rows: the only place that knows SQL. Decides nothing; a second database would be a second module beside this one,
//! held by the same conformance suite (`tests/conformance`).
//!
//! - `open`: files, pragmas, migrations. `tx`: begin, commit, and what to do when in doubt.
//! - `statement`: how a cached statement is written. `hot`: those of the tick. `verbs`: what the tick asks of the rows, in domain words.
//! - `rows`: how states and outcomes are spelled. `schema`: the tables, for the query builder.
//! - `read/`: single tasks, pages and logs, for people. `doctor`: the invariants as SQL. `rebuild`: the book from rows.

mod doctor;
mod error;
#[cfg(test)]
mod explain;
mod hot;
mod open;
mod read;
mod rebuild;
mod rows;
mod schema;
mod statement;
mod tx;
mod verbs;

pub use doctor::Finding;
pub use error::{StoreError, StoreErrorKind};
pub use open::{Durability, Place, Reader, Store};
pub use read::{
    ATTEMPTS_MAX, AttemptView, BadCursor, Cursor, EndedRun, Filter, LIST_MAX, LOG_PARTS_MAX, LOOKED_AT_MAX, LogPart,
    Page, Phase, ProgressView, TaskView,
};
pub use verbs::{Due, Ended, FinalFacts, Head, SPENT_MAX};
