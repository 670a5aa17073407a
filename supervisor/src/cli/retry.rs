//! `retry`: makes final tasks available once more.

use clap::Args as ClapArgs;

use super::client::{Client, blocking};
use super::exit::{CliError, Exit};
use super::ids::{self, Outcome, task_id};
use super::output::Format;
use super::place::Place;

#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The ids of tasks that are completed, failed or cancelled
    #[arg(required = true, value_name = "ID", value_parser = task_id)]
    ids: Vec<i64>,
}

pub fn run(args: &Args, place: &Place, format: Format) -> Result<Exit, CliError> {
    let config = place.load()?;
    let results = blocking(async {
        let mut client = Client::connect(&config.db).await?;
        let mut results = Vec::new();
        for id in &args.ids {
            let retried = client.retry(*id).await;
            results.push(retried.map(|told| Outcome { id: *id, outcome: told.outcome }).map_err(CliError::from));
        }
        Ok::<_, CliError>(results)
    })??;
    ids::tell(results, |_| true, format)
}
