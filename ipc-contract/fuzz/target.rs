//! The targets: what each one checks, and how its inputs are changed. No input or output lives here.

use ipc_contract::Payload;
use std::panic;

use super::grammar::{BODIES, Field, Type};
use super::mutate::{INPUT_BYTES_MAX, lie, mutate};
use super::reshape::reshape;
use super::rng::SplitMix64;
use super::trail::Trail;
use super::value::{Form, read};
use super::{decoder, json, message, session};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    Decoder,
    Message,
    Session,
    Json,
}

const JSON_WORDS: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\"",
    b"\\",
    b"null",
    b"-",
    b"1e400",
    b"0.1",
    b"18446744073709551616",
    b"\\ud800",
    b"\"kind\":\"a\",",
    b"\"args\":",
    b"\"priority\":-100,",
    b"\"cause\":\"cancel\",",
    b"\"optional\":true,",
    b"\xef\xbb\xbf",
];

impl Target {
    pub const ALL: [Self; 4] = [Self::Decoder, Self::Message, Self::Session, Self::Json];

    pub fn name(self) -> &'static str {
        match self {
            Self::Decoder => "decoder",
            Self::Message => "message",
            Self::Session => "session",
            Self::Json => "json",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|target| target.name() == name)
    }

    /// Runs one input.
    ///
    /// # Errors
    /// What was found to be wrong, in words; a panic is caught and is wrong.
    pub fn run(self, input: &[u8]) -> Result<Trail, String> {
        let check = match self {
            Self::Decoder => decoder::check,
            Self::Message => message::check,
            Self::Session => session::check,
            Self::Json => json::check,
        };
        panic::catch_unwind(|| check(input)).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(format!("panicked: {}", text.unwrap_or("without a sentence")))
        })
    }

    /// Another input, made from `input` and parts of `other`.
    pub fn mutate(self, rng: &mut SplitMix64, input: &[u8], other: &[u8], words: &Words) -> Vec<u8> {
        let shaped = match self {
            Self::Decoder if rng.one_in(4) => Some(mutate_inside(rng, input, other, decoder::HEAD_BYTES, words)),
            Self::Message if !rng.one_in(3) => mutate_value(rng, input, other, words),
            Self::Json if rng.one_in(2) => mutate_json(rng, input, other, words),
            _ => None,
        };
        let unit = if self == Self::Session && !rng.one_in(3) { session::MESSAGE_BYTES } else { 1 };
        let mut bytes = match shaped {
            Some(bytes) if !rng.one_in(8) => bytes,
            shaped => {
                let known: &[&[u8]] = if self == Self::Json { JSON_WORDS } else { &[] };
                mutate(rng, shaped.as_deref().unwrap_or(input), other, unit, known)
            }
        };
        if matches!(self, Self::Decoder | Self::Message) && rng.one_in(6) {
            lie(rng, &mut bytes);
        }
        bytes.truncate(INPUT_BYTES_MAX);
        bytes
    }
}

/// The names of the contract, to make inputs of.
pub struct Words(Vec<&'static str>);

impl Words {
    pub fn of_contract() -> Self {
        let mut words = vec!["", "a", "info", "never", "default", "children", "after_ms", "facts", "stdout", "é"];
        for (name, _, fields) in BODIES {
            words.push(name);
            add_names(fields, &mut words);
        }
        Self(words)
    }
}

fn add_names(fields: &[Field], words: &mut Vec<&'static str>) {
    for (name, inner, _) in fields {
        words.push(name);
        match inner {
            Type::Fields(fields) | Type::Choice(_, fields) => add_names(fields, words),
            Type::Maybe(Type::Fields(fields)) | Type::List(Type::Fields(fields), _) => add_names(fields, words),
            _ => {}
        }
    }
}

/// Changes the value as a value, when it is one.
fn mutate_value(rng: &mut SplitMix64, input: &[u8], other: &[u8], words: &Words) -> Option<Vec<u8>> {
    let mut value = read(input).ok()?;
    let other = read(other).unwrap_or_else(|_| value.clone());
    for _ in 0..=rng.below(3) {
        reshape(rng, &mut value, &other, &words.0);
    }
    Some(value.write(if rng.one_in(8) { Form::Widest } else { Form::Shortest }))
}

/// Puts whole frames together, so that a decoder has more than one.
fn mutate_inside(rng: &mut SplitMix64, input: &[u8], other: &[u8], head: usize, words: &Words) -> Vec<u8> {
    let payload = other.get(head + 4..).unwrap_or_default();
    let payload = mutate_value(rng, payload, payload, words).unwrap_or_else(|| payload.to_vec());
    let length = (payload.len() as u32).to_be_bytes();
    [input, &length, &payload].concat()
}

/// By way of MessagePack and back; JSON that is shown from it may have a name twice.
fn mutate_json(rng: &mut SplitMix64, input: &[u8], other: &[u8], words: &Words) -> Option<Vec<u8>> {
    let value: Payload = serde_json::from_slice(input).ok()?;
    let other: Payload = serde_json::from_slice(other).unwrap_or_else(|_| value.clone());
    serde_json::to_vec(&Payload(mutate_value(rng, &value.0, &other.0, words)?)).ok()
}
