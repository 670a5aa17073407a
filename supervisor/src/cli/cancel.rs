//! `cancel`: stops tasks, and says "cancelled" of each only when none of its processes is left.

use clap::Args as ClapArgs;

use super::client::{Client, blocking};
use super::exit::{CliError, Exit};
use super::ids::{self, Outcome, task_id};
use super::output::Format;
use super::place::Place;
use super::wait::until_final;

#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The ids of the tasks
    #[arg(required = true, value_name = "ID", value_parser = task_id)]
    ids: Vec<i64>,
}

pub fn run(args: &Args, place: &Place, format: Format) -> Result<Exit, CliError> {
    let config = place.load()?;
    let results = blocking(async {
        let mut client = Client::connect(&config.db).await?;
        let mut results = Vec::new();
        // All are told before any is waited for.
        for id in &args.ids {
            let cancelled = client.cancel(*id).await;
            results.push(cancelled.map(|told| Outcome { id: *id, outcome: told.outcome }).map_err(CliError::from));
        }
        for result in &mut results {
            if let Ok(Outcome { id, outcome }) = result
                && outcome == "stopping"
            {
                let state = until_final(&mut client, *id, None).await?.summary.state;
                // A result that was read before the processes were gone wins over the stop.
                *outcome = if state == "cancelled" { state } else { format!("already {state}") };
            }
        }
        Ok::<_, CliError>(results)
    })??;
    ids::tell(results, |outcome| outcome.ends_with("cancelled"), format)
}
