//! `list`: tasks, page after page until there are as many as asked for.

use clap::Args as ClapArgs;
use ipc_contract::name::nearest;
use queue_core::state::TaskState;
use queue_core::store::{Filter, LIST_MAX};

use super::client::blocking;
use super::exit::{CliError, Exit};
use super::output::{self, Format};
use super::place::Place;
use super::source::Source;
use crate::config::Config;
use crate::http::dto::{TaskList, TaskSummary};
use crate::http::state_named;

/// Tasks that are listed at once.
const LISTED_MAX: i64 = 100_000;

#[derive(ClapArgs, Debug)]
pub struct Args {
    /// Only tasks in this state: scheduled, available, running, retryable, completed, failed, cancelled
    #[arg(long, value_parser = state_named)]
    state: Option<TaskState>,
    /// Only tasks of this kind
    #[arg(long)]
    kind: Option<String>,
    /// Only tasks of this queue
    #[arg(long)]
    queue: Option<String>,
    /// At most so many, 1 to 100000
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=LISTED_MAX))]
    limit: i64,
    /// As many as can be listed at once, 100000
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    /// Go on where a list has ended, which said how
    #[arg(long, allow_hyphen_values = true)]
    cursor: Option<String>,
}

pub fn run(args: &Args, place: &Place, format: Format) -> Result<Exit, CliError> {
    let config = place.load()?;
    let list = blocking(async { collect(args, &mut Source::open(&config).await?).await })??;
    if format == Format::Table && list.tasks.is_empty() {
        output::note(&nothing(args, &config));
    } else {
        let heading = ["id", "kind", "queue", "state", "priority", "runs", "created", "name"];
        let words = || output::table(&heading, list.tasks.iter().map(row));
        output::list(format, &list, &list.tasks, |task| task.id, words)?;
    }
    if let Some(next) = &list.next {
        output::note(&format!("there may be more: the same again with --cursor={next}"));
    }
    Ok(if list.tasks.is_empty() { Exit::NotFound } else { Exit::Done })
}

async fn collect(args: &Args, source: &mut Source<'_>) -> Result<TaskList, CliError> {
    let filter = Filter { state: args.state, kind: args.kind.clone(), queue: args.queue.clone() };
    let wanted = if args.all { LISTED_MAX } else { args.limit };
    let mut list = TaskList { tasks: Vec::new(), next: args.cursor.clone() };
    loop {
        let left = wanted - list.tasks.len() as i64;
        let page = source.list(&filter, list.next.as_deref(), left.min(LIST_MAX)).await?;
        list.tasks.extend(page.tasks);
        list.next = page.next;
        if list.next.is_none() || list.tasks.len() as i64 >= wanted {
            return Ok(list);
        }
    }
}

/// Why a list is empty, and the way out.
fn nothing(args: &Args, config: &Config) -> String {
    let mut kinds = config.kinds.keys().map(String::as_str);
    let mut queues = config.pools.iter().flat_map(|pool| &pool.queues).map(String::as_str);
    let meant = |wanted: &Option<String>, known: &mut dyn Iterator<Item = &str>| {
        let wanted = wanted.as_deref()?;
        let known: Vec<&str> = known.collect();
        if known.contains(&wanted) {
            None
        } else {
            nearest(wanted, known).map(|near| format!("; did you mean {near}?"))
        }
    };
    let near = meant(&args.kind, &mut kinds).or_else(|| meant(&args.queue, &mut queues)).unwrap_or_default();
    let wanted = [args.state.map(|state| state.name()), args.kind.as_deref(), args.queue.as_deref()];
    match wanted.iter().flatten().count() {
        _ if args.cursor.is_some() => "there is no task behind this place".to_owned(),
        0 => "there is no task yet; add one with `supervisor add -- date`".to_owned(),
        _ if !near.is_empty() => format!("there is no such task{near}"),
        _ => "there is no such task; `supervisor list` without options shows all".to_owned(),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_list_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::load(None, Some(&folder.path().join("q.db"))).unwrap();
        let text = |text: &str| Some(text.to_owned());
        let args = |state, kind, queue, cursor| Args { state, kind, queue, limit: 50, all: false, cursor };
        let table = [
            (args(None, None, None, None), "there is no task yet; add one with `supervisor add -- date`"),
            (args(None, None, None, text("0.7.")), "there is no task behind this place"),
            (args(None, text("comand"), None, None), "there is no such task; did you mean command?"),
            (args(None, None, text("command"), None), "there is no such task; did you mean commands?"),
            (
                args(None, text("command"), None, None),
                "there is no such task; `supervisor list` without options shows all",
            ),
            (
                args(Some(TaskState::Failed), text("video"), None, None),
                "there is no such task; `supervisor list` without options shows all",
            ),
        ];
        for (args, hint) in table {
            assert_eq!(nothing(&args, &config), hint, "{args:?}");
        }
    }
}
