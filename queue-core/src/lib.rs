//! The durable queue of Mutirao: tasks and policy (pure), and the store (SQLite through Diesel, blocking).
//!
//! - `task`, `priority`, `retry`, `policy`: values. `state`: the one `transition`. `plan`: who is claimed next.
//! - `lane`: the tasks of one key. `meter`: a balance that refills. `hold`: what both may say. `explain/`: why tasks wait, for people. `pace`: how fast queues go.
//! - `backlog`: what waits for the workers of a pool.
//! - `book`: the in-memory mirror; `overlay`: what a turn changes of it. `op`: what goes in and comes out. `tick`: one turn, one transaction. `recover`: the first. `reconfigure`: other policies between two of them.
//! - `store`: the only place that knows SQL.
//!
//! No async, no clock, no randomness, no process here: time and random words are arguments. Does not know the contract.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod backlog;
pub mod book;
pub mod diagram;
pub mod explain;
pub mod hold;
pub mod lane;
pub mod meter;
pub mod op;
mod overlay;
mod pace;
pub mod plan;
pub mod policy;
pub mod priority;
pub mod reconfigure;
pub mod recover;
pub mod retry;
pub mod state;
pub mod store;
pub mod task;
pub mod tick;
