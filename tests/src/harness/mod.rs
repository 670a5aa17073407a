//! What a system test needs: a place, the programs, and signals to wait for. Nothing here sleeps.
//!
//! - `sandbox`: a folder with a configuration, and everything that happens in it. `programs`: what is under test.
//! - `supervisor`: a running one. `log`: what it says, to be waited for. `output`: what a finished command said.
//! - `fifo`: signals between a test and the processes of its tasks. `process`: deaths, and who is left.
//! - `python`, `node`: these packages as a user has them.
//! - `guard`: when a wait is given up. It is no bound on anything: it only keeps a hanging test from hanging for ever.

mod fifo;
mod guard;
mod log;
mod node;
mod output;
mod process;
mod programs;
mod python;
mod sandbox;
mod service_manager;
mod supervisor;

pub use fifo::Fifo;
pub use guard::HANG_GUARD_S;
pub use log::{Line, Log};
pub use node::node_samples;
pub use output::Output;
pub use process::Watched;
pub use programs::{Programs, programs};
pub use python::{installed_package, python_pool};
pub use sandbox::Sandbox;
pub use service_manager::ServiceManager;
pub use supervisor::Supervisor;
