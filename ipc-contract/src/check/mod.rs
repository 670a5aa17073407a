//! The conformance checker: plays the supervisor to any worker and says which rule of SPEC.md it breaks.
//!
//! - [`case`](mod@case) and `cases/`: what is played, one function for each rule, written against a [`Peer`].
//! - [`Stage`], [`Peer`] and `process`: the only places that start processes and move bytes.
//! - `pattern`, `value`, [`select`], [`report`]: pure; what matches, what is chosen, what is printed.
//! - [`cli`]: the command line, also of `supervisor contract-test`.

mod calls;
pub mod case;
mod cases;
mod channel;
pub mod cli;
mod failure;
mod hear;
mod interrupt;
mod link;
mod log;
mod options;
mod pattern;
mod peer;
mod probe;
mod proc;
mod process;
pub mod report;
mod runner;
mod save;
pub mod select;
mod spec;
mod stage;
mod tape;
mod value;
mod vector_list;
mod vectors;
pub mod wrong;

pub use case::{Case, Need};
pub use cases::all as all_cases;
pub use channel::Channel;
pub use failure::{Failure, Verdict};
pub use hear::Exits;
pub use peer::Peer;
pub use probe::Profile;
pub use spec::section_title;
pub use stage::Stage;
