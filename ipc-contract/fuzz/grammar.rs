//! The bodies of all messages as the tables of SPEC.md have them, and whether a value fits. Shares no code with `message`.

use super::value::Value;

/// A type of SPEC.md, section 3.
#[derive(Clone, Copy)]
pub enum Type {
    Int(i128, i128),
    Float,
    Bool,
    Text,
    OneOf(&'static [&'static str]),
    /// As `OneOf`, but a word that is not known is taken as well.
    Word,
    Payload,
    Maybe(&'static Type),
    List(&'static Type, usize),
    Names(&'static Type, usize),
    Fields(&'static [Field]),
    /// One of these words, or a map of one of these names to its value.
    Choice(&'static [&'static str], &'static [Field]),
    /// A number within a range, or a name.
    Priority,
}

/// Name, type, and true when it must be there.
pub type Field = (&'static str, Type, bool);

/// Name, true when the worker says it, and the fields.
pub type Body = (&'static str, bool, &'static [Field]);

use Type::*;

const U16: Type = Int(0, u16::MAX as i128);
const U32: Type = Int(0, u32::MAX as i128);
const U64: Type = Int(0, u64::MAX as i128);
const I32: Type = Int(i32::MIN as i128, i32::MAX as i128);

const RUN: &[Field] = &[("task", U64, true), ("epoch", U64, true)];

const EXIT: &[Field] = &[
    ("code", Maybe(&I32), false),
    ("signal", Maybe(&I32), false),
    ("oom", Bool, false),
    ("peak_rss_bytes", Maybe(&U64), false),
    ("cpu_ms", Maybe(&U64), false),
];

const FOLLOW_UP: &[Field] = &[
    ("kind", Text, true),
    ("args", Payload, false),
    ("queue", Maybe(&Text), false),
    ("name", Maybe(&Text), false),
    ("priority", Maybe(&Priority), false),
    ("delay_ms", Maybe(&U64), false),
    ("timeout_ms", Maybe(&U64), false),
    ("max_attempts", Maybe(&U32), false),
    ("max_crashes", Maybe(&U32), false),
    ("key", Maybe(&Text), false),
    ("cost", Names(&U64, 16), false),
    ("budget", Names(&U64, 16), false),
];

/// Every message of the contract.
pub const BODIES: &[Body] = &[
    (
        "hello",
        true,
        &[
            ("protocol_min", U16, true),
            ("protocol_max", U16, true),
            ("cookie", Text, false),
            ("sdk", Text, false),
            ("kinds", List(&Text, 1024), false),
            ("concurrency", U32, false),
            ("features", List(&Text, 64), false),
        ],
    ),
    ("booting", true, &[]),
    ("ready", true, &[]),
    ("beat", true, &[]),
    (
        "log",
        true,
        &[
            ("run", Maybe(&Fields(RUN)), false),
            ("level", OneOf(&["debug", "info", "warn", "error"]), false),
            ("message", Text, true),
        ],
    ),
    (
        "note",
        true,
        &[
            ("task", U64, true),
            ("epoch", U64, true),
            ("done", Maybe(&Float), false),
            ("total", Maybe(&Float), false),
            ("message", Maybe(&Text), false),
            ("spend", Names(&U64, 16), false),
            ("seq", U64, false),
        ],
    ),
    (
        "save",
        true,
        &[
            ("task", U64, true),
            ("epoch", U64, true),
            ("step", Maybe(&Text), false),
            ("value", Payload, false),
            ("seq", U64, true),
        ],
    ),
    (
        "done",
        true,
        &[
            ("task", U64, true),
            ("epoch", U64, true),
            ("result", Payload, false),
            ("cut", Bool, false),
            ("enqueue", List(&Fields(FOLLOW_UP), 1000), false),
        ],
    ),
    (
        "fail",
        true,
        &[
            ("task", U64, true),
            ("epoch", U64, true),
            ("error", Text, false),
            ("retry", Choice(&["default", "never"], &[("after_ms", U64, true)]), false),
            ("scope", OneOf(&["task", "key", "queue"]), false),
            ("exit", Maybe(&Fields(EXIT)), false),
        ],
    ),
    (
        "park",
        true,
        &[
            ("task", U64, true),
            ("epoch", U64, true),
            ("until", Choice(&["children"], &[("after_ms", U64, true), ("facts", List(&Text, 256), true)]), true),
            ("timeout_ms", Maybe(&U64), false),
        ],
    ),
    ("back", true, RUN),
    ("bye", true, &[("spawn_error", Maybe(&Text), false)]),
    (
        "welcome",
        false,
        &[
            ("protocol", U16, true),
            ("worker", U64, false),
            ("features", List(&Text, 64), false),
            ("beat_ms", U64, false),
        ],
    ),
    ("reject", false, &[("reason", Text, true)]),
    (
        "run",
        false,
        &[
            ("task", U64, true),
            ("epoch", U64, true),
            ("kind", Text, true),
            ("args", Payload, false),
            ("attempt", U32, false),
            ("effect_key", Text, false),
            ("time_left_ms", Maybe(&U64), false),
            ("steps", Names(&Payload, 10_000), false),
            ("checkpoint", Payload, false),
            ("facts", Names(&Payload, 256), false),
        ],
    ),
    ("stop", false, &[("run", Maybe(&Fields(RUN)), false), ("reason", Word, true), ("grace_ms", U64, true)]),
    ("ack", false, &[("task", U64, true), ("epoch", U64, true), ("seq", U64, true)]),
];

/// What the contract says of this value as a message of the worker or of the supervisor: nothing, or the name of an error.
pub fn verdict(value: &Value, from_worker: bool) -> Option<&'static str> {
    let Value::Map(pairs) = value else { return Some("not_a_message") };
    let [(Value::Str(name), body)] = &pairs[..] else { return Some("not_a_message") };
    let Some((_, is_of_worker, fields)) = BODIES.iter().find(|(known, ..)| known == name) else {
        return Some("unknown_message");
    };
    if *is_of_worker != from_worker {
        return Some("wrong_direction");
    }
    (!fits(&Fields(fields), body)).then_some("body")
}

fn fits(wanted: &Type, value: &Value) -> bool {
    match (wanted, value) {
        (Int(min, max), Value::Int(number)) => (min..=max).contains(&number),
        (Float, Value::Float(_) | Value::Int(_)) => true,
        (Bool, Value::Bool(_)) => true,
        (Text | Word, Value::Str(_)) => true,
        (OneOf(words), Value::Str(word)) => words.contains(&word.as_str()),
        (Payload, Value::Bin(_) | Value::Nil) => true,
        (Maybe(inner), value) => *value == Value::Nil || fits(inner, value),
        (List(item, max), Value::Array(items)) => items.len() <= *max && items.iter().all(|value| fits(item, value)),
        (Names(item, max), value) => {
            value.named().is_some_and(|named| named.len() <= *max && named.iter().all(|(_, value)| fits(item, value)))
        }
        (Fields(_), Value::Map(pairs)) if pairs.iter().any(|(key, _)| !matches!(key, Value::Str(_))) => false,
        (Fields(fields), Value::Map(pairs)) => fields.iter().all(|(name, wanted, is_needed)| {
            let mut of_name = pairs.iter().filter(|(key, _)| matches!(key, Value::Str(key) if key == name));
            match (of_name.next(), of_name.next()) {
                (None, _) => !is_needed,
                (Some((_, value)), None) => fits(wanted, value),
                _ => false,
            }
        }),
        (Choice(words, _), Value::Str(word)) => words.contains(&word.as_str()),
        (Choice(_, fields), Value::Map(pairs)) => match &pairs[..] {
            [(Value::Str(key), value)] => fields.iter().any(|(name, wanted, _)| name == key && fits(wanted, value)),
            _ => false,
        },
        (Priority, Value::Int(number)) => (-100..=100).contains(number),
        (Priority, Value::Str(_)) => true,
        _ => false,
    }
}
