//! `cancel`: stops a task, and says "cancelled" only when none of its processes is left.

use clap::Args as ClapArgs;
use serde_json::json;

use super::client::{Client, blocking};
use super::exit::{CliError, Exit};
use super::output::{self, Format};
use super::place::Place;
use super::wait::until_final;

#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The id of the task
    id: i64,
}

pub fn run(args: &Args, place: &Place, format: Format) -> Result<Exit, CliError> {
    let config = place.load()?;
    let outcome = blocking(async {
        let mut client = Client::connect(&config.db).await?;
        let outcome = client.cancel(args.id).await?.outcome;
        if outcome != "stopping" {
            return Ok::<_, CliError>(outcome);
        }
        let state = until_final(&mut client, args.id, None).await?.summary.state;
        // A result that was read before the processes were gone wins over the stop.
        Ok(if state == "cancelled" { state } else { format!("already {state}") })
    })??;
    output::one(format, &json!({ "id": args.id, "outcome": outcome }), Some(args.id), || outcome.clone())?;
    Ok(if outcome.ends_with("cancelled") { Exit::Done } else { Exit::Refused })
}
