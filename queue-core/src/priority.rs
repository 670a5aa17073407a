//! Who goes first: `TaskPriority` and the static rank made of it. Pure.
//!
//! Lower runs first, and one step of priority is worth one `aging_step` of waiting. A task gets its rank once, when it
//! becomes available: `rank = queue_clock + priority * aging_step`. So urgent work overtakes, and nothing starves: a task
//! can only be overtaken by what becomes available within (difference * aging_step) after it.

use std::fmt;
use std::str::FromStr;

/// Default worth of one step of priority, in microseconds of waiting.
pub const AGING_STEP_US: i64 = 60_000_000;
/// As good as for ever: no queue has been up for so long, some 1,100 years. Then priority alone decides, and bulk may starve.
pub const AGING_OFF_US: i64 = 1 << 55;

/// From -100 (most urgent) to 100; 0 when nothing is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TaskPriority(i8);

impl TaskPriority {
    pub const MIN: i8 = -100;
    pub const MAX: i8 = 100;
    /// The names and their values, most urgent first.
    pub const NAMES: [(&'static str, i8); 5] =
        [("critical", -100), ("high", -10), ("normal", 0), ("low", 10), ("bulk", 50)];

    pub fn new(value: i64) -> Result<TaskPriority, BadPriority> {
        match i8::try_from(value) {
            Ok(small) if (Self::MIN..=Self::MAX).contains(&small) => Ok(TaskPriority(small)),
            _ => Err(BadPriority(value.to_string())),
        }
    }

    pub fn get(self) -> i8 {
        self.0
    }

    /// Where a task stands that became available at `since_us` of the queue clock: lower is claimed first.
    pub fn rank(self, since_us: i64, aging_step_us: i64) -> i64 {
        since_us + i64::from(self.0) * aging_step_us
    }
}

/// Not a priority: neither a name nor a whole number in range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("priority '{0}' is not in -100..=100 (lower runs first) and not one of critical, high, normal, low, bulk")]
pub struct BadPriority(String);

impl FromStr for TaskPriority {
    type Err = BadPriority;

    fn from_str(text: &str) -> Result<TaskPriority, BadPriority> {
        match Self::NAMES.iter().find(|(name, _)| *name == text) {
            Some((_, value)) => Ok(TaskPriority(*value)),
            None => text.parse().map_err(|_| BadPriority(text.to_owned())).and_then(TaskPriority::new),
        }
    }
}

impl fmt::Display for TaskPriority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Self::NAMES.iter().find(|(_, value)| *value == self.0) {
            Some((name, _)) => f.write_str(name),
            None => self.0.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_read_and_shown() {
        for (text, value) in [("critical", -100), ("high", -10), ("normal", 0), ("low", 10), ("bulk", 50), ("-7", -7)] {
            let priority: TaskPriority = text.parse().unwrap();
            assert_eq!(priority.get(), value);
            assert_eq!(priority.to_string(), text);
        }
        for text in ["urgent", "101", "-101", "1.5", "", "99999999999999999999"] {
            assert!(text.parse::<TaskPriority>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_step_of_priority_is_worth_one_aging_step() {
        let (normal, high): (TaskPriority, TaskPriority) = ("normal".parse().unwrap(), "high".parse().unwrap());
        for step_us in [1, AGING_STEP_US, AGING_OFF_US] {
            let first = normal.rank(0, step_us);
            assert!(high.rank(10 * step_us - 1, step_us) < first, "urgent overtakes what came shortly before");
            assert!(high.rank(10 * step_us + 1, step_us) > first, "but not for ever");
        }
        let (most, least) = (TaskPriority(TaskPriority::MIN), TaskPriority(TaskPriority::MAX));
        assert!(most.rank(1 << 54, AGING_OFF_US) < least.rank(0, AGING_OFF_US), "nothing runs over");
    }
}
