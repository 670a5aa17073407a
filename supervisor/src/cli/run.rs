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
use crate::shell::{self, ConfigFile, Life, Manager, RunOptions};

/// A program that waits for its own end does not wait long for ours.
const SHUTDOWN_GRACE_WITH_PARENT: Duration = Duration::from_secs(5);
/// The longest that a stop may take.
const SHUTDOWN_GRACE_MAX: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(ClapArgs, Debug)]
pub struct Args {
    /// Write {"pid", "socket", "db"} as JSON to this file once tasks can be added; it is removed at the end. What
    /// is there already is replaced only when it is such a file
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Stop when this process ends, however it ends. Give the PID, in a shell --die-with-parent=$$: without it, that is the
    /// process that started the supervisor, which is not known any more when it has ended before
    #[arg(long, value_name = "PID", num_args = 0..=1, require_equals = true, value_parser = clap::value_parser!(i32).range(1..))]
    die_with_parent: Option<Option<i32>>,
    /// How long a stop lets tasks go on, 0s to 1day: SIGTERM at half of it, SIGKILL at its end [default: 20s; with
    /// --die-with-parent 5s]
    #[arg(long, value_name = "DURATION", value_parser = grace)]
    shutdown_grace: Option<Duration>,
    /// End once every task is final: with 0, or with 20 when one failed meanwhile; with 1 when tasks are left, since it was
    /// stopped before, or every pool that could run them is broken
    #[arg(long)]
    until_empty: bool,
    /// Do not look whether the configuration file has changed; SIGHUP and `supervisor reload` still read it anew
    #[arg(long)]
    no_watch: bool,
}

impl Args {
    fn options(&self, place: &Place) -> RunOptions {
        let default = RunOptions::default();
        let parent = self.die_with_parent.map(|pid| pid.map_or(Parent::Ours, Parent::Process));
        let grace = if parent.is_some() { SHUTDOWN_GRACE_WITH_PARENT } else { default.shutdown_grace };
        RunOptions {
            ready_file: self.ready_file.clone(),
            parent,
            shutdown_grace: self.shutdown_grace.unwrap_or(grace),
            until_empty: self.until_empty,
            config_file: place.file().map(|path| ConfigFile { path: path.to_owned(), is_watched: !self.no_watch }),
            // A part of another service speaks for itself alone.
            manager: if parent.is_some() { Manager::Nobody } else { Manager::OfEnvironment },
        }
    }
}

pub fn run(args: &Args, place: &Place) -> Result<Exit, CliError> {
    let (config, _) = place.load_to_run()?;
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    // It would tell of a log that nobody reads by a panic.
    let log = tracing_subscriber::fmt().json().flatten_event(true).log_internal_errors(false);
    log.with_env_filter(filter).with_writer(io::stderr).init();
    let life = shell::run(config, args.options(place), shell::stops(), |_| ())?;
    if args.until_empty { came_to(&life) } else { Ok(Exit::Done) }
}

/// What a life came to that was to go on until every task is final.
fn came_to(life: &Life) -> Result<Exit, CliError> {
    let left = match life.unfinished {
        0 if life.failed > 0 => return Ok(Exit::TaskFailed),
        0 => return Ok(Exit::Done),
        1 => "1 task is left".to_owned(),
        count => format!("{count} tasks are left"),
    };
    let (code, message, hint) = match &life.stuck {
        Some(why) => {
            let message = format!("{left}, and no worker can run what is available: {why}");
            ("stuck", message, "mend that, then run it again")
        }
        None => ("stopped", format!("stopped before everything was done: {left}"), "run it again"),
    };
    Err(CliError::new(Exit::Unexpected, code, message, hint))
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
        Line::try_parse_from([&["run"], args].concat()).ok().map(|line| line.args.options(&Place::default()))
    }

    #[test]
    fn options_are_read() {
        let file = |is_watched| Some(ConfigFile { path: PathBuf::from("supervisor.toml"), is_watched });
        let default = RunOptions { config_file: file(true), manager: Manager::OfEnvironment, ..RunOptions::default() };
        let grace = |seconds| Duration::from_secs(seconds);
        let with = |parent: Option<Parent>, seconds| {
            let manager = if parent.is_some() { Manager::Nobody } else { Manager::OfEnvironment };
            RunOptions { parent, manager, shutdown_grace: grace(seconds), ..default.clone() }
        };
        assert_eq!(default.shutdown_grace, grace(20));
        let table: [(&[&str], Option<RunOptions>); 12] = [
            (&[], Some(default.clone())),
            (&["--die-with-parent"], Some(with(Some(Parent::Ours), 5))),
            (&["--die-with-parent=7"], Some(with(Some(Parent::Process(7)), 5))),
            (&["--die-with-parent", "--shutdown-grace", "1m"], Some(with(Some(Parent::Ours), 60))),
            (&["--shutdown-grace", "0s"], Some(with(None, 0))),
            (&["--ready-file", "r"], Some(RunOptions { ready_file: Some("r".into()), ..default.clone() })),
            (&["--until-empty"], Some(RunOptions { until_empty: true, ..default.clone() })),
            (&["--no-watch"], Some(RunOptions { config_file: file(false), ..default.clone() })),
            (&["--die-with-parent", "7"], None),
            (&["--die-with-parent=0"], None),
            (&["--shutdown-grace", "5"], None),
            (&["--shutdown-grace", "2days"], None),
        ];
        for (args, expected) in table {
            assert_eq!(options(args), expected, "{args:?}");
        }
    }

    #[test]
    fn a_life_until_empty_tells_what_it_came_to() {
        let life = |failed, unfinished, stuck: Option<&str>| {
            came_to(&Life { failed, unfinished, stuck: stuck.map(str::to_owned) })
        };
        assert_eq!([life(0, 0, None), life(2, 0, None)], [Ok(Exit::Done), Ok(Exit::TaskFailed)]);
        assert_eq!(life(0, 0, Some("cancelled meanwhile")), Ok(Exit::Done));
        let table = [
            (life(1, 3, None), "stopped before everything was done: 3 tasks are left"),
            (life(0, 1, None), "stopped before everything was done: 1 task is left"),
            (life(0, 1, Some("of this")), "1 task is left, and no worker can run what is available: of this"),
        ];
        for (told, message) in table {
            let error = told.unwrap_err();
            assert_eq!((error.exit, error.body.message.as_str()), (Exit::Unexpected, message));
            assert!(error.body.hint.ends_with("run it again"));
        }
    }
}
