//! Fuzzing of the contract, on the stable toolchain: no coverage, but a second opinion on every answer.
//!
//! - `job` runs so many executions of a [`Target`] from a seed; `pool` keeps the inputs that show something new, by `trail`.
//! - `decoder`, `message`, `session`, `json` are the targets. `value`, `grammar` and `model` are the rules of SPEC.md written
//!   a second time, and share no code with what they judge.
//! - `edges`: messages at the limits. `mutate`, `reshape`: other inputs from an input. `rng`: the one source of chance. `files`: the only input and output.
//! - `corpus/` holds inputs that were found so, as small as they could be made: `fuzz-contract --grow` writes it.

mod decoder;
mod edges;
mod files;
mod grammar;
mod job;
mod json;
mod message;
mod model;
mod mutate;
mod pool;
mod reshape;
mod rng;
mod session;
mod target;
mod trail;
mod value;

pub use files::{corpus, target_of, write_corpus, write_failure};
pub use job::{Report, THREAD_PREFIX, plan, replay, run};
pub use pool::distil;
pub use target::Target;
