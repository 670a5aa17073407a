//! TASK: runs and their answers, args and results, logs and follow-ups.

use serde_json::{Value, json};

use crate::check::calls::payload;
use crate::check::case::{Case, case};
use crate::check::stage::{plain_welcome, welcome};
use crate::check::{Failure, Stage, Verdict};
use crate::feature::Feature;
use crate::message::{Run, RunRef, StopReason, ToWorker};
use crate::payload::Payload;

/// Values of one kind, as they are written.
type Values = &'static [&'static [u8]];

const SIMPLE: Values = &[b"\xc0", b"\xc2", b"\xc3"];
const INTEGERS: Values =
    &[b"\x00", b"\x7f", b"\xcc\xff", b"\xcd\x01\x00", b"\xce\xff\xff\xff\xff", b"\xff", b"\xd2\x80\0\0\0"];
const LARGE_INTEGERS: Values = &[
    b"\xcf\x00\x20\0\0\0\0\0\x01",
    b"\xcf\x7f\xff\xff\xff\xff\xff\xff\xff",
    b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\xd3\xff\xdf\xff\xff\xff\xff\xff\xff",
    b"\xd3\x80\0\0\0\0\0\0\0",
];
const FLOATS: Values = &[
    b"\xcb\x3f\xf8\0\0\0\0\0\0",
    b"\xcb\xbf\xb9\x99\x99\x99\x99\x99\x9a",
    b"\xcb\x7f\xef\xff\xff\xff\xff\xff\xff",
    b"\xcb\0\0\0\0\0\0\0\x01",
    b"\xca\x3f\xc0\0\0",
];
const TEXTS: Values =
    &[b"\xa0", b"\xa5hello", b"\xa9\xe4\xb8\x96 \xf0\x9f\x8c\x8d\n", b"\xa3a\0b", b"\xa4\xed\x9f\xbf\x7f"];
const BYTES: Values = &[b"\xc4\x00", b"\xc4\x04\x00\xff\xfe\xc1"];
const ARRAYS: Values = &[b"\x90", b"\x93\x01\xa1a\xc0", b"\x91\x91\x91\x90"];
const MAPS: Values = &[b"\x80", b"\x82\xa1a\x01\xa1b\x82\xa1c\xc3\xa1d\x90", b"\x81\xa0\xc0"];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        echoes("simple", "nil, true and false", SIMPLE),
        echoes("integers", "integers", INTEGERS),
        echoes("large-integers", "integers beyond 53 bits", LARGE_INTEGERS),
        echoes("floats", "floating-point numbers", FLOATS),
        echoes("text", "text", TEXTS),
        echoes("bytes", "bytes", BYTES),
        echoes("arrays", "arrays", ARRAYS),
        echoes("maps", "maps with text as keys", MAPS),
        case("TASK/echo-deep", "2.1", "payloads may be 64 levels deep", echo_deep),
        case("TASK/echo-long", "9", "`echo` returns long text and many items unchanged", echo_long),
        case("TASK/noop", "9", "`noop` takes anything and returns nothing", noop),
        case("TASK/sleep", "9", "`sleep` returns its `ms`", |stage| {
            calls(stage, "sleep", json!({ "ms": 20 }), json!(20))
        }),
        case("TASK/stubborn", "9", "`stubborn` returns its `ms`", |stage| {
            calls(stage, "stubborn", json!({ "ms": 20 }), json!(20))
        }),
        case("TASK/blob", "9", "`blob` returns a text of so many `x`", |stage| {
            calls(stage, "blob", json!({ "bytes": 1_000 }), json!("x".repeat(1_000)))
        }),
        case("TASK/busy", "9", "`busy` returns its `ms`", |stage| calls(stage, "busy", json!({ "ms": 20 }), json!(20)))
            .kind("busy"),
        case("TASK/context", "3", "a handler sees what `run` says", context),
        case("TASK/context-defaults", "3", "fields of `run` that are missing have their defaults", context_defaults),
        case("TASK/large-numbers", "3", "numbers of tasks and runs have 64 bits", large_numbers),
        case("TASK/one-after-another", "4.2", "an answer gives the credit back", one_after_another),
        case("TASK/same-task-again", "3", "a task may run again under a new number", same_task_again),
        case(
            "TASK/unknown-kind",
            "4.4",
            "a kind that the worker does not have is a `fail` that is never retried",
            |stage| hopeless(stage, "no.such-kind", Payload::default()),
        ),
        case("TASK/wrong-type", "4.4", "args that a handler cannot read are a `fail` that is never retried", |stage| {
            hopeless(stage, "sleep", payload(json!({ "ms": "soon" })))
        }),
        case(
            "TASK/args-are-no-map",
            "4.4",
            "args that are no map, where fields are expected, are never retried",
            |stage| hopeless(stage, "sleep", payload(json!("twenty"))),
        ),
        case("TASK/field-missing", "4.4", "args without a field that is needed are never retried", |stage| {
            hopeless(stage, "sleep", payload(json!({})))
        }),
        case("TASK/args-are-no-value", "4.4", "args that are no MessagePack value are never retried", |stage| {
            hopeless(stage, "sleep", Payload(b"\x81\xa2ms".to_vec()))
        }),
        case("TASK/args-with-rest", "4.4", "args with bytes behind the value are never retried", |stage| {
            hopeless(stage, "sleep", Payload(b"\x81\xa2ms\x14\xc0".to_vec()))
        }),
        case("TASK/args-too-deep", "4.4", "args of more than 64 levels are never retried", |stage| {
            hopeless(stage, "sleep", Payload([vec![0x91; 65], vec![0x90]].concat()))
        }),
        case("TASK/no-args", "3", "nothing is a map without entries where fields are expected", no_args),
        case("TASK/several-at-once", "4.2", "a worker runs as many at once as it says", several_at_once)
            .variable("SAMPLE_CONCURRENCY"),
        case("TASK/concurrency", "4.2", "`ready` grants as many credits as `hello` says", concurrency)
            .variable("SAMPLE_CONCURRENCY"),
        case("TASK/large-and-small", "1.3", "large and small answers of runs at once do not mix", large_and_small)
            .variable("SAMPLE_CONCURRENCY"),
        case("TASK/log", "4.4", "a `log` of a run comes before its answer", log).kind("log"),
        case("TASK/log-levels", "3", "a `log` has one of four levels, by default `info`", log_levels).kind("log"),
    ];
    cases.extend(follow_ups());
    cases
}

fn follow_ups() -> [Case; 4] {
    [
        case("TASK/follow-ups", "3", "`done` brings follow-up tasks, with the fields that were given", all_fields),
        case("TASK/follow-ups-many", "7", "a result may bring 1000 follow-up tasks", |stage| {
            let mut peer = stage.ready()?;
            let run = peer.run("enqueue", json!({ "tasks": vec![json!({ "kind": "noop" }); 1_000] }))?;
            let done = peer.done(run)?;
            Failure::unless(done.enqueue.len() == 1_000, "1000 follow-ups", done.enqueue.len().to_string())?;
            peer.farewell()
        }),
        case("TASK/follow-ups-none", "3", "without follow-ups the field stays away", |stage| {
            let mut peer = stage.ready()?;
            let run = peer.run("enqueue", json!({ "tasks": [] }))?;
            peer.expect(&json!({ "done": { "task": run.task, "result": 0, "enqueue": null } }))?;
            peer.farewell()
        }),
        case(
            "TASK/follow-ups-not-agreed",
            "4.4",
            "follow-ups that cannot be said are a `fail`, and not forgotten",
            |stage| {
                let mut peer = stage.ready_with(&[], &plain_welcome())?;
                let run = peer.run("enqueue", json!({ "tasks": [{ "kind": "noop" }] }))?;
                peer.fail(run)?;
                peer.goes_on()?;
                peer.farewell()
            },
        ),
    ]
    .map(|case| case.feature(Feature::Enqueue).kind("enqueue"))
}

fn echoes(name: &str, what: &str, values: Values) -> Case {
    let rule = format!("`echo` returns {what} unchanged");
    case(format!("TASK/echo-{name}"), "9", rule, move |stage| {
        let mut peer = stage.ready()?;
        for value in values {
            let run = peer.next_run("echo", Payload(value.to_vec()));
            let args = run.args.clone();
            let run = peer.send_run(run)?;
            peer.done_with(run, &args)?;
        }
        peer.farewell()
    })
}

fn calls(stage: &Stage<'_>, kind: &str, args: Value, result: Value) -> Verdict {
    let mut peer = stage.ready()?;
    peer.call(kind, args, result)?;
    peer.farewell()
}

fn echo_deep(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready()?;
    for open in [&[0x91][..], &[0x81, 0xa1, b'a']] {
        let args = Payload([open.repeat(63), vec![0x90]].concat());
        let run = peer.next_run("echo", args.clone());
        let run = peer.send_run(run)?;
        peer.done_with(run, &args)?;
    }
    peer.farewell()
}

fn echo_long(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready()?;
    for length in [31, 32, 255, 256, 65_535, 65_536] {
        let text = "y".repeat(length);
        peer.call("echo", json!({ "text": text }), json!({ "text": text }))?;
    }
    for items in [15, 16, 65_535, 65_536] {
        let array = vec![7; items];
        peer.call("echo", json!(array), json!(array))?;
    }
    let map: Value = (0..1_000).map(|number| (format!("key {number}"), json!(number))).collect();
    peer.call("echo", map.clone(), map)?;
    peer.farewell()
}

fn noop(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready()?;
    for args in [json!(null), json!({}), json!({ "a": [1, 2] }), json!({ "b": "x" })] {
        peer.call("noop", args, Value::Null)?;
    }
    peer.farewell()
}

fn context(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready()?;
    let run = Run {
        task: 4_711,
        epoch: 12,
        attempt: 3,
        effect_key: "5f0c9a:4711".to_owned(),
        time_left_ms: Some(60_000),
        kind: "context".to_owned(),
        ..Run::default()
    };
    let done = peer.send_run(run).and_then(|run| peer.done(run))?;
    let seen = done.result.preview();
    let wanted = json!({ "task": 4711, "epoch": 12, "attempt": 3, "kind": "context", "effect_key": "5f0c9a:4711" });
    let left_ms = seen["time_left_ms"].as_f64().unwrap_or_default();
    let is_so = crate::check::pattern::fits(&wanted, &seen) && left_ms > 0.0 && left_ms <= 60_000.0;
    Failure::unless(is_so, format!("{wanted}, and time_left_ms of at most 60000"), seen.to_string())?;
    peer.farewell()
}

fn context_defaults(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready()?;
    peer.last_task = 6;
    let frame = super::wire::message("run", &super::wire::run_fields(7, "context"));
    let run = peer.send_form("context", Payload::default(), &frame)?;
    let wanted =
        json!({ "task": 7, "epoch": 1, "attempt": 1, "kind": "context", "effect_key": "", "time_left_ms": null });
    peer.done_with(run, &payload(wanted))?;
    peer.farewell()
}

fn large_numbers(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready()?;
    for (task, epoch) in [(u64::MAX, u64::MAX), (1 << 53 | 1, 1 << 63), (i64::MAX as u64, 1 << 32)] {
        let run = Run { task, epoch, kind: "echo".to_owned(), attempt: u32::MAX, ..Run::default() };
        let run = peer.send_run(run)?;
        peer.done(run)?;
    }
    peer.farewell()
}

/// Enough for a leak of credits to show.
const RUNS: u64 = 300;

fn one_after_another(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready()?;
    for number in 0..RUNS {
        match number % 3 {
            0 => peer.call("echo", json!(number), json!(number))?,
            1 => peer.call("noop", Value::Null, Value::Null)?,
            _ => {
                let run = peer.run("fail", json!({ "error": "no" }))?;
                peer.fail(run)?;
            }
        }
    }
    peer.farewell()
}

fn same_task_again(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready()?;
    for epoch in [1, 2, 3, 1_000_000] {
        let run = Run { task: 7, epoch, kind: "echo".to_owned(), args: payload(json!(epoch)), ..Run::default() };
        let args = run.args.clone();
        let run = peer.send_run(run)?;
        peer.done_with(run, &args)?;
    }
    peer.farewell()
}

/// Trying again cannot mend it, and the worker goes on.
fn hopeless(stage: &Stage<'_>, kind: &str, args: Payload) -> Verdict {
    let mut peer = stage.ready()?;
    let run = peer.next_run(kind, args);
    let run = peer.send_run(run)?;
    let fail = peer.fail_with(run, json!({ "retry": "never" }))?;
    Failure::unless(!fail.error.is_empty(), "a sentence in `error`", "no text")?;
    peer.goes_on()?;
    peer.farewell()
}

fn no_args(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready()?;
    for args in [Payload::default(), Payload(vec![0xc0]), Payload(vec![0x80])] {
        let run = peer.next_run("fail", args);
        let run = peer.send_run(run)?;
        peer.fail_with(run, json!({ "retry": "default" }))?;
    }
    peer.farewell()
}

fn several_at_once(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready_with(&[("SAMPLE_CONCURRENCY", Some("3"))], &welcome())?;
    let long = [peer.run("sleep", json!({ "ms": 600_000 }))?, peer.run("sleep", json!({ "ms": 600_000 }))?];
    // The third is answered though the others go on.
    peer.goes_on()?;
    peer.goes_on()?;
    for run in long {
        peer.stop_run(run, StopReason::Cancel)?;
        peer.fail(run)?;
    }
    peer.farewell()
}

fn concurrency(stage: &Stage<'_>) -> Verdict {
    for concurrency in [1, 5] {
        let text = concurrency.to_string();
        let mut peer = stage.start_with(&[("SAMPLE_CONCURRENCY", Some(&text))])?;
        let hello = peer.hello()?;
        let seen = format!("concurrency {}", hello.concurrency);
        Failure::unless(hello.concurrency == concurrency, format!("concurrency {concurrency}"), seen)?;
        peer.send(&ToWorker::Welcome(welcome()))?;
        peer.expect(&json!({ "ready": {} }))?;
        for _ in 0..4 {
            let count = peer.session().credits();
            let runs: Vec<Run> = (0..count).map(|number| peer.next_run("echo", payload(json!(number)))).collect();
            peer.send_together(&runs)?;
            peer.done_in_any_order(&runs)?;
        }
        peer.farewell()?;
    }
    Ok(())
}

fn large_and_small(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready_with(&[("SAMPLE_CONCURRENCY", Some("8"))], &welcome())?;
    let text = "z".repeat(900_000);
    for _ in 0..4 {
        let of = |number: u64| if number.is_multiple_of(2) { json!(text) } else { json!(number) };
        let runs: Vec<Run> = (0..8).map(|number| peer.next_run("echo", payload(of(number)))).collect();
        peer.send_together(&runs)?;
        peer.done_in_any_order(&runs)?;
    }
    peer.farewell()
}

fn log(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready()?;
    let run = peer.run("log", json!({ "message": "decoding" }))?;
    peer.expect(&of_run(run, "info", "decoding"))?;
    peer.done_with(run, &Payload::default())?;
    peer.farewell()
}

fn of_run(run: RunRef, level: &str, message: &str) -> Value {
    json!({ "log": { "run": { "task": run.task, "epoch": run.epoch }, "level": level, "message": message } })
}

fn log_levels(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready()?;
    for level in ["debug", "info", "warn", "error"] {
        let run = peer.run("log", json!({ "level": level, "message": format!("at {level}") }))?;
        peer.expect(&of_run(run, level, &format!("at {level}")))?;
        peer.done(run)?;
    }
    peer.farewell()
}

fn all_fields(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready()?;
    let tasks = json!([
        { "kind": "noop" },
        { "kind": "echo", "args": { "city": "Recife" }, "queue": "images", "name": "thumb of a.png", "priority": -10,
          "delay_ms": 1500, "timeout_ms": 60_000, "max_attempts": 2, "max_crashes": 1, "key": "user:7",
          "cost": { "tokens": 500 }, "budget": { "tokens": 4_294_967_296_u64, "usd": 0 } },
    ]);
    let run = peer.run("enqueue", json!({ "tasks": tasks }))?;
    let pattern = json!({ "done": { "task": run.task, "epoch": run.epoch, "result": 2, "enqueue": tasks } });
    peer.expect(&pattern)?;
    peer.farewell()
}
