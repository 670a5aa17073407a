//! The runtime that executes Mutirao tasks: this library for workers written in Rust, and the stock worker for plain commands.
//!
//! A worker is a process of its own that a supervisor starts, feeds over stdin and stdout, and stops. In ten lines:
//!
//! ```no_run
//! use std::process::ExitCode;
//! use worker::{Context, Worker};
//!
//! #[derive(serde::Deserialize)]
//! struct Greet { name: String }
//!
//! fn main() -> ExitCode {
//!     Worker::new()
//!         .task("greet", |_: &Context, args: Greet| -> Result<String, std::io::Error> { Ok(format!("hello, {}", args.name)) })
//!         .run()
//! }
//! ```
//!
//! `runtime::run` plays the same worker over any reader and writer. `stock` runs plain commands, `samples` are the handlers
//! that the contract's checker expects.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod answer;
pub mod cli;
mod context;
mod desk;
mod error;
pub mod exit;
mod failure;
mod handler;
mod post;
pub mod runtime;
pub mod samples;
pub mod stdio;
pub mod stock;
mod sync;
mod text;
mod worker;

pub use context::Context;
pub use desk::Ended;
pub use error::{ErrorKind, WorkerError};
pub use failure::Failure;
pub use handler::Handlers;
pub use ipc_contract::{Level, StopReason};
pub use runtime::SDK;
pub use worker::Worker;
