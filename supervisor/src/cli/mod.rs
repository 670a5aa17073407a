//! The command line: one file per subcommand, and what they share. Decides nothing about tasks: it asks the supervisor
//! through its socket, or reads the database when none is up, and says which.
//!
//! - `app`: the tree of commands. `place`, `task_options`, `fields`, `ids`: arguments. `exit`: codes and errors.
//! - `client`, `log_stream`: the other end of `http`; also for tests and load programs. `source`: a supervisor, or the file.
//! - `submit`: the way in of a task. `describe`: a task in words; `pool_text`: a
//!   pool. `output`: forms and streams. `table`, `colour`: for terminals.

mod add;
mod app;
mod bulk;
mod cancel;
mod check;
pub mod client;
mod colour;
mod completions;
mod contract_test;
mod demo;
pub(crate) mod describe;
mod doctor;
mod enqueue;
pub mod exit;
mod explain;
mod fields;
mod health;
mod ids;
mod init;
mod list;
pub mod log_stream;
mod logs;
pub(crate) mod output;
mod pause;
mod place;
mod pool;
mod pool_text;
mod reload;
mod reprioritise;
mod retry;
mod run;
mod show;
mod source;
mod stats;
mod submit;
mod system;
mod table;
mod task_options;
pub(crate) mod wait;
mod worker;

pub use app::App;
