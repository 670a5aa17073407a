//! `list`: the first page of tasks.

use clap::Args as ClapArgs;
use queue_core::state::TaskState;
use queue_core::store::LIST_MAX;

use super::client::blocking;
use super::exit::{CliError, Exit};
use super::output::{self, Format};
use super::place::Place;
use super::source::Source;
use crate::http::dto::TaskSummary;
use crate::http::state_named;

#[derive(ClapArgs, Debug)]
pub struct Args {
    /// Only tasks in this state: scheduled, available, running, retryable, completed, failed, cancelled
    #[arg(long, value_parser = state_named)]
    state: Option<TaskState>,
    /// At most so many, 1 to 500
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=LIST_MAX))]
    limit: i64,
}

pub fn run(args: &Args, place: &Place, format: Format) -> Result<Exit, CliError> {
    let config = place.load()?;
    let list = blocking(async { Source::open(&config).await?.list(args.state, args.limit).await })??;
    if format == Format::Table && list.tasks.is_empty() {
        output::note("there is no such task");
    } else {
        let heading = ["id", "kind", "queue", "state", "priority", "runs", "created", "name"];
        let words = || output::table(&heading, list.tasks.iter().map(row));
        output::list(format, &list, &list.tasks, |task| task.id, words)?;
    }
    Ok(if list.tasks.is_empty() { Exit::NotFound } else { Exit::Done })
}

fn row(task: &TaskSummary) -> Vec<String> {
    let state = match (&task.reason, task.cancelling) {
        (Some(reason), _) => format!("{} ({reason})", task.state),
        (None, true) => format!("{} (cancelling)", task.state),
        (None, false) => task.state.clone(),
    };
    vec![
        task.id.to_string(),
        task.kind.clone(),
        task.queue.clone(),
        state,
        task.priority.to_string(),
        task.runs.to_string(),
        task.created_at.clone(),
        task.name.clone().unwrap_or_default(),
    ]
}
