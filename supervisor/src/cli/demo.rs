//! `demo`: real work through a queue of its own; all of it is in `crate::demo`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::exit::{CliError, Exit};
use super::output::Format;
use super::place::Place;
use crate::demo;

#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The folder whose files are worked on; without it, the current one
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
    /// Keep the queue in this folder: started again, it goes on where it was
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Stay up when the work is done, and say what to type next
    #[arg(long)]
    serve: bool,
}

pub fn run(args: &Args, place: &Place, format: Format) -> Result<Exit, CliError> {
    if place.is_named() {
        let hint = "leave --config and --db out; --keep DIR says where its queue is";
        return Err(CliError::usage("the demo has a queue and a configuration of its own", hint));
    }
    if format != Format::Table {
        return Err(CliError::usage(
            "the demo is told to people only",
            "leave -o out; list its tasks with -o json later",
        ));
    }
    let Args { path, keep, serve } = args;
    demo::run(&demo::Options { path: path.as_deref(), keep: keep.as_deref(), serve: *serve })
}
