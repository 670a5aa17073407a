//! The Mutirao supervisor: keeps the queue, and spawns, limits, health-checks and kills the workers that run its tasks.
//!
//! - `core`: decides about processes, pure. `shell`: executes what it commands. `observe`: what is told to operators.
//! - `config`: what the file says and where a task goes. `http`: the door. `cli`: one file per subcommand.
//! - `text`: times and foreign bytes as text. `demo`: real work through a queue of its own.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod cli;
pub mod config;
pub mod core;
mod demo;
pub mod http;
pub mod observe;
pub mod shell;
pub mod text;
