//! Executes what the machine commands: threads, processes, pipes, signals, the database. Decides nothing.
//!
//! - `run`: a life from lock to close. `start`: its beginning. `event_loop`: the one place where everything comes together.
//! - `writer`, `pending`: the thread that owns the database, and what waits for it. `offline`: one op without a supervisor.
//! - `spawner`, `hunt`, `launch`: how workers come and go. `plan`, `shim`, `exec`: what their processes do to themselves before. `quarters`,
//!   with `cgroup`, `temp` and `clear`: what each gets from the host. `former_life`: what an earlier supervisor left.
//! - `worker_io`, `tail`: a worker's channel and output.
//! - `change`: how another configuration comes into force. `reload`, `watch`: why and when it is read anew.
//! - `notify`: what a service manager is told. `pulse`: whether we live, and are ready.
//! - `handle`: what the door has of all this; `unavailable`: why it may not. `examine`: `doctor`, live; `inquiry`: what only the
//!   writer can tell; `stats`: counts.
//! - `parent`, `ready_file`: for programs that start a supervisor.
//! - `lock`, `socket`, `signals`, `clock`, `procfs`: the system, one face each.

pub mod cgroup;
mod change;
mod clear;
mod clock;
mod event_loop;
mod examine;
mod exec;
mod former_life;
pub mod handle;
pub mod host;
mod hunt;
pub mod inquiry;
mod launch;
pub mod lock;
pub mod notify;
pub mod offline;
pub mod parent;
mod pending;
pub mod plan;
pub mod procfs;
pub mod pulse;
mod quarters;
mod ready_file;
pub mod reload;
mod run;
mod sample;
pub mod shim;
mod signals;
pub mod socket;
mod spawner;
mod start;
pub mod stats;
mod tail;
mod temp;
pub mod unavailable;
mod watch;
mod worker_io;
mod writer;

pub use event_loop::Life;
pub use run::{ConfigFile, Manager, RunError, RunOptions, Stops, run, stops};
