//! FRAME: how bytes may arrive, and the forms in which a message may be written. The vectors are in `vector`.

use serde_json::json;

use super::wire::{bin, forms_of, frame, message, padded_stop, run_fields, text};
use crate::check::calls::payload;
use crate::check::case::{Case, case};
use crate::check::hear::Exits;
use crate::check::peer::encoded;
use crate::check::stage::welcome;
use crate::check::{Failure, Stage, Verdict};
use crate::message::*;
use crate::payload::Payload;
use crate::scan::MAX_DEPTH;

const MIB: usize = 1024 * 1024;
/// What each side writes while the other writes too.
const BOTH_BYTES: usize = 64 * MIB;
/// Of which this much is one frame.
const PART_BYTES: usize = 8 * MIB;
/// Runs in flight, each with a result of 1 MiB.
const PARALLEL: u64 = 64;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("FRAME/byte-by-byte", "1.3", "bytes may arrive in pieces of any size", byte_by_byte),
        case("FRAME/split-length", "1.3", "a frame may be split within its length", split_length),
        case("FRAME/many-in-one-piece", "1.3", "several frames may arrive in one piece", many_in_one_piece),
        case("FRAME/runs-in-one-piece", "1.3", "several runs may arrive in one piece", runs_in_one_piece)
            .variable("SAMPLE_CONCURRENCY"),
        case(
            "FRAME/reads-while-writing",
            "1.3",
            "a worker reads on while nobody reads what it writes",
            reads_while_writing,
        ),
        case("FRAME/both-at-once", "1.3", "64 MiB by both sides at once arrive", both_at_once)
            .variable("SAMPLE_CONCURRENCY"),
        case("FRAME/integer-forms", "2.1", "integers may be written in any form that holds them", integer_forms),
        case("FRAME/text-forms", "2.1", "text may be written in any form that holds it", |stage| {
            forms_of_field(stage, "kind", &[&[0xa4], &[0xd9, 4], &[0xda, 0, 4], &[0xdb, 0, 0, 0, 4]], b"echo")
        }),
        case("FRAME/bytes-forms", "2.1", "bytes may be written in any form that holds them", |stage| {
            forms_of_field(stage, "args", &[&[0xc4, 1], &[0xc5, 0, 1], &[0xc6, 0, 0, 0, 1]], &[7])
        }),
        case("FRAME/map-forms", "2.1", "maps may be written in any form that holds them", map_forms),
        case("FRAME/field-order", "2.1", "fields may come in any order", field_order),
        case(
            "FRAME/unknown-fields",
            "2.1",
            "fields that a worker does not know are ignored, whatever they hold",
            unknown_fields,
        ),
        case("FRAME/deepest", "2.1", "64 levels of nesting are taken", |stage| {
            let mut peer = stage.ready()?;
            peer.last_task = 7;
            let run = peer.send_form("echo", Payload::default(), &nested_field(MAX_DEPTH))?;
            peer.done(run)?;
            peer.farewell()
        }),
        case("FRAME/too-deep", "5", "65 levels of nesting are refused", |stage| {
            let mut peer = stage.ready()?;
            peer.send_raw(&nested_field(MAX_DEPTH + 1))?;
            peer.exits(Exits::Refusing)
        }),
        case("FRAME/field-twice", "5", "a field that stands twice is refused", |stage| {
            let mut peer = stage.ready()?;
            let mut fields = run_fields(7, "echo");
            fields.push(("task", vec![8]));
            peer.send_raw(&message("run", &fields))?;
            peer.exits(Exits::Refusing)
        }),
        case("FRAME/body-is-array", "5", "a body that is an array of its fields is refused", |stage| {
            let mut peer = stage.ready()?;
            peer.send_raw(&frame(&[&[0x81], &text("run")[..], &[0x93, 7, 1], &text("echo")].concat()))?;
            peer.exits(Exits::Refusing)
        }),
        case("FRAME/own-messages", "5", "a message of the worker's own side is refused", own_messages),
        case("FRAME/nothing-spelled", "2.1", "no bytes, nil and a missing field all mean nothing", nothing_spelled),
        case(
            "FRAME/after-an-answer",
            "5",
            "an error is found at any time, also when runs were answered before",
            |stage| {
                let mut peer = stage.ready()?;
                peer.goes_on()?;
                peer.send_raw(b"Traceback (most recent call last):\n")?;
                peer.exits(Exits::Refusing)
            },
        ),
    ]
}

fn byte_by_byte(stage: &Stage<'_>) -> Verdict {
    let (mut peer, _) = stage.greeted()?;
    peer.trickle(&ToWorker::Welcome(welcome()), 1)?;
    peer.expect(&json!({ "ready": {} }))?;
    let run = peer.next_run("echo", payload(json!({ "city": "Recife" })));
    peer.trickle(&ToWorker::Run(run.clone()), 1)?;
    peer.done_with(RunRef { task: run.task, epoch: run.epoch }, &run.args)?;
    peer.farewell()
}

fn split_length(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready()?;
    for piece_bytes in [2, 3, 4, 5] {
        let run = peer.next_run("echo", payload(json!({ "piece": piece_bytes })));
        peer.trickle(&ToWorker::Run(run.clone()), piece_bytes)?;
        peer.done_with(RunRef { task: run.task, epoch: run.epoch }, &run.args)?;
    }
    peer.farewell()
}

/// Stops of runs that are not there, and a run, all in one write.
fn many_in_one_piece(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready()?;
    let mut piece = Vec::new();
    for task in 1_000..1_200 {
        let run = Some(RunRef { task, epoch: 1 });
        piece.extend(encoded(&ToWorker::Stop(Stop { run, reason: StopReason::Cancel, grace_ms: 1 }))?);
    }
    let run = peer.next_run("echo", payload(json!("last of all")));
    let message = ToWorker::Run(run.clone());
    piece.extend(encoded(&message)?);
    peer.send_as(&message, &piece)?;
    peer.done_with(RunRef { task: run.task, epoch: run.epoch }, &run.args)?;
    peer.farewell()
}

fn runs_in_one_piece(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready_with(&[("SAMPLE_CONCURRENCY", Some("8"))], &welcome())?;
    let runs: Vec<Run> = (0..8).map(|number| peer.next_run("echo", payload(json!({ "number": number })))).collect();
    peer.send_together(&runs)?;
    peer.done_in_any_order(&runs)?;
    peer.farewell()
}

fn reads_while_writing(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready()?;
    peer.set_reads(false);
    let run = peer.run("blob", json!({ "bytes": MIB - 16 }))?;
    for _ in 0..BOTH_BYTES / PART_BYTES {
        peer.send_raw(&padded_stop(PART_BYTES))?;
        peer.flush()?;
    }
    peer.set_reads(true);
    peer.done(run)?;
    peer.goes_on()?;
    peer.farewell()
}

fn both_at_once(stage: &Stage<'_>) -> Verdict {
    let concurrency = PARALLEL.to_string();
    let mut peer = stage.ready_with(&[("SAMPLE_CONCURRENCY", Some(&concurrency))], &welcome())?;
    let text = "x".repeat(BOTH_BYTES / PARALLEL as usize - 16);
    let runs: Vec<Run> = (0..PARALLEL).map(|_| peer.next_run("echo", payload(json!(text)))).collect();
    peer.set_reads(false);
    for run in &runs {
        peer.send(&ToWorker::Run(run.clone()))?;
    }
    peer.flush()?;
    peer.set_reads(true);
    peer.done_in_any_order(&runs)?;
    peer.farewell()
}

fn integer_forms(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready()?;
    for form in forms_of(7) {
        let fields = [("task", form.clone()), ("epoch", form.clone()), ("attempt", form), ("kind", text("context"))];
        let run = Run { task: 7, epoch: 7, attempt: 7, kind: "context".to_owned(), ..Run::default() };
        peer.send_as(&ToWorker::Run(run), &message("run", &fields))?;
        peer.expect(&json!({ "done": { "task": 7, "epoch": 7, "result": { "task": 7, "epoch": 7, "attempt": 7 } } }))?;
    }
    peer.farewell()
}

/// A run of `echo` with the args 7, whose field is written in each of these forms.
fn forms_of_field(stage: &Stage<'_>, field: &str, heads: &[&[u8]], content: &[u8]) -> Verdict {
    let mut peer = stage.ready()?;
    for head in heads {
        let mut fields = run_fields(7, "echo");
        fields.push(("args", vec![0xc4, 1, 7]));
        let value = [head, content].concat();
        fields.iter_mut().filter(|(name, _)| *name == field).for_each(|(_, written)| written.clone_from(&value));
        peer.last_task = 6;
        let run = peer.send_form("echo", Payload(vec![7]), &message("run", &fields))?;
        peer.done_with(run, &Payload(vec![7]))?;
    }
    peer.farewell()
}

fn map_forms(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready()?;
    let fields: Vec<u8> =
        run_fields(7, "echo").into_iter().flat_map(|(name, value)| [text(name), value]).flatten().collect();
    let heads: [(&[u8], &[u8]); 3] =
        [(&[0x81], &[0x83]), (&[0xde, 0, 1], &[0xde, 0, 3]), (&[0xdf, 0, 0, 0, 1], &[0xdf, 0, 0, 0, 3])];
    for (outer, inner) in heads {
        peer.last_task = 6;
        let bytes = frame(&[outer, &text("run"), inner, &fields].concat());
        let run = peer.send_form("echo", Payload::default(), &bytes)?;
        peer.done(run)?;
    }
    peer.farewell()
}

fn field_order(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready()?;
    let mut fields = run_fields(7, "echo");
    fields.push(("args", bin(&[7])));
    for _ in 0..fields.len() {
        fields.rotate_left(1);
        peer.last_task = 6;
        let run = peer.send_form("echo", Payload(vec![7]), &message("run", &fields))?;
        peer.done_with(run, &Payload(vec![7]))?;
    }
    peer.farewell()
}

fn unknown_fields(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready()?;
    let unknown: [&[u8]; 9] = [
        b"\xc0",
        b"\xc3",
        b"\xff",
        b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\xcb\x7f\xf0\0\0\0\0\0\0",
        b"\xd9\x05hello",
        b"\xc4\x02\xff\xfe",
        b"\x92\x01\x91\x80",
        b"\x82\x01\xa1a\xa1b\x90",
    ];
    for value in unknown {
        let mut fields = run_fields(7, "echo");
        fields.insert(1, ("later_version", value.to_vec()));
        peer.last_task = 6;
        let run = peer.send_form("echo", Payload::default(), &message("run", &fields))?;
        peer.done(run)?;
    }
    peer.farewell()
}

/// A run with an unknown field that makes the frame so many levels deep.
fn nested_field(levels: usize) -> Vec<u8> {
    let mut fields = run_fields(8, "echo");
    // The message and its body are two.
    let mut value = vec![0x91; levels - 2 - 1];
    value.push(0x90);
    fields.push(("nested", value));
    message("run", &fields)
}

/// Each in a process of its own.
fn own_messages(stage: &Stage<'_>) -> Verdict {
    let own = [
        FromWorker::Ready(Ready {}),
        FromWorker::Beat(Beat {}),
        FromWorker::Log(Log { message: "hello".to_owned(), ..Log::default() }),
        FromWorker::Done(Done { task: 1, epoch: 1, ..Done::default() }),
        FromWorker::Bye(Bye::default()),
    ];
    for message in own {
        let mut peer = stage.ready()?;
        peer.send_raw(&encoded(&message)?)?;
        let about = |failure: Failure| {
            Failure::new(format!("{} to be refused: {}", message.kind().name(), failure.expected), failure.seen)
        };
        peer.exits(Exits::Refusing).map_err(about)?;
    }
    Ok(())
}

fn nothing_spelled(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready()?;
    for spelled in [None, Some(vec![0xc0]), Some(vec![0xc4, 0]), Some(vec![0xc4, 1, 0xc0])] {
        let mut fields = run_fields(7, "echo");
        fields.extend(spelled.map(|value| ("args", value)));
        peer.last_task = 6;
        let run = peer.send_form("echo", Payload::default(), &message("run", &fields))?;
        peer.done_with(run, &Payload::default())?;
    }
    peer.farewell()
}
