//! `run`: the supervisor itself, in this process, until it is stopped. Its log goes to stderr, one JSON object a line.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args as ClapArgs;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use super::exit::{CliError, Exit};
use super::place::Place;
use crate::shell::parent::Parent;
use crate::shell::{self, RunOptions};

/// A program that waits for its own end does not wait long for ours.
const SHUTDOWN_GRACE_WITH_PARENT: Duration = Duration::from_secs(5);
/// The longest that a stop may take.
const SHUTDOWN_GRACE_MAX: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(ClapArgs, Debug)]
pub struct Args {
    /// Write {"pid", "socket", "db"} as JSON to this file once tasks can be added; it is removed at the end
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Stop when this process ends, however it ends; without a PID, the one that started the supervisor
    #[arg(long, value_name = "PID", num_args = 0..=1, require_equals = true, value_parser = clap::value_parser!(i32).range(1..))]
    die_with_parent: Option<Option<i32>>,
    /// How long a stop lets tasks go on, 0s to 1day: SIGTERM at half of it, SIGKILL at its end [default: 20s; with
    /// --die-with-parent 5s]
    #[arg(long, value_name = "DURATION", value_parser = grace)]
    shutdown_grace: Option<Duration>,
    /// End once every task is final: with 0, or with 20 when one failed meanwhile
    #[arg(long)]
    until_empty: bool,
}

impl Args {
    fn options(&self) -> RunOptions {
        let default = RunOptions::default();
        let parent = self.die_with_parent.map(|pid| pid.map_or(Parent::Ours, Parent::Process));
        let grace = if parent.is_some() { SHUTDOWN_GRACE_WITH_PARENT } else { default.shutdown_grace };
        RunOptions {
            ready_file: self.ready_file.clone(),
            parent,
            shutdown_grace: self.shutdown_grace.unwrap_or(grace),
            until_empty: self.until_empty,
        }
    }
}

pub fn run(args: &Args, place: &Place) -> Result<Exit, CliError> {
    let (config, _) = place.load_to_run()?;
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    // It would tell of a log that nobody reads by a panic.
    let log = tracing_subscriber::fmt().json().flatten_event(true).log_internal_errors(false);
    log.with_env_filter(filter).with_writer(io::stderr).init();
    let life = shell::run(config, args.options(), shell::stops(), |_| ())?;
    Ok(if args.until_empty && life.failed > 0 { Exit::TaskFailed } else { Exit::Done })
}

fn grace(text: &str) -> Result<Duration, String> {
    let grace = humantime::parse_duration(text).map_err(|error| format!("{error}; write 5s or 1m 30s"))?;
    if grace <= SHUTDOWN_GRACE_MAX { Ok(grace) } else { Err("it must be 0s to 1day".to_owned()) }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn options(args: &[&str]) -> Option<RunOptions> {
        Line::try_parse_from([&["run"], args].concat()).ok().map(|line| line.args.options())
    }

    #[test]
    fn options_are_read() {
        let default = RunOptions::default();
        let grace = |seconds| Duration::from_secs(seconds);
        let with = |parent, seconds| RunOptions { parent, shutdown_grace: grace(seconds), ..default.clone() };
        assert_eq!(default.shutdown_grace, grace(20));
        let table: [(&[&str], Option<RunOptions>); 11] = [
            (&[], Some(default.clone())),
            (&["--die-with-parent"], Some(with(Some(Parent::Ours), 5))),
            (&["--die-with-parent=7"], Some(with(Some(Parent::Process(7)), 5))),
            (&["--die-with-parent", "--shutdown-grace", "1m"], Some(with(Some(Parent::Ours), 60))),
            (&["--shutdown-grace", "0s"], Some(with(None, 0))),
            (&["--ready-file", "r"], Some(RunOptions { ready_file: Some("r".into()), ..default.clone() })),
            (&["--until-empty"], Some(RunOptions { until_empty: true, ..default.clone() })),
            (&["--die-with-parent", "7"], None),
            (&["--die-with-parent=0"], None),
            (&["--shutdown-grace", "5"], None),
            (&["--shutdown-grace", "2days"], None),
        ];
        for (args, expected) in table {
            assert_eq!(options(args), expected, "{args:?}");
        }
    }
}
