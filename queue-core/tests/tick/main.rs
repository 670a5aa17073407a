//! The tick over the real store, case by case: what is asked, what is due, what is claimed, and what goes wrong.

#![allow(clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

mod backlog;
mod bulk;
mod cancel;
mod claim;
mod ends;
mod enqueue;
mod explain;
mod follow;
mod lanes;
mod old;
mod order;
mod reconfigure;
mod restart;
mod retry;
mod say;
mod shorthand;
mod trouble;
