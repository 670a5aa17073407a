//! `supervisor demo`: real work through a queue of its own, with nothing configured. Uses the parts of the product as a
//! user does: a configuration file, the supervisor, its socket, its rows. Nothing else in the program knows of it.
//!
//! - `plan`: which tasks for which files. `table`: what the rows say, by kind. Both pure.
//! - `files`: what is below a folder. `workspace`: the folder of the queue. `progress`: how far it is.
//! - `engine`: a supervisor on a thread. `drive`: enqueues and waits. `run`: one demo from beginning to end.

mod drive;
mod engine;
mod files;
mod plan;
mod progress;
mod run;
mod table;
mod workspace;

pub use run::run;
