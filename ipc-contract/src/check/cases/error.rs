//! ERROR: handlers that fail, and processes that die of them.

use serde_json::{Value, json};

use crate::check::case::{Case, case};
use crate::check::hear::Exits;
use crate::check::peer::shown;
use crate::check::stage::welcome;
use crate::check::{Failure, Stage, Verdict};
use crate::message::StopReason;

pub(super) fn cases() -> Vec<Case> {
    [answered(), died()].into_iter().flatten().collect()
}

fn answered() -> Vec<Case> {
    vec![
        case("ERROR/raise", "4.4", "a handler that raises is answered by `fail`, and the worker goes on", |stage| {
            fails(stage, "raise", json!({ "error": "no such city" }), json!("default"))
        }),
        case("ERROR/raise-often", "4.4", "a worker survives many errors", |stage| {
            let mut peer = stage.ready()?;
            for number in 0..50 {
                let run = peer.run("raise", json!({ "error": format!("error {number}") }))?;
                peer.fail_with(run, json!({ "error": { "$contains": format!("error {number}") } }))?;
            }
            peer.goes_on()?;
            peer.farewell()
        }),
        case("ERROR/raise-at-once", "4.4", "an error of one run does not touch the others", |stage| {
            let mut peer = stage.ready_with(&[("SAMPLE_CONCURRENCY", Some("2"))], &welcome())?;
            let run = peer.run("sleep", json!({ "ms": 600_000 }))?;
            let raised = peer.run("raise", json!({ "error": "alone" }))?;
            peer.fail_with(raised, json!({ "error": { "$contains": "alone" } }))?;
            peer.stop_run(run, StopReason::Cancel)?;
            peer.fail_with(run, json!({ "error": { "$contains": "cancel" } }))?;
            peer.farewell()
        })
        .variable("SAMPLE_CONCURRENCY"),
        case("ERROR/fail", "3", "`retry` is \"default\" when a handler says nothing else", |stage| {
            fails(stage, "fail", json!({ "error": "not today" }), json!("default"))
        }),
        case("ERROR/fail-default", "3", "`retry` is what the handler says: \"default\"", |stage| {
            fails(stage, "fail", json!({ "error": "not today", "retry": "default" }), json!("default"))
        }),
        case("ERROR/fail-never", "3", "`retry` is what the handler says: \"never\"", |stage| {
            fails(stage, "fail", json!({ "error": "not today", "retry": "never" }), json!("never"))
        }),
        case("ERROR/fail-after", "3", "`retry` is what the handler says: after a time", |stage| {
            let mut peer = stage.ready()?;
            for after_ms in [0, 1, 1_500, 86_400_000] {
                let retry = json!({ "after_ms": after_ms });
                let run = peer.run("fail", json!({ "error": "busy", "retry": retry }))?;
                peer.fail_with(run, json!({ "retry": retry }))?;
            }
            peer.farewell()
        }),
        case("ERROR/fail-scope", "3", "`scope` is what the handler says: who waits", |stage| {
            let mut peer = stage.ready()?;
            for scope in ["task", "key", "queue"] {
                let retry = json!({ "after_ms": 1_500 });
                let run = peer.run("fail", json!({ "error": "busy", "retry": retry, "scope": scope }))?;
                peer.fail_with(run, json!({ "retry": retry, "scope": scope }))?;
            }
            peer.farewell()
        }),
        case("ERROR/text", "3", "the error is text of any language", |stage| {
            let error = "n\u{e3}o h\u{e1} \u{4e16}\u{754c} \u{1f30d}\nline two";
            fails(stage, "fail", json!({ "error": error }), json!("default"))
        }),
        case("ERROR/long-text", "3", "a long error still makes a legal frame", |stage| {
            let mut peer = stage.ready()?;
            for bytes in [100_000, 3_000_000] {
                let run = peer.run("raise", json!({ "error": "e".repeat(bytes) }))?;
                let fail = peer.fail(run)?;
                Failure::unless(fail.error.contains("eee"), "the text, or a part of it", shown(&fail).to_string())?;
            }
            peer.goes_on()?;
            peer.farewell()
        }),
    ]
}

fn died() -> Vec<Case> {
    vec![
        crash("crash-exit", "a process that exits takes that code along", json!({ "exit": 3 }), Exits::Code(3)),
        crash("crash-exit-0", "a process may exit with 0 in the middle of a run", json!({ "exit": 0 }), Exits::Code(0)),
        crash("crash-signal", "a process may die of a signal", json!({ "signal": 9 }), Exits::Signal(9)),
        crash("crash-abort", "a process may abort", json!({ "signal": 6 }), Exits::Signal(6)),
        crash("crash-segfault", "without args it is the signal 11", Value::Null, Exits::Signal(11)),
        case(
            "ERROR/crash-after-answer",
            "4.3",
            "the answer has left before the code of the next run starts",
            |stage| {
                let mut peer = stage.ready()?;
                let first = peer.run("echo", json!(1))?;
                peer.done(first)?;
                peer.run("crash", json!({ "signal": 9 }))?;
                peer.exits(Exits::Signal(9))
            },
        ),
    ]
}

fn fails(stage: &Stage<'_>, kind: &str, args: Value, retry: Value) -> Verdict {
    let mut peer = stage.ready()?;
    let run = peer.run(kind, args.clone())?;
    peer.fail_with(run, json!({ "error": { "$contains": args["error"] }, "retry": retry }))?;
    peer.goes_on()?;
    peer.farewell()
}

fn crash(name: &str, what: &str, args: Value, end: Exits) -> Case {
    case(format!("ERROR/{name}"), "6", format!("`crash`: {what}, and nothing is said"), move |stage| {
        let mut peer = stage.ready()?;
        peer.goes_on()?;
        peer.run("crash", args.clone())?;
        peer.exits(end)
    })
}
