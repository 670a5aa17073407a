//! `TaskSpec`: the one shape of a task to be, whoever asks for it. Checks what needs no queue and no configuration.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, IgnoredAny, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::bounded;
use crate::error::ContractError;
use crate::json::check_integers;
use crate::limits::{
    ARGS_BYTES, BUDGET, COST, DELAY_MS, MAX_ATTEMPTS, MAX_CRASHES, PRIORITY, Range, TIMEOUT_MS, UNITS,
};
use crate::name::{check_key, check_name, check_unique_name, nearest};
use crate::payload::Payload;
use crate::scan::scan;

/// A task to be. What is left out is decided by the kind, then the queue, then the built-in default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskSpec {
    /// What to run: the name of a handler or of a configured command.
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// The input of the handler.
    #[serde(default)]
    pub args: Payload,
    /// Lower runs first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<PrioritySpec>,
    /// Time until the task is available.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// The unique name: at most one task has it at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Time that one run may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Runs that may end in an error or timeout; the last of them fails the task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_attempts: Option<u32>,
    /// Runs that may end in a crash; the last of them fails the task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_crashes: Option<u32>,
    /// Whose task it is, such as a customer or a host: limits per key and fair turns go by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// By unit, such as `tokens`: what its start is charged where the queue has a rate for the unit.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "bounded::amounts")]
    pub cost: BTreeMap<String, u64>,
    /// By unit: what all its runs may spend; the run that spends more is stopped, and the task has failed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "bounded::amounts")]
    pub budget: BTreeMap<String, u64>,
}

/// A priority as people write it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum PrioritySpec {
    /// -100 to 100.
    Number(i8),
    /// One of the names that the queue knows, such as `high`.
    Name(String),
}

/// The fields of a [`TaskSpec`]; a test compares them with the type.
const FIELDS: &[&str] = &[
    "kind",
    "queue",
    "args",
    "priority",
    "delay_ms",
    "name",
    "timeout_ms",
    "max_attempts",
    "max_crashes",
    "key",
    "cost",
    "budget",
];

impl TaskSpec {
    /// Reads and checks a JSON object. Unlike in a frame, an unknown field is refused: here it is a slip of a person.
    ///
    /// # Errors
    /// `Value`, naming the field, and those of [`validate`](Self::validate).
    pub fn from_json(json: &[u8]) -> Result<Self, ContractError> {
        check_fields(json)?;
        check_integers(json)?;
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let spec: Self = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
            let field = error.path().to_string();
            let reason = error.into_inner();
            let place = if field == "." { "the task".to_owned() } else { format!("field {field}") };
            ContractError::value(field, format!("{place} cannot be read: {reason}"))
        })?;
        spec.validate()?;
        Ok(spec)
    }

    /// Checks names, sizes and ranges, by the default limits.
    ///
    /// # Errors
    /// `Name`, `Limit`, and those of [`scan`](fn@crate::scan::scan) for `args`.
    pub fn validate(&self) -> Result<(), ContractError> {
        check_name("kind", &self.kind)?;
        if let Some(queue) = &self.queue {
            check_name("queue", queue)?;
        }
        if let Some(name) = &self.name {
            check_unique_name(name)?;
        }
        match &self.priority {
            Some(PrioritySpec::Number(number)) => PRIORITY.check(*number)?,
            Some(PrioritySpec::Name(name)) => check_name("priority", name)?,
            None => {}
        }
        self.delay_ms.map_or(Ok(()), |value| DELAY_MS.check(value))?;
        self.timeout_ms.map_or(Ok(()), |value| TIMEOUT_MS.check(value))?;
        self.max_attempts.map_or(Ok(()), |value| MAX_ATTEMPTS.check(value))?;
        self.max_crashes.map_or(Ok(()), |value| MAX_CRASHES.check(value))?;
        self.key.as_deref().map_or(Ok(()), check_key)?;
        check_amounts(&self.cost, COST)?;
        check_amounts(&self.budget, BUDGET)?;
        ARGS_BYTES.check(self.args.0.len())?;
        scan(self.args.value_bytes())
    }
}

fn check_amounts(by_unit: &BTreeMap<String, u64>, range: Range) -> Result<(), ContractError> {
    UNITS.check(by_unit.len())?;
    by_unit.iter().try_for_each(|(unit, amount)| {
        check_name("unit", unit)?;
        range.check(*amount)
    })
}

/// Refuses what is no single object, and fields that a task does not have.
fn check_fields(json: &[u8]) -> Result<(), ContractError> {
    let fields: BTreeMap<String, IgnoredAny> = serde_json::from_slice(json)
        .map_err(|error| ContractError::value(".", format!("a task is one JSON object: {error}")))?;
    let Some(unknown) = fields.keys().find(|field| !FIELDS.contains(&field.as_str())) else {
        return Ok(());
    };
    let hint = match nearest(unknown, FIELDS.iter().copied()) {
        Some(known) => format!("did you mean {known}?"),
        None => format!("known are {}", FIELDS.join(", ")),
    };
    Err(ContractError::value(unknown.clone(), format!("a task has no field {unknown:?}; {hint}")))
}

impl<'de> Deserialize<'de> for PrioritySpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PriorityVisitor)
    }
}

/// Written out because the derived one would answer a wrong number with "no variant fits".
struct PriorityVisitor;

impl Visitor<'_> for PriorityVisitor {
    type Value = PrioritySpec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from {} to {}, or the name of a priority", PRIORITY.min, PRIORITY.max)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<PrioritySpec, E> {
        PRIORITY.check(number).map_err(E::custom)?;
        i8::try_from(number).map(PrioritySpec::Number).map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<PrioritySpec, E> {
        PRIORITY.check(number).map_err(E::custom)?;
        i8::try_from(number).map(PrioritySpec::Number).map_err(E::custom)
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<PrioritySpec, E> {
        Ok(PrioritySpec::Name(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_fields_is_that_of_the_type() {
        let full = TaskSpec {
            kind: "resize".to_owned(),
            queue: Some("images".to_owned()),
            args: Payload::of(&7).unwrap(),
            priority: Some(PrioritySpec::Name("high".to_owned())),
            delay_ms: Some(1),
            name: Some("one".to_owned()),
            timeout_ms: Some(1),
            max_attempts: Some(1),
            max_crashes: Some(1),
            key: Some("k".to_owned()),
            cost: BTreeMap::from([("tokens".to_owned(), 1)]),
            budget: BTreeMap::from([("usd".to_owned(), 1)]),
        };
        let json = serde_json::to_value(&full).unwrap();
        let mut fields: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
        let mut listed = FIELDS.to_vec();
        fields.sort_unstable();
        listed.sort_unstable();
        assert_eq!(fields, listed);
        assert_eq!(TaskSpec::from_json(json.to_string().as_bytes()).unwrap(), full);
    }

    #[test]
    fn unknown_fields_are_refused_here_with_the_nearest_name_and_ignored_in_frames() {
        let error = TaskSpec::from_json(br#"{"kind": "resize", "qeue": "images"}"#).unwrap_err();
        assert_eq!(error.kind, crate::ErrorKind::Value { field: "qeue".to_owned() });
        assert!(error.detail.ends_with("did you mean queue?"), "{error}");
        let frame = rmp_serde::to_vec_named(&serde_json::json!({"kind": "resize", "qeue": "images"})).unwrap();
        assert_eq!(rmp_serde::from_slice::<TaskSpec>(&frame).unwrap().kind, "resize");
    }

    #[test]
    fn refusals_name_their_field() {
        let table = [
            (r#"{}"#, "value", "missing field `kind`"),
            (r#"[]"#, "value", "one JSON object"),
            (r#"{"kind": "a"} {}"#, "value", "one JSON object"),
            (r#"{"kind": "a", "kind": "b"}"#, "value", "duplicate field `kind`"),
            (r#"{"kind": "A"}"#, "name", "kind \"A\" is no name"),
            (r#"{"kind": "a", "queue": ""}"#, "name", "queue"),
            (r#"{"kind": "a", "name": ""}"#, "name", "printable"),
            (r#"{"kind": "a", "priority": 101}"#, "value", "-100 to 100 (by default 0)"),
            (r#"{"kind": "a", "priority": -129}"#, "value", "-100 to 100 (by default 0)"),
            (r#"{"kind": "a", "priority": 0.5}"#, "value", "whole number"),
            (r#"{"kind": "a", "priority": "HIGH"}"#, "name", "priority"),
            (r#"{"kind": "a", "delay_ms": -1}"#, "value", "delay_ms"),
            (r#"{"kind": "a", "delay_ms": 18446744073709551615}"#, "limit", "delay_ms"),
            (r#"{"kind": "a", "timeout_ms": 0}"#, "limit", "by default unset"),
            (r#"{"kind": "a", "max_attempts": 0}"#, "limit", "1 to 1000 (by default 5)"),
            (r#"{"kind": "a", "max_crashes": 1001}"#, "limit", "1 to 1000 (by default 3)"),
            (r#"{"kind": "a", "key": ""}"#, "name", "key \"\" must be one line of printable text"),
            (r#"{"kind": "a", "cost": {"Usd": 1}}"#, "name", "unit"),
            (r#"{"kind": "a", "cost": {"usd": 4294967296}}"#, "limit", "cost is 4294967296 of a unit"),
            (r#"{"kind": "a", "cost": {"usd": -1}}"#, "value", "cost"),
            (r#"{"kind": "a", "budget": {"usd": 9007199254740993}}"#, "limit", "0 to 9007199254740992"),
        ];
        for (json, kind, part) in table {
            let error = TaskSpec::from_json(json.as_bytes()).unwrap_err();
            assert_eq!(error.kind.name(), kind, "{json}: {error}");
            assert!(error.detail.contains(part), "{json}: {error}");
        }
        assert!(TaskSpec::from_json(br#"{"kind": "a", "priority": -100, "args": {"x": [1, null]}}"#).is_ok());
    }

    #[test]
    fn args_have_a_limit_in_size_and_depth() {
        let mut spec = TaskSpec { kind: "a".to_owned(), ..TaskSpec::default() };
        spec.args = Payload::of(&"x".repeat(ARGS_BYTES.default as usize)).unwrap();
        let error = spec.validate().unwrap_err();
        assert!(error.detail.contains("by default 1048576, at most 4194304"), "{error}");
        let deep = format!(r#"{{"kind": "a", "args": {}{}}}"#, "[".repeat(70), "]".repeat(70));
        assert!(TaskSpec::from_json(deep.as_bytes()).unwrap_err().detail.contains("nested more than 64 deep"));
        spec.args = Payload(vec![0xc1]);
        assert_eq!(spec.validate().unwrap_err().kind.name(), "malformed");
    }
}
