//! Target `message`: what a payload is to `scan`, `decode` and `preview`, held against `value` and `grammar`.

use std::collections::BTreeMap;
use std::fmt::Debug;

use ipc_contract::error::HEAD_BYTES_MAX;
use ipc_contract::frame::LENGTH_BYTES;
use ipc_contract::scan::scan;
use ipc_contract::{
    ContractError, Direction, ErrorKind, FromWorker, Message, Payload, TaskSpec, ToWorker, decode, encode,
};

use super::grammar::{BODIES, verdict};
use super::trail::{Trail, bucket, ensure};
use super::value::{Form, Value, read};

/// JSON that shows a payload for a person: 64 KiB of text, each byte of which may be escaped, and 2,000 values around it.
const PREVIEW_BYTES_MAX: usize = 1024 * 1024;

/// What a preview shows whole: so many levels, and values, each of which takes a byte or more.
const PREVIEW_DEPTH_MAX: usize = 32;
const PREVIEW_NODES_MAX: usize = 2_000;
/// A reader of untyped values takes about 4 KiB of stack for each level of maps in a build without optimisation.
const READ_LEVELS_MAX: usize = 32;

/// An error with its evidence: what a sender wrote does not fill a log.
const SENTENCE_BYTES_MAX: usize = 8 * 1024;

pub fn check(input: &[u8]) -> Result<Trail, String> {
    let mut trail = Trail::default();
    let value = read(input);
    let scanned = scan(input).map_err(|error| error.kind.name());
    let expected = value.as_ref().map(|_| ()).map_err(|error| *error);
    ensure(scanned == expected, || format!("scan says {scanned:?}, the rules say {expected:?}"))?;
    check_direction(input, &value, check_worker, &mut trail)?;
    check_direction(input, &value, check_supervisor, &mut trail)?;
    check_shown(&Payload(input.to_vec()), &mut trail)?;
    Ok(trail)
}

fn check_direction<M: Message + Debug + PartialEq>(
    input: &[u8],
    value: &Result<Value, &'static str>,
    check_meaning: fn(&M) -> Result<(), String>,
    trail: &mut Trail,
) -> Result<(), String> {
    let from_worker = M::DIRECTION == Direction::FromWorker;
    let expected = match value {
        Ok(value) => verdict(value, from_worker),
        Err(error) => Some(*error),
    };
    let decoded = decode::<M>(input);
    let found = decoded.as_ref().err().map(|error| error.kind.name());
    ensure(found == expected, || format!("decode says {found:?}, the rules say {expected:?}: {decoded:?}"))?;
    match decoded {
        Ok(message) => {
            check_accepted(&message, input, value.as_ref().ok(), trail)?;
            check_meaning(&message)
        }
        Err(error) => check_refused(&error, input, trail),
    }
}

fn check_refused(error: &ContractError, input: &[u8], trail: &mut Trail) -> Result<(), String> {
    let expected = &input[..input.len().min(HEAD_BYTES_MAX)];
    ensure(error.head == expected, || "the evidence is not the first bytes".to_owned())?;
    let sentence = error.to_string();
    let is_plain = (1..=SENTENCE_BYTES_MAX).contains(&sentence.len()) && !sentence.contains(char::is_control);
    ensure(is_plain, || format!("no plain sentence: {sentence:?}"))?;
    match &error.kind {
        ErrorKind::Body { message, field } => {
            ensure(BODIES.iter().any(|(name, ..)| name == message), || format!("names no message: {message}"))?;
            let field = field.as_deref().and_then(|field| field.split(['.', '[']).next());
            // Names that the sender chose are no news.
            let known = BODIES.iter().flat_map(|(_, _, fields)| fields.iter().map(|(name, ..)| *name));
            trail.mark((message, field.and_then(|field| known.clone().find(|name| *name == field))));
        }
        kind => trail.mark((kind.name(), bucket(input.len()))),
    }
    Ok(())
}

/// What decodes is written so that it decodes to the same; wider numbers and unknown fields change nothing.
fn check_accepted<M: Message + Debug + PartialEq>(
    message: &M,
    input: &[u8],
    value: Option<&Value>,
    trail: &mut Trail,
) -> Result<(), String> {
    let frame = encode(message).map_err(|error| format!("decodes, but does not encode: {error}"))?;
    let (length, payload) = frame.split_at(LENGTH_BYTES);
    ensure(length == (payload.len() as u32).to_be_bytes(), || "the length of the frame is wrong".to_owned())?;
    is_same(message, payload, payload, "as it is written")?;
    if let Some(value) = value {
        is_same(message, payload, &with_unknown_field(value).write(Form::Widest), "wide and with an unknown field")?;
    }
    serde_json::to_string(message).map_err(|error| format!("cannot be shown as JSON: {error}"))?;
    trail.mark((message.kind(), "accepted", payload == input, bucket(payload.len())));
    let Ok(Value::Map(pairs)) = read(payload) else { return Err("what is written is no map".to_owned()) };
    for (name, field) in pairs.first().and_then(|(_, body)| body.named()).into_iter().flatten() {
        trail.mark((message.kind(), name, std::mem::discriminant(field), bucket(size_of_value(field))));
    }
    Ok(())
}

/// `other` says what `message` does, which is written as `payload`.
fn is_same<M: Message + Debug + PartialEq>(message: &M, payload: &[u8], other: &[u8], how: &str) -> Result<(), String> {
    let again = decode::<M>(other).map_err(|error| format!("does not decode {how}: {error}"))?;
    let written = encode(&again).map_err(|error| format!("does not encode {how}: {error}"))?;
    // A NaN is never equal to itself; its name is.
    let is_equal = again == *message || format!("{again:?}") == format!("{message:?}");
    ensure(is_equal && written[LENGTH_BYTES..] == *payload, || format!("is {again:?} {how}, was {message:?}"))
}

fn with_unknown_field(value: &Value) -> Value {
    let mut value = value.clone();
    if let Value::Map(pairs) = &mut value
        && let Some((_, Value::Map(fields))) = pairs.first_mut()
    {
        let map_with_number = Value::Map(vec![(Value::Int(7), Value::Array(vec![Value::Nil]))]);
        fields.insert(0, (Value::Str("of_a_later_version".to_owned()), map_with_number));
    }
    value
}

fn size_of_value(value: &Value) -> usize {
    match value {
        Value::Nil | Value::Bool(false) => 0,
        Value::Bool(true) | Value::Float(_) => 1,
        Value::Int(number) => (128 - number.unsigned_abs().leading_zeros()) as usize / 16,
        Value::Str(text) => text.len(),
        Value::Bin(bytes) => bytes.len(),
        Value::Array(items) => items.len(),
        Value::Map(pairs) => pairs.len(),
    }
}

/// What is checked of a message once it is decoded is checked without a panic; the payload that it carries can be shown.
fn check_worker(message: &FromWorker) -> Result<(), String> {
    let outcome = match message {
        FromWorker::Hello(hello) => hello.validate(),
        FromWorker::Note(note) => note.validate(),
        FromWorker::Save(save) => save.validate(),
        FromWorker::Park(park) => park.validate(),
        FromWorker::Done(done) => {
            check_shown(&done.result, &mut Trail::default())?;
            done.enqueue.iter().try_for_each(TaskSpec::validate)
        }
        _ => Ok(()),
    };
    ensure(outcome.err().is_none_or(|error| !error.detail.is_empty()), || "no sentence".to_owned())
}

fn check_supervisor(message: &ToWorker) -> Result<(), String> {
    let payload = if let ToWorker::Run(run) = message { Some(&run.args) } else { None };
    payload.map_or(Ok(()), |args| check_shown(args, &mut Trail::default()))
}

/// Any bytes can be shown: a value as what it is, in a preview unless it is large, anything else as a sentence.
fn check_shown(payload: &Payload, trail: &mut Trail) -> Result<(), String> {
    let preview = payload.preview();
    let text = preview.to_string();
    ensure(text.len() <= PREVIEW_BYTES_MAX, || format!("a preview of {} bytes", text.len()))?;
    let whole = serde_json::to_value(payload).map_err(|error| format!("cannot be shown as JSON: {error}"))?;
    let Ok(value) = read(if payload.is_nothing() { b"\xc0" } else { &payload.0 }) else {
        let is_sentence = |shown: &serde_json::Value| shown.as_str().is_some_and(|it| it.contains("not MessagePack"));
        return ensure(is_sentence(&preview) && is_sentence(&whole), || text);
    };
    let depth = depth(&value);
    let is_small = depth <= PREVIEW_DEPTH_MAX && payload.0.len() <= PREVIEW_NODES_MAX;
    ensure(whole == value.shown(), || format!("{whole} is shown for {value:?}"))?;
    ensure(!is_small || preview == whole, || format!("the preview of {whole} is {preview}"))?;
    trail.mark(("shown", std::mem::discriminant(&value), preview == whole, depth / 8));
    if depth <= READ_LEVELS_MAX {
        payload.read::<BTreeMap<String, serde_json::Value>>().err();
    }
    Ok(())
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Map(pairs) => 1 + pairs.iter().map(|(key, value)| depth(key).max(depth(value))).max().unwrap_or(0),
        _ => 0,
    }
}
