//! Target `json`: text that a person or a program wrote, as a task or as a transcript: never a panic, and what is accepted
//! says the same when it is written again.

use ipc_contract::json::check_integers;
use ipc_contract::transcript::Transcript;
use ipc_contract::{ContractError, FromWorker, TaskSpec, decode, encode};

use super::trail::{Trail, bucket, ensure};

/// Words by which the sentences of errors are told apart.
const REASONS: &[&str] = &[
    "",
    "EOF",
    "expected",
    "missing",
    "duplicate",
    "unknown",
    "invalid type",
    "invalid value",
    "trailing",
    "control",
    "lone",
    "recursion",
    "out of range",
    "escape",
    "code point",
    "key must",
    "64 bits",
    "no field",
    "did you mean",
    "is no name",
    "printable",
    "limit",
    "must be",
    "nested",
    "no variant",
    "kind",
    "priority",
    "args",
    "delay_ms",
    "steps",
    "cause",
    "from_worker",
    "to_worker",
    "players",
    "environment",
];

pub fn check(input: &[u8]) -> Result<Trail, String> {
    let mut trail = Trail::default();
    check_integers(input).err();
    match TaskSpec::from_json(input) {
        Ok(spec) => {
            ensure(!has_long_integer(input), || "an integer over 64 bits is accepted".to_owned())?;
            check_spec(&spec, &mut trail)?;
        }
        Err(error) => check_refused("task", &error, &mut trail)?,
    }
    let Ok(text) = std::str::from_utf8(input) else { return Ok(trail) };
    match Transcript::from_json(text) {
        Ok(transcript) => check_transcript(&transcript, &mut trail)?,
        Err(error) => check_refused("transcript", &error, &mut trail)?,
    }
    Ok(trail)
}

fn check_refused(what: &str, error: &ContractError, trail: &mut Trail) -> Result<(), String> {
    ensure(!error.detail.is_empty(), || "no sentence".to_owned())?;
    // The sender's own words are no news; of ours there are not many.
    for reason in REASONS.iter().filter(|reason| error.detail.contains(**reason)) {
        trail.mark((what, error.kind.name(), reason));
    }
    Ok(())
}

fn check_spec(spec: &TaskSpec, trail: &mut Trail) -> Result<(), String> {
    spec.validate().map_err(|error| format!("accepted, but not valid: {error}"))?;
    let json = serde_json::to_vec(spec).map_err(|error| format!("cannot be written: {error}"))?;
    let again = TaskSpec::from_json(&json).map_err(|error| format!("accepted, written, refused: {error}"))?;
    ensure(again == *spec, || format!("{spec:?} is {again:?} when it is written and read"))?;
    let done = FromWorker::Done(ipc_contract::Done { enqueue: vec![spec.clone()], ..Default::default() });
    let frame = encode(&done).map_err(|error| format!("cannot travel: {error}"))?;
    let arrived = decode::<FromWorker>(&frame[ipc_contract::frame::LENGTH_BYTES..]);
    ensure(arrived.as_ref() == Ok(&done), || format!("{done:?} arrives as {arrived:?}"))?;
    trail.mark(("task", bucket(spec.args.0.len()), spec.priority.is_some(), spec.name.is_some(), spec.queue.is_some()));
    trail.mark(("task", spec.delay_ms.map(|ms| ms.leading_zeros() / 8), spec.timeout_ms.is_some()));
    Ok(())
}

/// True when the JSON has a whole number that neither `u64` nor `i64` holds.
fn has_long_integer(json: &[u8]) -> bool {
    let (mut outside, mut in_text, mut is_escaped) = (String::new(), false, false);
    for &byte in json {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = in_text,
            b'"' => in_text = !in_text,
            _ if !in_text => outside.push(char::from(byte)),
            _ => {}
        }
    }
    let is_long = |number: &str| match number.parse::<i128>() {
        Ok(number) => u64::try_from(number).is_err() && i64::try_from(number).is_err(),
        Err(_) => number.len() > i128::MAX.to_string().len() && number.bytes().all(|byte| byte.is_ascii_digit()),
    };
    outside.split([',', ':', '[', ']', '{', '}', ' ', '\n', '\t', '\r']).any(is_long)
}

fn check_transcript(transcript: &Transcript, trail: &mut Trail) -> Result<(), String> {
    let json = serde_json::to_string(transcript).map_err(|error| format!("cannot be written: {error}"))?;
    let again = Transcript::from_json(&json).map_err(|error| format!("accepted, written, refused: {error}: {json}"))?;
    ensure(again == *transcript, || format!("{transcript:?} is {again:?} when it is written and read"))?;
    match transcript.visits() {
        Ok(pairs) => trail.mark(("visits", pairs.last().copied(), bucket(pairs.len()))),
        Err((index, violation)) => {
            ensure(index < transcript.steps.len(), || format!("step {index} is not there"))?;
            trail.mark(("violation", violation.state, violation.kind));
        }
    }
    Ok(())
}
