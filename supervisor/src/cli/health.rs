//! `health`: whether a supervisor lives and is ready, for whoever looks after it.

use std::time::Duration;

use clap::Args as ClapArgs;

use super::client::{Client, ClientError, blocking};
use super::exit::{CliError, Exit};
use super::output::{self, Format};
use super::place::Place;
use crate::http::dto::{Live, Readiness};
use crate::shell::pulse::ANSWER_WITHIN;

/// Its own answer that it hangs comes before.
const PATIENCE: Duration = ANSWER_WITHIN.saturating_add(Duration::from_secs(5));

#[derive(ClapArgs, Debug)]
pub struct Args {
    /// Ask only whether it lives, ready or not: its event loop and its writer answer
    #[arg(long)]
    live: bool,
}

pub fn run(args: &Args, place: &Place, format: Format) -> Result<Exit, CliError> {
    let config = place.load()?;
    let asked = async {
        let mut client = Client::connect(&config.db).await?;
        if args.live {
            let live = client.live().await?.live;
            return Ok((live, None));
        }
        let readiness = client.readiness().await?;
        Ok((readiness.ready, Some(readiness)))
    };
    let told = blocking(async { tokio::time::timeout(PATIENCE, asked).await })?;
    let (good, readiness) = told.unwrap_or_else(|_| silent())?;
    match &readiness {
        Some(readiness) => output::one(format, readiness, None, || words(readiness))?,
        None => output::one(format, &Live { live: good }, None, || if good { "live" } else { "not live" }.to_owned())?,
    }
    Ok(if good { Exit::Done } else { Exit::Unexpected })
}

fn silent<T>() -> Result<T, ClientError> {
    Err(ClientError::Broken(format!("nothing came within {} s", PATIENCE.as_secs())))
}

fn words(readiness: &Readiness) -> String {
    if readiness.ready { "ready".to_owned() } else { format!("not ready: {}", readiness.reasons.join("; ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::pulse::Condition;

    #[test]
    fn what_is_in_the_way_is_told() {
        let told = |reasons: &[&str]| {
            let reasons = reasons.iter().map(|reason| (*reason).to_owned()).collect();
            words(&Readiness::of(Some(Condition { reasons, ..Condition::default() })))
        };
        assert_eq!(told(&[]), "ready");
        assert_eq!(told(&["the supervisor is stopping", "b"]), "not ready: the supervisor is stopping; b");
        assert!(words(&Readiness::of(None)).starts_with("not ready: the event loop"));
    }
}
