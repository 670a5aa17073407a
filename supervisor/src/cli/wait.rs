//! `wait`: until a task is final, then its result, and an exit code that says how it ended.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use clap::Args as ClapArgs;

use super::client::{Client, blocking};
use super::describe::progress_of;
use super::exit::{CliError, Exit};
use super::ids::task_id;
use super::output::{self, Format};
use super::place::Place;
use crate::http::dto::Task;
use crate::http::sentences::state_of;

/// One question; a task that takes longer is asked for again.
const WAIT_SLICE: Duration = Duration::from_secs(30);
/// The same when somebody watches.
const WATCH_SLICE: Duration = Duration::from_secs(1);

#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The id of the task
    #[arg(value_parser = task_id)]
    id: i64,
    /// How long to wait, such as 5m; without it, as long as it takes
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    timeout: Option<Duration>,
}

pub fn run(args: &Args, place: &Place, format: Format) -> Result<Exit, CliError> {
    let config = place.load()?;
    blocking(async {
        let mut client = Client::connect(&config.db).await?;
        let task = watched(&mut client, args.id, args.timeout).await?;
        tell(&task, format)
    })?
}

/// Waits until the task is final.
///
/// # Errors
/// `TimedOut` after `timeout`; those of the client.
pub async fn until_final(client: &mut Client, id: i64, timeout: Option<Duration>) -> Result<Task, CliError> {
    until(client, id, timeout, WAIT_SLICE, |_| ()).await
}

/// The same; a terminal is told how far the task is.
///
/// # Errors
/// Those of [`until_final`].
pub async fn watched(client: &mut Client, id: i64, timeout: Option<Duration>) -> Result<Task, CliError> {
    if !std::io::stderr().is_terminal() {
        return until_final(client, id, timeout).await;
    }
    let mut told = None;
    let tell = |task: &Task| {
        let news = task.summary.progress.as_ref().map(progress_of);
        if news != told {
            news.iter().for_each(|words| output::note(words));
            told = news;
        }
    };
    until(client, id, timeout, WATCH_SLICE, tell).await
}

async fn until(
    client: &mut Client,
    id: i64,
    timeout: Option<Duration>,
    slice: Duration,
    mut seen: impl FnMut(&Task),
) -> Result<Task, CliError> {
    let started = Instant::now();
    loop {
        let left = timeout.map(|timeout| timeout.saturating_sub(started.elapsed()));
        let task = client.task(id, left.unwrap_or(slice).min(slice)).await?;
        if task.summary.is_final() {
            return Ok(task);
        }
        seen(&task);
        if left == Some(Duration::ZERO) {
            let message = format!("task {id} is still {}", task.summary.state);
            return Err(CliError::new(Exit::TimedOut, "timed_out", message, "it goes on; wait again, or cancel it"));
        }
    }
}

/// Prints the result of a final task, or says why there is none.
pub fn tell(task: &Task, format: Format) -> Result<Exit, CliError> {
    let id = task.summary.id;
    if format != Format::Table {
        output::one(format, task, Some(id), String::new)?;
    } else if task.summary.state == "completed" {
        if task.result_cut {
            output::note("the result is only the last part of what there was");
        }
        tell_result(task)?;
    } else {
        output::note(&format!("task {id} {}; see `supervisor show {id}`", state_of(task)));
    }
    Ok(match task.summary.state.as_str() {
        "completed" => Exit::Done,
        "cancelled" => Exit::TaskCancelled,
        _ => Exit::TaskFailed,
    })
}

/// Text as text, since most commands print that; everything else as JSON; nothing as nothing.
fn tell_result(task: &Task) -> Result<(), CliError> {
    match serde_json::to_value(&task.result).map_err(std::io::Error::from)? {
        serde_json::Value::Null => Ok(()),
        serde_json::Value::String(text) => output::foreign(&text),
        value => output::json(&value),
    }
}
