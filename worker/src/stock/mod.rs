//! The stock worker: runs plain commands, so that a task needs no worker of its own. Each command gets a process group of its
//! own, nothing on stdin, and the stderr of the worker, which is the log of its run; its stdout is its result, and goes to the
//! log as well.
//!
//! The worker is the keeper of its commands: when the first process of a command has ended, however it ended, what is left
//! below it is killed before the answer leaves. So a retry never overlaps with what the last run left behind.
//!
//! Two promises have a border. What a command hands to another service (a daemon that it talks to) is not below it. And the
//! peak memory of a command is at least that of this worker when it was started, some megabytes.

mod capture;
mod command;
mod echo;
mod keeper;
mod leftovers;
mod offer;
mod stream;
mod verdict;

pub use offer::{COMMAND_KIND, run};
