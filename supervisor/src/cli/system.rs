//! `system`: which guarantees this host gives to a supervisor, and what is lost where it does not.

use std::path::Path;

use super::client::{Client, blocking};
use super::exit::{CliError, Exit};
use super::output::{self, Format, note};
use super::place::Place;
use crate::config::{Config, FILE_DEFAULT};
use crate::http::dto::{Feature, System};
use crate::shell::cgroup::{Layout, look};
use crate::shell::host::Facts;

/// A database that nobody makes.
const DB_NONE: &str = "none.db";

pub fn run(place: &Place, format: Format) -> Result<Exit, CliError> {
    // A host can be looked at before there is a configuration: then with the built-in pool alone.
    let config = match place.is_named() || Path::new(FILE_DEFAULT).exists() {
        true => place.load()?,
        false => Config::load(None, Some(Path::new(DB_NONE)))?,
    };
    let system = blocking(async { ask_or_look(&config).await })??;
    output::one(format, &system, None, || words(&system))?;
    Ok(Exit::Done)
}

async fn ask_or_look(config: &Config) -> Result<System, CliError> {
    match Client::connect(&config.db).await {
        Ok(mut client) => Ok(client.system().await?),
        Err(_) => Ok(seen(config)),
    }
}

/// Without a supervisor: what one would find that is started here and now.
fn seen(config: &Config) -> System {
    note("no supervisor is up: this is what one would find that is started here");
    System::of(&Facts::here(config, look(&Layout::here(), &config.host.cgroup)))
}

fn words(system: &System) -> String {
    let paragraph = |Feature { feature, state, guarantee, lost }: &Feature| {
        let lost = lost.as_ref().map(|lost| format!("\n  lost here: {lost}")).unwrap_or_default();
        format!("\n\n{feature}: {state}\n  gives: {guarantee}{lost}")
    };
    let features: String = system.features.iter().map(paragraph).collect();
    format!("Linux {}, {} cores{features}", system.kernel, system.cores)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_is_told_by_what_it_gives_and_what_is_not_by_what_is_lost() {
        let system: System = serde_json::from_str(include_str!("../http/golden/system.json")).unwrap();
        let told = words(&system);
        assert!(told.starts_with("Linux 6.12.0, 4 cores\n\n"), "{told}");
        let paragraph = |feature: &str| told.split("\n\n").find(|paragraph| paragraph.starts_with(feature)).unwrap();
        assert!(
            paragraph("leftovers: ").lines().count() == 2 && paragraph("leftovers").ends_with("was killed"),
            "{told}"
        );
        assert!(paragraph("cpu limit: ").contains("\n  gives: "), "{told}");
        assert!(
            paragraph("cpu limit").contains("\n  lost here: ") && paragraph("cpu limit").ends_with("`nice` has"),
            "{told}"
        );
    }
}
