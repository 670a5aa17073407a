//! `reload`: the supervisor reads its configuration file anew; what has changed by that.

use super::client::{Client, ClientError, blocking};
use super::exit::{CliError, Exit};
use super::output::{self, Format};
use super::place::Place;

pub fn run(place: &Place, format: Format) -> Result<Exit, CliError> {
    let config = place.load()?;
    let reloaded = blocking(async { Client::connect(&config.db).await?.reload().await })?;
    let reloaded = reloaded.map_err(unusable)?;
    let nothing = || "nothing has changed".to_owned();
    let words = || if reloaded.changes.is_empty() { nothing() } else { reloaded.changes.join("\n") };
    output::one(format, &reloaded, None, words)?;
    Ok(Exit::Done)
}

/// A configuration that the supervisor cannot use is what it is for every other command.
fn unusable(error: ClientError) -> CliError {
    let error = CliError::from(error);
    if error.body.code == "config_refused" { CliError { exit: Exit::InvalidConfig, ..error } } else { error }
}
