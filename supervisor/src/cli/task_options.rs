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
    /// Lower runs first: -100 to 100, or critical, high, normal, low, bulk
    #[arg(long, allow_hyphen_values = true)]
    priority: Option<String>,
    /// Whose task it is, such as a customer: limits per key and fair turns go by it
    #[arg(long)]
    key: Option<String>,
    /// What its start is charged where its queue has a rate for the unit, such as tokens=500
    #[arg(long, value_name = "UNIT=N", value_parser = amount)]
    cost: Vec<(String, u64)>,
    /// What all its runs may spend; the run that spends more is stopped, and the task has failed
    #[arg(long, value_name = "UNIT=N", value_parser = amount)]
    budget: Vec<(String, u64)>,
    /// Start no sooner than after this time, such as 5m
    #[arg(long = "in", value_name = "DURATION", value_parser = humantime::parse_duration)]
    delay: Option<Duration>,
    /// Wait for the end, and print the result
    #[arg(long)]
    pub wait: bool,
}

impl TaskOptions {
    pub fn apply(&self, spec: TaskSpec) -> TaskSpec {
        let TaskOptions { name, queue, priority, key, cost, budget, delay, wait: _ } = self;
        TaskSpec {
            name: name.clone(),
            queue: queue.clone(),
            priority: priority.as_deref().map(self::priority),
            key: key.clone(),
            cost: cost.iter().cloned().collect(),
            budget: budget.iter().cloned().collect(),
            delay_ms: delay.map(millis),
            ..spec
        }
    }
}

/// More than can be counted is above every limit anyway.
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// How much of a unit.
fn amount(text: &str) -> Result<(String, u64), String> {
    let read = text.split_once('=').and_then(|(unit, amount)| Some((unit.to_owned(), amount.parse().ok()?)));
    read.ok_or_else(|| format!("{text:?} is no unit with a whole number; write tokens=500"))
}

/// A number from -100 to 100, or a name.
pub fn priority(text: &str) -> PrioritySpec {
    text.parse().map_or_else(|_| PrioritySpec::Name(text.to_owned()), PrioritySpec::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_has_a_unit_and_a_whole_number() {
        assert_eq!(amount("tokens=500"), Ok(("tokens".to_owned(), 500)));
        for text in ["500", "tokens", "tokens=", "tokens=-1", "usd=0.5"] {
            assert!(amount(text).unwrap_err().contains("tokens=500"), "{text}");
        }
    }

    #[test]
    fn a_priority_is_a_number_or_a_name() {
        assert_eq!(priority("-7"), PrioritySpec::Number(-7));
        for name in ["high", "1000", "1.5", ""] {
            assert_eq!(priority(name), PrioritySpec::Name(name.to_owned()));
        }
    }
}
