//! NOTE: progress, and what is spent: numbered, acknowledged, one at a time.

use serde_json::{Value, json};

use crate::check::calls::answer;
use crate::check::case::{Case, case};
use crate::check::hear::Exits;
use crate::check::peer::{Peer, encoded, shown};
use crate::check::stage::{plain_welcome, welcome};
use crate::check::{Failure, Stage, Verdict};
use crate::feature::Feature;
use crate::message::{Ack, RunRef, StopReason, ToWorker};

/// How long a run is watched that must wait for its `ack`.
const QUIET_MS: u64 = 400;

/// The most that one note may spend of one unit.
const MOST: u64 = 1 << 53;

pub(super) fn cases() -> Vec<Case> {
    let both_at_once = case("NOTE/spend-at-once", "4.6", "runs at once are numbered each for itself", spend_at_once)
        .kind("spend")
        .variable("SAMPLE_CONCURRENCY");
    let cases = progresses().into_iter().chain(spends_in_order()).chain(spends_at_odd_times()).chain([both_at_once]);
    cases.map(|case| case.feature(Feature::Note)).collect()
}

fn progresses() -> [Case; 4] {
    [
        case("NOTE/progress", "3", "progress is a `note` before the answer", |stage| {
            progress(stage, json!({ "done": 1.5, "total": 4, "message": "decoding" }))
        }),
        case("NOTE/progress-least", "3", "progress needs neither a total nor a message", |stage| {
            progress(stage, json!({ "done": 3 }))
        }),
        case("NOTE/progress-often", "4.4", "the progress of many runs comes before each answer", |stage| {
            let mut peer = stage.ready()?;
            for done in 0..20 {
                let run = peer.run("progress", json!({ "done": done, "total": 20 }))?;
                peer.note_with(run, json!({ "done": done, "total": 20 }))?;
                peer.done(run)?;
            }
            peer.farewell()
        }),
        case(
            "NOTE/progress-not-agreed",
            "3",
            "without the feature, progress is not said and the run goes on",
            |stage| {
                let mut peer = stage.ready_with(&[], &plain_welcome())?;
                let run = peer.run("progress", json!({ "done": 1 }))?;
                peer.done(run)?;
                peer.farewell()
            },
        ),
    ]
    .map(|case| case.kind("progress"))
}

fn spends_in_order() -> [Case; 6] {
    [
        case("NOTE/spend", "4.6", "a note that spends has the number 1, and is answered by an `ack`", |stage| {
            let mut peer = stage.ready()?;
            let run = spends(&mut peer, 5, 1)?;
            let note = spent(&mut peer, run, 5, 1)?;
            Failure::unless(note.len() == 1, "one unit", format!("{note:?}"))?;
            peer.ack(run, 1)?;
            peer.done_with(run, &crate::check::calls::payload(json!(1)))?;
            peer.farewell()
        }),
        case("NOTE/spend-numbers", "4.6", "notes that spend are numbered 1, 2, 3", |stage| {
            let mut peer = stage.ready()?;
            let run = spends(&mut peer, 7, 4)?;
            acknowledge_all(&mut peer, run, 7, 4)?;
            peer.farewell()
        }),
        case("NOTE/spend-numbers-of-each", "4.6", "the numbers of each run begin at 1", |stage| {
            let mut peer = stage.ready()?;
            for _ in 0..3 {
                let run = spends(&mut peer, 7, 2)?;
                acknowledge_all(&mut peer, run, 7, 2)?;
            }
            peer.farewell()
        }),
        case("NOTE/spend-most", "3", "a note spends 1 to 2^53 of a unit", |stage| {
            let mut peer = stage.ready()?;
            for amount in [1, MOST] {
                let run = spends(&mut peer, amount, 1)?;
                acknowledge_all(&mut peer, run, amount, 1)?;
            }
            peer.farewell()
        }),
        case("NOTE/answer-waits", "4.6", "the run is answered when all is acknowledged, not before", answer_waits),
        case(
            "NOTE/one-at-a-time",
            "4.6",
            "until the `ack` has come, no other number of the run is sent",
            one_at_a_time,
        ),
    ]
    .map(|case| case.kind("spend"))
}

fn spends_at_odd_times() -> [Case; 4] {
    [
        case("NOTE/late-ack", "3", "the `ack` of a run that has ended is ignored", |stage| {
            let mut peer = stage.ready()?;
            let run = spends(&mut peer, 5, 1)?;
            acknowledge_all(&mut peer, run, 5, 1)?;
            peer.ack(run, 1)?;
            peer.goes_on()?;
            peer.farewell()
        }),
        case("NOTE/wrong-ack", "5", "an `ack` of a number that was not sent is an error", |stage| {
            let mut peer = stage.ready()?;
            let run = spends(&mut peer, 5, 1)?;
            spent(&mut peer, run, 5, 1)?;
            peer.send_raw(&encoded(&ToWorker::Ack(Ack { task: run.task, epoch: run.epoch, seq: 2 }))?)?;
            peer.exits(Exits::Refusing)
        }),
        case("NOTE/spend-while-draining", "4.8", "notes and their `ack` go on after the stop of the worker", |stage| {
            let mut peer = stage.ready()?;
            let run = spends(&mut peer, 5, 2)?;
            spent(&mut peer, run, 5, 1)?;
            peer.stop()?;
            peer.ack(run, 1)?;
            let (place, _) = peer.expect_any(&[answer("note", run), answer("fail", run)])?;
            if place == 0 {
                peer.ack(run, 2)?;
                peer.expect_any(&["done", "fail"].map(|kind| answer(kind, run)))?;
            }
            peer.leaves()
        }),
        case(
            "NOTE/spend-stopped",
            "4.6",
            "a run that is stopped is still answered after its `ack` only",
            spend_stopped,
        ),
    ]
    .map(|case| case.kind("spend"))
}

fn progress(stage: &Stage<'_>, args: Value) -> Verdict {
    let mut peer = stage.ready()?;
    let run = peer.run("progress", args.clone())?;
    peer.note_with(run, args)?;
    peer.done(run)?;
    peer.goes_on()?;
    peer.farewell()
}

fn spends(peer: &mut Peer, amount: u64, times: u32) -> Verdict<RunRef> {
    peer.run("spend", json!({ "unit": "tokens", "amount": amount, "times": times }))
}

/// Waits for the note of this number; gives the units that it spends.
fn spent(peer: &mut Peer, run: RunRef, amount: u64, seq: u64) -> Verdict<Vec<String>> {
    let note = peer.note_with(run, json!({ "spend": { "tokens": amount }, "seq": seq }))?;
    Ok(note.spend.into_keys().collect())
}

fn acknowledge_all(peer: &mut Peer, run: RunRef, amount: u64, times: u64) -> Verdict {
    for seq in 1..=times {
        spent(peer, run, amount, seq)?;
        peer.ack(run, seq)?;
    }
    peer.done_with(run, &crate::check::calls::payload(json!(times)))
}

fn answer_waits(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready()?;
    let run = spends(&mut peer, 5, 1)?;
    spent(&mut peer, run, 5, 1)?;
    let heard = peer.listen(QUIET_MS)?;
    let is_quiet = heard.iter().all(|message| message.answers().is_none());
    Failure::unless(is_quiet, "no answer before the `ack`", shown(&heard).to_string())?;
    peer.ack(run, 1)?;
    peer.done(run)?;
    peer.farewell()
}

/// The session refuses a second number.
fn one_at_a_time(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready()?;
    let run = spends(&mut peer, 5, 2)?;
    spent(&mut peer, run, 5, 1)?;
    peer.listen(QUIET_MS)?;
    peer.ack(run, 1)?;
    spent(&mut peer, run, 5, 2)?;
    peer.ack(run, 2)?;
    peer.done(run)?;
    peer.farewell()
}

fn spend_stopped(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready()?;
    let run = spends(&mut peer, 5, 1)?;
    spent(&mut peer, run, 5, 1)?;
    peer.stop_run(run, StopReason::Cancel)?;
    let heard = peer.listen(QUIET_MS)?;
    let is_quiet = heard.iter().all(|message| message.answers().is_none());
    Failure::unless(is_quiet, "no answer before the `ack`", shown(&heard).to_string())?;
    peer.ack(run, 1)?;
    peer.expect_any(&["done", "fail"].map(|kind| answer(kind, run)))?;
    peer.goes_on()?;
    peer.farewell()
}

fn spend_at_once(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready_with(&[("SAMPLE_CONCURRENCY", Some("2"))], &welcome())?;
    let runs = [spends(&mut peer, 5, 1)?, spends(&mut peer, 5, 1)?];
    let note = |run: RunRef| json!({ "note": { "task": run.task, "epoch": run.epoch, "seq": 1 } });
    let (first, _) = peer.expect_any(&runs.map(note))?;
    let other = runs[1 - first];
    peer.expect(&note(other))?;
    for run in [other, runs[first]] {
        peer.ack(run, 1)?;
        peer.done(run)?;
    }
    peer.farewell()
}
