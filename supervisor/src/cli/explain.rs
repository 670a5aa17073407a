//! `explain`: why a task, or a queue as a whole, waits.

use clap::Args as ClapArgs;

use super::client::{Client, blocking};
use super::exit::{CliError, Exit};
use super::ids::task_id;
use super::output::{self, Format};
use super::place::Place;
use super::source::Source;
use crate::http::dto::{HeldKey, HoldText, QueueExplanation, TaskExplanation};
use crate::text::printable;

#[derive(ClapArgs, Debug)]
#[group(required = true, multiple = false)]
pub struct Args {
    /// The id of the task
    #[arg(value_parser = task_id)]
    id: Option<i64>,
    /// A queue as a whole instead
    #[arg(long)]
    queue: Option<String>,
}

pub fn run(args: &Args, place: &Place, format: Format) -> Result<Exit, CliError> {
    let config = place.load()?;
    match (args.id, &args.queue) {
        (Some(id), _) => {
            let told = blocking(async { Source::open(&config).await?.explain_task(id).await })??;
            output::one(format, &told, Some(id), || of_task(&told))?;
        }
        (None, queue) => {
            let queue = queue.as_deref().unwrap_or_default();
            let told = blocking(async { Client::connect(&config.db).await?.explain_queue(queue).await })??;
            output::one(format, &told, None, || of_queue(&told))?;
        }
    }
    Ok(Exit::Done)
}

fn of_task(told: &TaskExplanation) -> String {
    let mut lines = vec![format!("task {} {}", told.id, told.sentence)];
    lines.extend(others(&told.holds));
    if let (Some(earliest), true) = (&told.earliest_at, told.holds.len() > 1) {
        lines.push(format!("  starts no earlier than {earliest}"));
    }
    lines.join("\n")
}

fn of_queue(told: &QueueExplanation) -> String {
    let mut lines = vec![told.sentence.clone()];
    let all_behind_keys = told.available > 0 && told.held_tasks >= told.available;
    match (told.available, all_behind_keys) {
        // The sentence says nothing of them.
        (0, _) | (_, true) => lines.extend(told.holds.iter().map(|hold| format!("  closed: {}", hold.text))),
        _ => lines.extend(others(&told.holds)),
    }
    let key = |HeldKey { waiting, hold, .. }: &HeldKey| format!("  {waiting} wait for {}", hold.text);
    lines.extend(told.keys.iter().map(key));
    let (keys, tasks) = (told.keys.len() as u64, told.keys.iter().map(|key| key.waiting).sum::<u64>());
    if told.held_keys > keys {
        let least = if told.held_is_least { "at least " } else { "" };
        lines.push(format!("  {least}{} more wait for {} more keys", told.held_tasks - tasks, told.held_keys - keys));
    }
    lines.join("\n")
}

/// What is waited for beside the first thing.
fn others(holds: &[HoldText]) -> impl Iterator<Item = String> {
    holds.iter().skip(1).map(|hold| format!("  and for {}", printable(hold.text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_told_with_the_first_thing_first() {
        let told: TaskExplanation = serde_json::from_str(include_str!("../http/golden/explained.json")).unwrap();
        let sentence = "task 42 waits for queue images: paused until 2026-11-23T12:35:00.000Z (deploy); 12 before it";
        assert_eq!(of_task(&told), sentence);
        let free = HoldText { by: "pool".to_owned(), text: "a free worker: 4 of 4 work".to_owned(), until: None };
        let both = TaskExplanation { holds: vec![told.holds[0].clone(), free], ..told };
        assert_eq!(
            of_task(&both),
            format!(
                "{sentence}\n  and for a free worker: 4 of 4 work\n  starts no earlier than 2026-11-23T12:35:00.000Z"
            )
        );
    }

    #[test]
    fn a_queue_is_told_with_the_keys_that_hold_most_back() {
        let told: QueueExplanation = serde_json::from_str(include_str!("../http/golden/explained-queue.json")).unwrap();
        assert_eq!(
            of_queue(&told),
            "20 tasks wait for queue images: paused until 2026-11-23T12:35:00.000Z (deploy)\n  \
             and for a free worker: 4 of 4 of pool images work\n  \
             9 wait for key user:7 of queue images: 2 of 2 run\n  \
             5 more wait for 2 more keys"
        );
        let sentence = "no task of queue images waits; 4 run".to_owned();
        let idle = QueueExplanation { sentence, available: 0, keys: vec![], held_keys: 0, held_tasks: 0, ..told };
        assert_eq!(
            of_queue(&idle),
            "no task of queue images waits; 4 run\n  \
             closed: queue images: paused until 2026-11-23T12:35:00.000Z (deploy)\n  \
             closed: a free worker: 4 of 4 of pool images work"
        );
    }
}
