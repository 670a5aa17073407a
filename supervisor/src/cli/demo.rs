//! `demo`: real work through a queue of its own; all of it is in `crate::demo`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::exit::{CliError, Exit};
use crate::demo;

#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The folder whose files are worked on; without it, the current one
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
    /// Keep the queue in this folder: started again, it goes on where it was
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

pub fn run(args: &Args) -> Result<Exit, CliError> {
    demo::run(args.path.as_deref(), args.keep.as_deref())
}
