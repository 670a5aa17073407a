//! `enqueue`: one task of any kind, through the supervisor, or straight into the database when none is up; or many.

use std::time::Duration;

use clap::Args as ClapArgs;
use ipc_contract::TaskSpec;

use super::bulk;
use super::client::blocking;
use super::exit::{CliError, Exit};
use super::fields::{Field, parse_field, payload_of_fields, payload_of_text};
use super::output::Format;
use super::place::Place;
use super::submit::submit;
use super::task_options::{TaskOptions, millis};

#[derive(ClapArgs, Debug)]
pub struct Args {
    /// What to run: a kind that some pool offers
    #[arg(required_unless_present = "bulk")]
    kind: Option<String>,
    /// Fields of the args: key=text, or key:=json for numbers, lists and the like
    #[arg(value_name = "KEY=VALUE", value_parser = parse_field, conflicts_with = "args")]
    fields: Vec<Field>,
    /// The args whole: JSON, @file, or - for stdin
    #[arg(long, value_name = "JSON")]
    args: Option<String>,
    /// How long one run may take, such as 2m
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    timeout: Option<Duration>,
    /// Runs that may end in an error or timeout, 1 to 1000
    #[arg(long, value_name = "N")]
    max_attempts: Option<u32>,
    /// Tasks from a file, or from stdin for -: one JSON object in each line, as over HTTP; needs a supervisor
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = [
            "kind", "args", "priority", "key", "cost", "budget", "timeout", "max_attempts", "name", "queue", "delay", "wait",
        ]
    )]
    bulk: Option<String>,
    #[command(flatten)]
    options: TaskOptions,
}

pub fn run(args: &Args, place: &Place, format: Format) -> Result<Exit, CliError> {
    let config = place.load()?;
    blocking(async {
        if let Some(path) = &args.bulk {
            return bulk::run(path, &config, format).await.map(|()| Exit::Done);
        }
        submit(&config, &args.spec()?, args.options.wait, format).await
    })?
}

impl Args {
    fn spec(&self) -> Result<TaskSpec, CliError> {
        let args = match &self.args {
            Some(text) => payload_of_text(text)?,
            None => payload_of_fields(&self.fields)?,
        };
        Ok(self.options.apply(TaskSpec {
            kind: self.kind.clone().unwrap_or_default(),
            args,
            timeout_ms: self.timeout.map(millis),
            max_attempts: self.max_attempts,
            ..TaskSpec::default()
        }))
    }
}
