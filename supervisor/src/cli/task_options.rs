//! What `enqueue` and `add` have in common: the options of a task to be.

use std::time::Duration;

use clap::Args;
use ipc_contract::{PrioritySpec, TaskSpec};

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
