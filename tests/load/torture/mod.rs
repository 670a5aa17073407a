//! The torture: kills the supervisor and its workers at random moments of real work, and counts what is lost. The moments
//! are drawn from a seed and come by progress, not by time.
//!
//! - `run`: the whole. `plan`: which kill at which progress. Pure. `killer`, `clients`: those who do it.
//! - `blocked`: handlers that give no sign of life, in a run of its own. `pools`: what pools promise, likewise.
//! - `progress`: what has happened so far, to be waited for. `mark`: what each run of a task tells of itself, on its own side.
//! - `verdict`: what must be true in the end. `outcome`: its figures, or what was violated, in words.

mod blocked;
mod clients;
mod killer;
mod mark;
mod outcome;
mod plan;
mod pools;
mod progress;
mod run;
mod verdict;

pub use blocked::{Blocked, blocked};
pub use mark::{Work, mark, worker};
pub use outcome::Outcome;
pub use pools::{Pools, Report, pools};
pub use run::{Options, run};
