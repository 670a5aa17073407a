//! BEAT: signs of life, whatever the handler does.

use serde_json::json;

use super::wire::message;
use crate::check::calls::answer;
use crate::check::case::{Case, case};
use crate::check::peer::Peer;
use crate::check::stage::{plain_welcome, welcome, welcome_with_beat};
use crate::check::{Failure, Stage, Verdict};
use crate::feature::Feature;
use crate::message::{FromWorker, RunRef, StopReason, ToWorker, Welcome};

/// Time between beats that a test can wait for.
const BEAT_MS: u64 = 50;
/// A run that many beats fit into.
const LONG_MS: u64 = 1_000;
/// Half of those that would come on a calm machine, so that a busy one does no harm.
const BEATS_MIN: usize = 10;
/// Twice as many as there should be.
const BEATS_MAX: usize = 40;

pub(super) fn cases() -> Vec<Case> {
    let cases = vec![
        case("BEAT/idle", "3", "a `beat` comes every `beat_ms`, also while nothing runs", |stage| {
            let mut peer = stage.ready_with(&[], &welcome_with_beat(BEAT_MS))?;
            for _ in 0..BEATS_MIN {
                peer.expect(&json!({ "beat": {} }))?;
            }
            peer.farewell()
        }),
        case("BEAT/busy", "3", "beats come from a thread of the system, also while a handler computes", |stage| {
            while_running(stage, "busy")
        })
        .kind("busy")
        .timed(),
        case("BEAT/asleep", "3", "beats come while a handler sleeps", |stage| while_running(stage, "sleep")).timed(),
        case("BEAT/not-too-often", "3", "a `beat` does not come far more often than every `beat_ms`", |stage| {
            let mut peer = stage.ready_with(&[], &welcome_with_beat(BEAT_MS))?;
            let beats = count(&peer.listen(LONG_MS)?);
            Failure::unless(
                beats <= BEATS_MAX,
                format!("at most {BEATS_MAX} beats in {LONG_MS} ms"),
                beats.to_string(),
            )?;
            peer.farewell()
        })
        .timed(),
        case("BEAT/default", "3", "without `beat_ms` a `beat` comes every 5 s", |stage| {
            let (mut peer, _) = stage.greeted()?;
            let welcome = Welcome { features: vec!["beat".to_owned()], ..Welcome::default() };
            let features = [&[0x91][..], &super::wire::text("beat")].concat();
            let frame = message("welcome", &[("protocol", vec![1]), ("features", features)]);
            peer.send_as(&ToWorker::Welcome(welcome), &frame)?;
            let beats = count(&peer.listen(LONG_MS)?);
            Failure::unless(beats <= 1, format!("at most one beat in {LONG_MS} ms"), beats.to_string())?;
            peer.farewell()
        }),
        case(
            "BEAT/while-stopping",
            "3",
            "beats go on until `bye`, also in a worker that is told to stop",
            while_stopping,
        )
        .timed(),
        case("BEAT/while-run-is-stopped", "3", "beats go on in a run that does not heed its stop", |stage| {
            let mut peer = stage.ready_with(&[], &welcome_with_beat(BEAT_MS))?;
            let run = begun(&mut peer)?;
            peer.stop_run(run, StopReason::Cancel)?;
            beats_before(&mut peer, &answer("done", run))?;
            peer.farewell()
        })
        .timed(),
        case("BEAT/within-large-frames", "1.3", "a `beat` does not split another frame", within_large_frames),
        case("BEAT/not-agreed", "3", "without the feature no `beat` is said", |stage| {
            let mut peer = stage.ready_with(&[], &Welcome { beat_ms: 10, ..plain_welcome() })?;
            peer.listen(LONG_MS / 2)?;
            peer.goes_on()?;
            peer.farewell()
        }),
        case("BEAT/not-before-welcome", "4.1", "no `beat` is said before `welcome`", |stage| {
            let (mut peer, _) = stage.greeted()?;
            peer.listen(LONG_MS / 2)?;
            peer.send(&ToWorker::Welcome(welcome()))?;
            peer.expect(&json!({ "ready": {} }))?;
            peer.farewell()
        }),
    ];
    cases.into_iter().map(|case| case.feature(Feature::Beat)).collect()
}

fn count(messages: &[FromWorker]) -> usize {
    messages.iter().filter(|message| matches!(message, FromWorker::Beat(_))).count()
}

fn beats_before(peer: &mut Peer, pattern: &serde_json::Value) -> Verdict {
    let mut beats = 0;
    peer.expect_among(pattern, |message| beats += usize::from(matches!(message, FromWorker::Beat(_))))?;
    let expected = format!("at least {BEATS_MIN} beats in {LONG_MS} ms, one every {BEAT_MS} ms");
    Failure::unless(beats >= BEATS_MIN, expected, format!("{beats} beats"))
}

fn while_running(stage: &Stage<'_>, kind: &str) -> Verdict {
    let mut peer = stage.ready_with(&[], &welcome_with_beat(BEAT_MS))?;
    let run = peer.run(kind, json!({ "ms": LONG_MS }))?;
    beats_before(&mut peer, &answer("done", run))?;
    peer.farewell()
}

/// A run that has begun by now, unless the machine is very busy: then it may be given back, and all is played again.
fn begun(peer: &mut Peer) -> Verdict<RunRef> {
    let run = peer.run("stubborn", json!({ "ms": LONG_MS + 2 * BEAT_MS }))?;
    peer.expect(&json!({ "beat": {} }))?;
    peer.expect(&json!({ "beat": {} }))?;
    Ok(run)
}

fn while_stopping(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready_with(&[], &welcome_with_beat(BEAT_MS))?;
    let run = begun(&mut peer)?;
    peer.stop()?;
    beats_before(&mut peer, &answer("done", run))?;
    peer.leaves()
}

/// Frames that do not fit into a pipe, at the fastest beat.
fn within_large_frames(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.ready_with(&[], &welcome_with_beat(10))?;
    for _ in 0..20 {
        peer.set_reads(false);
        let run = peer.run("blob", json!({ "bytes": 1_000_000 }))?;
        peer.flush()?;
        peer.pause(30)?;
        peer.set_reads(true);
        peer.done(run)?;
    }
    peer.farewell()
}
