//! `show`: all that is known of one task, in words.

use clap::Args as ClapArgs;

use super::client::blocking;
use super::describe::describe;
use super::exit::{CliError, Exit};
use super::ids::task_id;
use super::output::{self, Format};
use super::place::Place;
use super::source::Source;

#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The id of the task
    #[arg(value_parser = task_id)]
    id: i64,
}

pub fn run(args: &Args, place: &Place, format: Format) -> Result<Exit, CliError> {
    let config = place.load()?;
    let task = blocking(async { Source::open(&config).await?.task(args.id).await })??;
    output::one(format, &task, Some(args.id), || describe(&task))?;
    Ok(Exit::Done)
}
