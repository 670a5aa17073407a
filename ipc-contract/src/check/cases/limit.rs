//! LIMIT: the largest that is taken, and what is one more.

use serde_json::{Value, json};

use super::wire::padded_run;
use crate::check::calls::payload;
use crate::check::case::{Case, case};
use crate::check::hear::Exits;
use crate::check::{Failure, Stage, Verdict};
use crate::feature::Feature;
use crate::frame::MAX_FRAME_BYTES;
use crate::limits::{ARGS_BYTES, FOLLOW_UPS, FOLLOW_UPS_BYTES, RESULT_BYTES};
use crate::payload::Payload;

/// The head of a long text in MessagePack.
const TEXT_HEAD_BYTES: u64 = 5;

pub(super) fn cases() -> Vec<Case> {
    sizes().into_iter().chain(follow_ups()).collect()
}

fn sizes() -> Vec<Case> {
    vec![
        case("LIMIT/result", "7", "a result of exactly 1 MiB is taken", |stage| {
            let mut peer = stage.ready()?;
            let bytes = RESULT_BYTES.default - TEXT_HEAD_BYTES;
            let run = peer.run("blob", json!({ "bytes": bytes }))?;
            let done = peer.done(run)?;
            let seen = done.result.0.len() as u64;
            Failure::unless(seen == RESULT_BYTES.default, "a result of 1048576 bytes", format!("{seen} bytes"))?;
            peer.farewell()
        }),
        case("LIMIT/one-too-many", "4.4", "a result of one byte over 1 MiB is a `fail`", |stage| {
            too_large(stage, RESULT_BYTES.default - TEXT_HEAD_BYTES + 1)
        }),
        case("LIMIT/more-than-a-frame", "4.4", "a result that fits into no frame is a `fail`", |stage| {
            too_large(stage, MAX_FRAME_BYTES as u64 + 1)
        }),
        case("LIMIT/echo", "7", "args and result of 1 MiB each are taken", |stage| {
            let mut peer = stage.ready()?;
            let run = peer.next_run("echo", text(ARGS_BYTES.default));
            let args = run.args.clone();
            let run = peer.send_run(run)?;
            peer.done_with(run, &args)?;
            peer.farewell()
        }),
        case("LIMIT/args", "7", "args of 4 MiB, the most that can be configured, are taken", |stage| {
            let mut peer = stage.ready()?;
            let run = peer.next_run("noop", text(ARGS_BYTES.max));
            let run = peer.send_run(run)?;
            peer.done(run)?;
            peer.farewell()
        }),
        case("LIMIT/frame", "2.1", "a frame of exactly 16 MiB is taken", |stage| {
            let mut peer = stage.ready()?;
            let run = peer.send_form("noop", Payload::default(), &padded_run(1, MAX_FRAME_BYTES))?;
            peer.done(run)?;
            peer.goes_on()?;
            peer.farewell()
        }),
        case("LIMIT/frame-over", "2.1", "a longer frame is refused as soon as its length is there", |stage| {
            let mut peer = stage.ready()?;
            let length = u32::try_from(MAX_FRAME_BYTES).unwrap_or(u32::MAX) + 1;
            peer.send_raw(&length.to_be_bytes())?;
            peer.exits(Exits::Refusing)
        }),
        case("LIMIT/frame-longest", "2.1", "the longest length that can be written is refused", |stage| {
            let mut peer = stage.ready()?;
            peer.send_raw(&[0xff; 4])?;
            peer.exits(Exits::Refusing)
        }),
        case("LIMIT/frame-empty", "2.1", "a length of 0 is refused", |stage| {
            let mut peer = stage.ready()?;
            peer.send_raw(&[0; 4])?;
            peer.exits(Exits::Refusing)
        }),
    ]
}

fn follow_ups() -> [Case; 4] {
    let one_more = FOLLOW_UPS.default + 1;
    [
        (
            "follow-ups-over",
            "1001 follow-up tasks are a `fail`",
            json!(vec![json!({ "kind": "noop" }); one_more as usize]),
        ),
        ("follow-ups-args-over", "follow-up tasks with args of more than 1 MiB together are a `fail`", heavy()),
        ("follow-ups-name", "a follow-up whose kind is no name is a `fail`", json!([{ "kind": "Not A Name" }])),
        (
            "follow-ups-priority",
            "a follow-up with a priority beyond 100 is a `fail`",
            json!([{ "kind": "noop", "priority": 101 }]),
        ),
    ]
    .map(|(name, rule, tasks)| {
        let play = move |stage: &Stage<'_>| illegal_follow_ups(stage, tasks.clone());
        case(format!("LIMIT/{name}"), "7", rule, play).feature(Feature::Enqueue).kind("enqueue")
    })
}

/// Text whose payload is exactly so long.
fn text(payload_bytes: u64) -> Payload {
    payload(json!("x".repeat((payload_bytes - TEXT_HEAD_BYTES) as usize)))
}

fn too_large(stage: &Stage<'_>, bytes: u64) -> Verdict {
    let mut peer = stage.ready()?;
    let run = peer.run("blob", json!({ "bytes": bytes }))?;
    let fail = peer.fail(run)?;
    Failure::unless(!fail.error.is_empty(), "a sentence in `error`", "no text")?;
    peer.goes_on()?;
    peer.farewell()
}

/// Two follow-ups that are too much only together.
fn heavy() -> Value {
    let half = "x".repeat(FOLLOW_UPS_BYTES.default as usize / 2);
    json!([{ "kind": "noop", "args": half }, { "kind": "noop", "args": half }])
}

fn illegal_follow_ups(stage: &Stage<'_>, tasks: Value) -> Verdict {
    let mut peer = stage.ready()?;
    let run = peer.run("enqueue", json!({ "tasks": tasks }))?;
    peer.fail(run)?;
    peer.goes_on()?;
    peer.farewell()
}
