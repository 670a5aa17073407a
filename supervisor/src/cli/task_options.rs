//! What `enqueue` and `add` have in common: options of a task to be, and the way in.

use std::time::Duration;

use clap::Args;
use ipc_contract::{PrioritySpec, TaskSpec};

use super::client::{Client, ClientError};
use super::exit::{CliError, Exit};
use super::output::{self, Format};
use super::wait;
use crate::http::dto::Enqueued;

#[derive(Args, Debug, Default)]
pub struct TaskOptions {
    /// A unique name: the same name, kind and args again are the same task
    #[arg(long)]
    name: Option<String>,
    /// The queue; without it that of the kind, or of the only pool that offers the kind
    #[arg(long)]
    queue: Option<String>,
    /// Start no sooner than after this time, such as 5m
    #[arg(long = "in", value_name = "DURATION", value_parser = humantime::parse_duration)]
    delay: Option<Duration>,
    /// Wait for the end, and print the result
    #[arg(long)]
    pub wait: bool,
}

impl TaskOptions {
    pub fn apply(&self, spec: TaskSpec) -> TaskSpec {
        let TaskOptions { name, queue, delay, wait: _ } = self;
        TaskSpec { name: name.clone(), queue: queue.clone(), delay_ms: delay.map(millis), ..spec }
    }
}

/// More than can be counted is above every limit anyway.
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A number from -100 to 100, or a name.
pub fn priority(text: &str) -> PrioritySpec {
    text.parse().map_or_else(|_| PrioritySpec::Name(text.to_owned()), PrioritySpec::Number)
}

/// Says what became of an enqueue; with `wait`, what became of the task.
pub async fn tell(enqueued: Enqueued, waiting: Option<&mut Client>, format: Format) -> Result<Exit, CliError> {
    if enqueued.existing {
        output::note(&format!("task {} was there already", enqueued.id));
    }
    if let Some(client) = waiting {
        if !enqueued.existing {
            output::note(&format!("task {}", enqueued.id));
        }
        let task = wait::watched(client, enqueued.id, None).await?;
        return wait::tell(&task, format);
    }
    output::one(format, &enqueued, Some(enqueued.id), || enqueued.id.to_string())?;
    Ok(Exit::Done)
}

/// Enqueues through a supervisor that is up. Whoever gave no name cannot simply ask again, and is told so.
pub async fn send(client: &mut Client, spec: &TaskSpec) -> Result<Enqueued, CliError> {
    client.enqueue(spec).await.map_err(|error| {
        let is_unknown = matches!(error, ClientError::Broken(_));
        let mut error = CliError::from(error);
        if is_unknown {
            error.body.hint =
                "it may have taken the task: look with `supervisor list`; with --name, just ask again".into();
        }
        error
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_priority_is_a_number_or_a_name() {
        assert_eq!(priority("-7"), PrioritySpec::Number(-7));
        for name in ["high", "1000", "1.5", ""] {
            assert_eq!(priority(name), PrioritySpec::Name(name.to_owned()));
        }
    }
}
