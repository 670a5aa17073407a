//! `pause` and `resume`: whether a queue, or one key of it, starts tasks. What runs goes on.

use std::time::Duration;

use clap::Args as ClapArgs;

use super::client::{Client, blocking};
use super::exit::{CliError, Exit};
use super::output::{self, Format};
use super::place::Place;
use super::task_options::millis;
use crate::http::dto::QueueGate;
use crate::http::{Pause, Resume};

#[derive(ClapArgs, Debug)]
pub struct PauseArgs {
    /// The queue
    queue: String,
    /// Only the tasks of this key
    #[arg(long)]
    key: Option<String>,
    /// Start tasks again by itself after this time, such as 10m; without it `resume` does
    #[arg(long = "for", value_name = "DURATION", value_parser = humantime::parse_duration)]
    time: Option<Duration>,
    /// Why, for whoever wonders
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,
}

#[derive(ClapArgs, Debug)]
pub struct ResumeArgs {
    /// The queue
    queue: String,
    /// Only the tasks of this key; a paused queue stays so, and without this a paused key does
    #[arg(long)]
    key: Option<String>,
}

pub fn pause(args: &PauseArgs, place: &Place, format: Format) -> Result<Exit, CliError> {
    let PauseArgs { queue, key, time, reason } = args;
    let body = Pause { key: key.clone(), for_ms: time.map(millis), reason: reason.clone() };
    let config = place.load()?;
    let gate = blocking(async { Client::connect(&config.db).await?.pause(queue, &body).await })??;
    tell(&gate, format)
}

pub fn resume(args: &ResumeArgs, place: &Place, format: Format) -> Result<Exit, CliError> {
    let body = Resume { key: args.key.clone() };
    let config = place.load()?;
    let gate = blocking(async { Client::connect(&config.db).await?.resume(&args.queue, &body).await })??;
    tell(&gate, format)
}

fn tell(gate: &QueueGate, format: Format) -> Result<Exit, CliError> {
    output::one(format, gate, None, || sentence(gate))?;
    Ok(Exit::Done)
}

fn sentence(QueueGate { queue, key, is_paused, paused_until }: &QueueGate) -> String {
    let what = match key {
        Some(key) => format!("key {key} of queue {queue}"),
        None => format!("queue {queue}"),
    };
    match (is_paused, paused_until) {
        (true, Some(until)) => format!("{what} is paused until {until}"),
        (true, None) => format!("{what} is paused until it is resumed"),
        (false, _) => format!("{what} starts tasks"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_paused_is_named_with_its_end() {
        let gate = |key: Option<&str>, is_paused, until: Option<&str>| QueueGate {
            queue: "q".to_owned(),
            key: key.map(str::to_owned),
            is_paused,
            paused_until: until.map(str::to_owned),
        };
        assert_eq!(sentence(&gate(None, true, Some("noon"))), "queue q is paused until noon");
        assert_eq!(sentence(&gate(Some("a"), true, None)), "key a of queue q is paused until it is resumed");
        assert_eq!(sentence(&gate(None, false, None)), "queue q starts tasks");
    }
}
