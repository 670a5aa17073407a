//! The rows: the only place that knows SQL. Decides nothing; a second database would be a second module beside this one,
//! held by the same conformance suite (`tests/conformance`).
//!
//! - `open`: files, pragmas, migrations. `tx`: begin, commit, and what to do when in doubt.
//! - `statement`: how a cached statement is written. `hot`: those of the tick. `verbs`: what the tick asks of the rows, in domain words;
//!   `line`: that about lanes, gates and meters.
//! - `rows`: how states and outcomes are spelled. `schema`: the tables, for the query builder.
//! - `read/`: single tasks, pages and logs, for people. `doctor`: the invariants as SQL. `rebuild`, `rebuild_lines`: the book from rows;
//!   `relayout`: a queue whose order was configured anew. `steps`: what statements cost, for measurements.

mod doctor;
mod error;
mod hot;
mod line;
mod open;
#[cfg(test)]
mod query_plan;
mod read;
mod rebuild;
mod rebuild_lines;
mod relayout;
mod rows;
mod schema;
mod statement;
mod steps;
mod tx;
mod verbs;

pub use doctor::Finding;
pub use error::{StoreError, StoreErrorKind};
pub use open::{Durability, Place, Reader, Store};
pub use read::{
    ATTEMPTS_MAX, AttemptView, BadCursor, BudgetView, Cursor, EndedRun, Filter, LIST_MAX, LOG_PARTS_MAX, LOOKED_AT_MAX,
    LinePlace, LogPart, Page, Phase, ProgressView, TaskView,
};
pub(crate) use relayout::SLICE;
pub use verbs::{Due, Ended, FinalFacts, Head, SPENT_MAX};
