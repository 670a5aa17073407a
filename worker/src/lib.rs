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
//! [`testing`] runs one handler in a test, [`Worker::play`] a whole worker over any reader and writer. `stock` runs plain
//! commands, `samples` are the handlers that the contract's checker expects. The feature `tokio` brings async handlers and
//! the `client`, for programs that want work done.

#![cfg_attr(test, allow(clippy::unwrap_used))]

/// Its examples are tested.
#[cfg(all(doctest, feature = "tokio"))]
#[doc = include_str!("../README.md")]
pub struct Readme;

mod answer;
#[cfg(feature = "tokio")]
mod async_runs;
pub mod cli;
#[cfg(feature = "tokio")]
pub mod client;
mod context;
mod crew;
mod desk;
mod ended;
mod error;
pub mod exit;
mod failure;
mod follow_ups;
mod handler;
mod notes;
mod outlet;
mod post;
mod promise;
mod running;
mod runtime;
pub mod samples;
mod spec;
pub mod stdio;
pub mod stock;
mod stop;
mod sync;
pub mod testing;
mod text;
mod worker;

pub use context::{Context, Receipt};
pub use ended::Ended;
pub use error::{ErrorKind, WorkerError};
pub use failure::Failure;
pub use ipc_contract::{ContractError, Level, Payload, PrioritySpec, Retry, Scope, StopReason, TaskSpec};
pub use outlet::Start;
pub use runtime::SDK;
pub use spec::task;
pub use worker::Worker;
