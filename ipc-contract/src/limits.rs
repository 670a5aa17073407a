//! Every limit of values in the contract: its name, default and maximum, and the sentence that states all three.
//!
//! Limits of bytes on the wire stand beside their decoder: `frame::MAX_FRAME_BYTES`, `scan::MAX_DEPTH`.

use std::fmt;

use crate::error::{ContractError, ErrorKind};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const YEAR_MS: u64 = 365 * 24 * 60 * 60 * 1000;

/// The most that a thing may be: `default` unless its owner configures more, and never more than `max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub name: &'static str,
    /// `bytes`, `items`.
    pub unit: &'static str,
    pub default: u64,
    pub max: u64,
}

/// The values that a setting may have. `default` is the one it has when nobody says; `None` means unset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub name: &'static str,
    /// `ms`, `runs`, `steps`.
    pub unit: &'static str,
    pub min: i64,
    pub default: Option<i64>,
    pub max: i64,
}

macro_rules! limits {
    ($($(#[$doc:meta])* $id:ident: $name:literal, $unit:literal, $default:expr, $max:expr;)+) => {
        $($(#[$doc])* pub const $id: Limit = Limit { name: $name, unit: $unit, default: $default, max: $max };)+
        impl Limit {
            /// Every limit, for the contract's printed table.
            pub const ALL: &[Self] = &[$($id,)+];
        }
    };
}

macro_rules! ranges {
    ($($(#[$doc:meta])* $id:ident: $name:literal, $unit:literal, $min:expr, $default:expr, $max:expr;)+) => {
        $($(#[$doc])* pub const $id: Range = Range { name: $name, unit: $unit, min: $min, default: $default, max: $max };)+
        impl Range {
            /// Every range, for the contract's printed table.
            pub const ALL: &[Self] = &[$($id,)+];
        }
    };
}

limits! {
    /// The input of a task, as MessagePack.
    ARGS_BYTES: "args", "bytes", MIB, 4 * MIB;
    /// The result of a task, as MessagePack.
    RESULT_BYTES: "result", "bytes", MIB, 4 * MIB;
    /// A name of a kind, queue, pool or priority.
    NAME_BYTES: "name", "bytes", 64, 64;
    /// The unique name of a task.
    UNIQUE_NAME_BYTES: "unique_name", "bytes", 512, 512;
    /// The key of a task.
    KEY_BYTES: "key", "bytes", 512, 512;
    /// Kinds that one worker may offer.
    KINDS: "kinds", "items", 1_024, 1_024;
    /// Features that one side may name.
    FEATURES: "features", "items", 64, 64;
    /// Units that one note may spend, and of which one task may have a cost or a budget.
    UNITS: "units", "items", 16, 16;
    /// Tasks that one result may bring along.
    FOLLOW_UPS: "follow_ups", "items", 1_000, 1_000;
    /// The args of those tasks together, as MessagePack.
    FOLLOW_UPS_BYTES: "follow_ups_args", "bytes", MIB, 4 * MIB;
    /// Steps that one task may save.
    STEPS: "steps", "items", 10_000, 10_000;
    /// Names and values of the steps of one task, and its checkpoint, together.
    SAVED_BYTES: "saved", "bytes", 8 * MIB, 8 * MIB;
    /// Facts that one task may wait for.
    FACTS: "facts", "items", 256, 256;
    /// Arguments of a command, the program included.
    ARGV: "argv", "items", 1_024, 1_024;
    /// One argument of a command; the kernel takes no longer one.
    ARGUMENT_BYTES: "argument", "bytes", 128 * KIB - 1, 128 * KIB - 1;
    /// Arguments and environment of a command together; the kernel takes 2 MiB.
    COMMAND_BYTES: "command", "bytes", MIB, MIB;
    /// Variables in the environment of a command.
    ENV: "env", "items", 256, 256;
}

ranges! {
    /// Runs that a worker takes at once.
    CONCURRENCY: "concurrency", "runs", 1, Some(1), 1_024;
    /// Lower runs first.
    PRIORITY: "priority", "steps", -100, Some(0), 100;
    /// Time from the enqueue until a task is available.
    DELAY_MS: "delay_ms", "ms", 0, Some(0), 10 * YEAR_MS as i64;
    /// Time that a run may take.
    TIMEOUT_MS: "timeout_ms", "ms", 1, None, YEAR_MS as i64;
    /// What one note may spend of one unit.
    SPEND: "spend", "of a unit", 1, None, 1 << 53;
    /// What the start of one task may cost of one unit.
    COST: "cost", "of a unit", 0, None, u32::MAX as i64;
    /// What all runs of one task may spend of one unit.
    BUDGET: "budget", "of a unit", 0, None, 1 << 53;
    /// Time from one beat to the next.
    BEAT_MS: "beat_ms", "ms", 10, Some(5_000), 60_000;
    /// Time that a task may be parked.
    PARK_MS: "park_ms", "ms", 0, None, 10 * YEAR_MS as i64;
    /// Runs that end in `error` or `timeout`.
    MAX_ATTEMPTS: "max_attempts", "runs", 1, Some(5), 1_000;
    /// Runs that end by the death of the worker or of the command.
    MAX_CRASHES: "max_crashes", "runs", 1, Some(3), 1_000;
}

impl Limit {
    /// Checks a size or count against the default.
    ///
    /// # Errors
    /// `Limit`, stating the limit, its default and its maximum.
    pub fn check(&self, value: usize) -> Result<(), ContractError> {
        self.check_at(value, self.default)
    }

    /// Checks a size or count against the limit in force, which `max` caps.
    ///
    /// # Errors
    /// `Limit`, stating the limit, its default and its maximum.
    pub fn check_at(&self, value: usize, in_force: u64) -> Result<(), ContractError> {
        let in_force = in_force.min(self.max);
        if value as u64 <= in_force {
            return Ok(());
        }
        let Self { name, unit, default, max } = self;
        let detail = format!(
            "{name} has {value} {unit}, the limit is {in_force} (by default {default}, at most {max}); \
             send less, or a reference such as a path"
        );
        Err(ContractError::new(ErrorKind::Limit(name), detail))
    }
}

impl Range {
    /// Checks a setting.
    ///
    /// # Errors
    /// `Limit`, stating the range and its default.
    pub fn check(&self, value: impl TryInto<i64> + fmt::Display + Copy) -> Result<(), ContractError> {
        if value.try_into().is_ok_and(|value| (self.min..=self.max).contains(&value)) {
            return Ok(());
        }
        let Self { name, unit, min, max, .. } = self;
        let default = self.default.map_or("unset".to_owned(), |default| default.to_string());
        let detail =
            format!("{name} is {value} {unit}, it must be {min} to {max} (by default {default}); choose one of these");
        Err(ContractError::new(ErrorKind::Limit(name), detail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_holds_at_its_default_and_can_be_raised_to_its_maximum() {
        let table = [
            (ARGS_BYTES.default, ARGS_BYTES.default, true),
            (ARGS_BYTES.default + 1, ARGS_BYTES.default, false),
            (ARGS_BYTES.max, ARGS_BYTES.max, true),
            (ARGS_BYTES.max + 1, u64::MAX, false),
            (11, 10, false),
        ];
        for (value, in_force, fits) in table {
            assert_eq!(ARGS_BYTES.check_at(value as usize, in_force).is_ok(), fits, "{value} under {in_force}");
        }
        let error = ARGS_BYTES.check_at(11, 10).unwrap_err();
        assert!(error.detail.starts_with("args has 11 bytes, the limit is 10 (by default 1048576, at most 4194304)"));
    }

    #[test]
    fn every_limit_has_a_name_of_its_own_and_a_default_within_it() {
        let mut names: Vec<_> = Limit::ALL.iter().map(|limit| limit.name).collect();
        names.extend(Range::ALL.iter().map(|range| range.name));
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(Limit::ALL.iter().all(|limit| limit.default <= limit.max));
        for range in Range::ALL {
            assert!(range.check(range.min).is_ok() && range.check(range.max).is_ok(), "{}", range.name);
            assert!(range.check(range.min - 1).is_err() && range.check(range.max + 1).is_err(), "{}", range.name);
            assert!(range.default.is_none_or(|default| range.check(default).is_ok()), "{}", range.name);
        }
    }
}
