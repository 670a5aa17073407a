//! STOP: of a run, of the worker, and what crosses it.

use serde_json::{Value, json};

use super::wire::{message, text};
use crate::check::calls::{GRACE_MS, answer, payload, with_begun};
use crate::check::case::{Case, case};
use crate::check::hear::Exits;
use crate::check::peer::{Peer, encoded};
use crate::check::stage::welcome;
use crate::check::{Failure, Stage, Verdict};
use crate::feature::Feature;
use crate::message::{RunRef, Stop, StopReason, ToWorker};

/// Longer than any case waits.
const LONG_MS: u64 = 600_000;

/// Time that a run takes which heeds nothing. A run begins in half of it, also on a busy machine.
const STUBBORN_MS: u64 = 600;

const REASONS: &[StopReason] = &[
    StopReason::Cancel,
    StopReason::Timeout,
    StopReason::Shutdown,
    StopReason::Scaling,
    StopReason::Recycling,
    StopReason::Reload,
    StopReason::Sibling,
    StopReason::Budget,
    StopReason::Memory,
];

pub(super) fn cases() -> Vec<Case> {
    [of_a_run(), of_no_run(), of_the_worker()].into_iter().flatten().collect()
}

fn of_a_run() -> Vec<Case> {
    vec![
        case("STOP/run", "4.5", "a handler is told to stop, and its run is answered", |stage| {
            let mut peer = stage.ready()?;
            stopped(&mut peer, "sleep", |peer, run| peer.stop_run(run, StopReason::Cancel), json!({ "fail": {} }))?;
            peer.goes_on()?;
            peer.farewell()
        }),
        case("STOP/reasons", "4.5", "a handler is told why it shall stop", |stage| {
            let mut peer = stage.ready()?;
            for reason in REASONS {
                let wanted = json!({ "fail": { "error": { "$contains": json!(reason) } } });
                stopped(&mut peer, "sleep", |peer, run| peer.stop_run(run, *reason), wanted)?;
            }
            peer.farewell()
        }),
        case("STOP/unknown-reason", "3", "a reason that the worker does not know is obeyed all the same", |stage| {
            let mut peer = stage.ready()?;
            stopped(&mut peer, "sleep", stop_for_unknown_reason, json!({ "fail": {} }))?;
            peer.goes_on()?;
            peer.farewell()
        }),
        case("STOP/no-grace", "3", "a stop without any grace is obeyed", |stage| {
            let mut peer = stage.ready()?;
            let stop = |run| ToWorker::Stop(Stop { run: Some(run), reason: StopReason::Cancel, grace_ms: 0 });
            stopped(&mut peer, "sleep", |peer, run| peer.send(&stop(run)), json!({ "fail": {} }))?;
            peer.farewell()
        }),
        case("STOP/run-twice", "4.5", "a second stop of the same run does no harm", |stage| {
            let mut peer = stage.ready()?;
            let twice = |peer: &mut Peer, run| {
                peer.stop_run(run, StopReason::Cancel)?;
                peer.stop_run(run, StopReason::Timeout)
            };
            stopped(&mut peer, "stubborn", twice, json!({ "done": {} }))?;
            peer.goes_on()?;
            peer.farewell()
        }),
        case(
            "STOP/finished-all-the-same",
            "4.5",
            "a handler that finishes though it was told to stop is `done`",
            |stage| {
                let mut peer = stage.ready()?;
                let wanted = json!({ "done": { "result": STUBBORN_MS } });
                stopped(&mut peer, "stubborn", |peer, run| peer.stop_run(run, StopReason::Cancel), wanted)?;
                peer.goes_on()?;
                peer.farewell()
            },
        ),
    ]
}

/// What a run is not, or not quite, told.
fn of_no_run() -> Vec<Case> {
    vec![
        case("STOP/unknown-run", "4.5", "the stop of a run that is not there is ignored", |stage| {
            let mut peer = stage.ready()?;
            peer.stop_run(RunRef { task: 99, epoch: 1 }, StopReason::Cancel)?;
            peer.goes_on()?;
            peer.farewell()
        }),
        case("STOP/answered-run", "4.5", "the stop of a run that was answered is ignored", |stage| {
            let mut peer = stage.ready()?;
            let run = peer.run("echo", json!(1))?;
            peer.done(run)?;
            peer.stop_run(run, StopReason::Cancel)?;
            peer.goes_on()?;
            peer.farewell()
        }),
        case("STOP/other-epoch", "4.5", "the stop of another run of the same task is ignored", other_epoch),
        case("STOP/crossing", "4.5", "a stop that crosses the answer changes nothing", |stage| {
            let mut peer = stage.ready()?;
            for _ in 0..20 {
                let run = peer.run("echo", json!(1))?;
                peer.stop_run(run, StopReason::Cancel)?;
                peer.expect_any(&["done", "fail", "back"].map(|kind| answer(kind, run)))?;
            }
            peer.goes_on()?;
            peer.farewell()
        }),
        case("STOP/one-of-two", "4.5", "only the run that is named is told to stop", one_of_two)
            .variable("SAMPLE_CONCURRENCY"),
        case("STOP/recall", "3", "`recall` of a run is answered by `back`, or ignored when it has started", |stage| {
            let mut peer = stage.ready()?;
            let run = peer.run("sleep", json!({ "ms": 300 }))?;
            peer.stop_run(run, StopReason::Recall)?;
            peer.expect_any(&["done", "back"].map(|kind| answer(kind, run)))?;
            peer.goes_on()?;
            peer.farewell()
        }),
        case("STOP/recall-started", "3", "`recall` of a run that has started is ignored", |stage| {
            let mut peer = stage.ready()?;
            let run = peer.run("spend", json!({ "unit": "tokens", "amount": 5 }))?;
            peer.note_with(run, json!({ "seq": 1 }))?;
            peer.stop_run(run, StopReason::Recall)?;
            peer.ack(run, 1)?;
            peer.done(run)?;
            peer.farewell()
        })
        .kind("spend")
        .feature(Feature::Note),
        case("STOP/recall-unknown", "3", "`recall` of a run that is not there is ignored", |stage| {
            let mut peer = stage.ready()?;
            peer.stop_run(RunRef { task: 99, epoch: 1 }, StopReason::Recall)?;
            peer.goes_on()?;
            peer.farewell()
        }),
    ]
}

fn of_the_worker() -> Vec<Case> {
    vec![
        case("STOP/worker", "4.5", "a worker that is told to stop says `bye` and exits with 0", |stage| {
            stage.ready()?.farewell()
        }),
        case("STOP/worker-unknown-reason", "3", "a worker obeys a reason that it does not know", |stage| {
            let mut peer = stage.ready()?;
            let stop = Stop { run: None, reason: StopReason::Unknown, grace_ms: GRACE_MS };
            let frame = message("stop", &[("reason", text("full-moon")), ("grace_ms", vec![0x7f])]);
            peer.send_as(&ToWorker::Stop(stop), &frame)?;
            peer.leaves()
        }),
        case("STOP/worker-finishes", "4.5", "a worker that is told to stop finishes what runs", |stage| {
            finishes(stage, |_, _| Ok(()))
        }),
        case("STOP/worker-twice", "4.5", "a second stop of the worker does no harm, and `bye` is said once", |stage| {
            let again = ToWorker::Stop(Stop { run: None, reason: StopReason::Reload, grace_ms: 1_000 });
            finishes(stage, |peer, _| peer.send(&again))
        }),
        case("STOP/worker-then-run", "4.8", "a run may be told to stop while the worker drains", |stage| {
            finishes(stage, |peer, run| peer.stop_run(run, StopReason::Cancel))
        }),
        case("STOP/run-then-worker", "4.5", "a run that is told to stop is answered before `bye`", |stage| {
            let mut peer = stage.ready()?;
            let run = asleep(&mut peer)?;
            peer.stop_run(run, StopReason::Shutdown)?;
            peer.stop()?;
            peer.expect_any(&["fail", "back"].map(|kind| answer(kind, run)))?;
            peer.leaves()
        }),
        case(
            "STOP/run-crosses",
            "4.5",
            "what the worker has read before the stop is answered: run, or given back",
            run_crosses,
        ),
        case("STOP/several-cross", "4.5", "each run that was read is answered before `bye`", several_cross)
            .variable("SAMPLE_CONCURRENCY"),
        case("STOP/before-welcome", "5", "a stop before `welcome` is an error", |stage| {
            let (mut peer, _) = stage.greeted()?;
            let stop = Stop { run: None, reason: StopReason::Shutdown, grace_ms: GRACE_MS };
            peer.send_raw(&encoded(&ToWorker::Stop(stop))?)?;
            peer.exits(Exits::Refusing)
        }),
    ]
}

fn asleep(peer: &mut Peer) -> Verdict<RunRef> {
    peer.run("sleep", json!({ "ms": LONG_MS }))
}

/// Has a run begin and does something to it; then this answer is wanted.
fn stopped(peer: &mut Peer, kind: &str, mut act: impl FnMut(&mut Peer, RunRef) -> Verdict, wanted: Value) -> Verdict {
    let ms = if kind == "stubborn" { STUBBORN_MS } else { LONG_MS };
    with_begun(|begin_ms| {
        let run = peer.run(kind, json!({ "ms": ms }))?;
        peer.pause(begin_ms.min(STUBBORN_MS / 2))?;
        act(peer, run)?;
        let (place, _) = peer.expect_any(&[about(&wanted, run), answer("back", run)])?;
        Ok(place == 0)
    })
}

/// The pattern, for this run.
fn about(wanted: &Value, run: RunRef) -> Value {
    let mut pattern = wanted.clone();
    for body in pattern.as_object_mut().into_iter().flat_map(|kinds| kinds.values_mut()) {
        body["task"] = json!(run.task);
        body["epoch"] = json!(run.epoch);
    }
    pattern
}

/// Has a run begin, tells the worker to stop and does something more; then the run is finished, and the worker leaves.
fn finishes(stage: &Stage<'_>, act: impl Fn(&mut Peer, RunRef) -> Verdict) -> Verdict {
    with_begun(|begin_ms| {
        let mut peer = stage.ready()?;
        let run = peer.run("stubborn", json!({ "ms": STUBBORN_MS }))?;
        peer.pause(begin_ms.min(STUBBORN_MS / 2))?;
        peer.stop()?;
        act(&mut peer, run)?;
        let (place, _) = peer.expect_any(&["done", "back"].map(|kind| answer(kind, run)))?;
        peer.leaves()?;
        Ok(place == 0)
    })
}

fn stop_for_unknown_reason(peer: &mut Peer, run: RunRef) -> Verdict {
    let named = [&[0x82][..], &text("task"), &[run.task as u8], &text("epoch"), &[run.epoch as u8]].concat();
    let fields = [("run", named), ("reason", text("full-moon")), ("grace_ms", vec![0x7f])];
    let stop = Stop { run: Some(run), reason: StopReason::Unknown, grace_ms: 0x7f };
    peer.send_as(&ToWorker::Stop(stop), &message("stop", &fields))
}

/// The reason tells which of the stops was heeded.
fn other_epoch(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready()?;
    let both = |peer: &mut Peer, run: RunRef| {
        peer.stop_run(RunRef { epoch: run.epoch + 1, ..run }, StopReason::Memory)?;
        peer.stop_run(run, StopReason::Budget)
    };
    stopped(&mut peer, "sleep", both, json!({ "fail": { "error": { "$contains": "budget" } } }))?;
    peer.farewell()
}

fn one_of_two(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready_with(&[("SAMPLE_CONCURRENCY", Some("2"))], &welcome())?;
    let first = asleep(&mut peer)?;
    stopped(
        &mut peer,
        "sleep",
        |peer, run| peer.stop_run(run, StopReason::Cancel),
        json!({ "fail": { "error": { "$contains": "cancel" } } }),
    )?;
    peer.stop_run(first, StopReason::Timeout)?;
    peer.fail_with(first, json!({ "error": { "$contains": "timeout" } }))?;
    peer.farewell()
}

fn run_crosses(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready()?;
    let run = peer.next_run("echo", payload(json!(1)));
    let name = RunRef { task: run.task, epoch: run.epoch };
    peer.send_together(&[run])?;
    peer.stop()?;
    peer.expect_any(&["done", "back"].map(|kind| answer(kind, name)))?;
    peer.leaves()
}

fn several_cross(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready_with(&[("SAMPLE_CONCURRENCY", Some("4"))], &welcome())?;
    let runs: Vec<_> = (0..4).map(|_| peer.run("stubborn", json!({ "ms": 100 }))).collect::<Verdict<_>>()?;
    peer.stop()?;
    let mut waiting = runs;
    while !waiting.is_empty() {
        let patterns: Vec<_> = waiting.iter().flat_map(|run| ["done", "back"].map(|kind| answer(kind, *run))).collect();
        let (place, _) = peer.expect_any(&patterns)?;
        waiting.remove(place / 2);
    }
    let left = peer.session().in_flight().len();
    Failure::unless(left == 0, "no run in flight", left.to_string())?;
    peer.leaves()
}
