//! The cases, one file for each area.

mod all;
mod beat;
mod error;
mod frame;
mod hello;
mod init;
mod limit;
mod note;
mod pure;
mod quit;
mod stop;
mod talk;
mod task;
mod vector;
mod wire;

pub use all::all;
