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
    match format {
        Format::Json => output::json(&examination)?,
        Format::Table if sound => output::data("nothing is wrong")?,
        Format::Table => {
            let line = |breach: &crate::http::dto::Breach| format!("{}: {}", breach.rule, breach.detail);
            output::data(&examination.findings.iter().map(line).collect::<Vec<_>>().join("\n"))?;
        }
    }
    Ok(if sound { Exit::Done } else { Exit::Unexpected })
}
