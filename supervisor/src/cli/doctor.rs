//! `doctor`: whether everything agrees that should. Finds, never repairs.

use super::client::blocking;
use super::exit::{CliError, Exit};
use super::output::{self, Format};
use super::place::Place;
use super::source::Source;

pub fn run(place: &Place, format: Format) -> Result<Exit, CliError> {
    let config = place.load()?;
    let examination = blocking(async { Source::open(&config).await?.examine().await })??;
    let sound = examination.findings.is_empty();
    let line = |breach: &crate::http::dto::Breach| format!("{}: {}", breach.rule, breach.detail);
    let lines = || examination.findings.iter().map(line).collect::<Vec<_>>().join("\n");
    output::one(format, &examination, None, || if sound { "nothing is wrong".to_owned() } else { lines() })?;
    Ok(if sound { Exit::Done } else { Exit::Unexpected })
}
