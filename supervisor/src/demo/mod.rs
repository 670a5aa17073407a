//! `supervisor demo`: real work through a queue of its own, with nothing configured. Uses the parts of the product as a
//! user does: a configuration file, the supervisor, its socket, its rows. Nothing else in the program knows of it.
//!
//! - `plan`: which tasks for which files. `table`: what the rows say, by kind. `next`: what to type next. All pure.
//! - `files`: what is below a folder. `workspace`: the folder of the queue. `package`, `python`: the Python part, and whether
//!   this host can run it. `programs`: what the shell finds. `progress`: how far it is.
//! - `engine`: a supervisor on a thread. `drive`: enqueues and waits. `application`: a program in Python that does the same.
//! - `run`: one demo from beginning to end. `former`: what an earlier one left. `report`: what is said at the end.

mod application;
mod drive;
mod engine;
mod files;
mod former;
mod next;
mod package;
mod plan;
mod programs;
mod progress;
mod python;
mod report;
mod run;
mod table;
mod workspace;

pub use run::{Options, run};
