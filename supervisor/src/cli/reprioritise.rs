//! `reprioritise`: gives waiting tasks another priority, as if they had always had it.

use clap::Args as ClapArgs;

use super::client::{Client, blocking};
use super::exit::{CliError, Exit};
use super::ids::{self, Outcome, task_id};
use super::output::Format;
use super::place::Place;
use super::task_options::priority;

#[derive(ClapArgs, Debug)]
pub struct Args {
    /// Lower runs first: -100 to 100, or critical, high, normal, low, bulk
    #[arg(allow_hyphen_values = true)]
    priority: String,
    /// The ids of tasks that wait
    #[arg(required = true, value_name = "ID", value_parser = task_id)]
    ids: Vec<i64>,
}

pub fn run(args: &Args, place: &Place, format: Format) -> Result<Exit, CliError> {
    let config = place.load()?;
    let priority = priority(&args.priority);
    let results = blocking(async {
        let mut client = Client::connect(&config.db).await?;
        let mut results = Vec::new();
        for id in &args.ids {
            let told = client.reprioritise(*id, &priority).await;
            let outcome = told.map(|told| Outcome { id: *id, outcome: format!("priority {}", told.priority) });
            results.push(outcome.map_err(CliError::from));
        }
        Ok::<_, CliError>(results)
    })??;
    ids::tell(results, |_| true, format)
}
