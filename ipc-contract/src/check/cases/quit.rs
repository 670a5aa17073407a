//! QUIT: how a worker ends when nobody told it in a message.

use serde_json::json;

use crate::check::calls::answer;
use crate::check::case::{Case, case};
use crate::check::hear::Exits;
use crate::check::peer::encoded;
use crate::check::{Stage, Verdict};
use crate::message::ToWorker;

/// Longer than any case waits.
const LONG_MS: u64 = 600_000;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("QUIT/end", "4.7", "when the channel ends without a stop, the worker exits, not with 0", |stage| {
            let mut peer = stage.ready()?;
            peer.goes_on()?;
            peer.close_input();
            peer.exits(Exits::Badly)
        }),
        case(
            "QUIT/end-while-asleep",
            "4.7",
            "a run that sleeps does not hold a worker whose supervisor is gone",
            |stage| end_while(stage, "sleep"),
        ),
        case("QUIT/end-while-stubborn", "4.7", "a run that heeds nothing does not hold it either", |stage| {
            end_while(stage, "stubborn")
        }),
        case("QUIT/end-while-busy", "4.7", "a run that computes does not hold it either", |stage| {
            end_while(stage, "busy")
        })
        .kind("busy"),
        case("QUIT/end-after-stop", "4.7", "when the channel ends after a stop, the worker leaves as usual", |stage| {
            let mut peer = stage.ready()?;
            let run = peer.run("stubborn", json!({ "ms": 300 }))?;
            peer.stop()?;
            peer.flush()?;
            peer.close_input();
            peer.expect_any(&["done", "back"].map(|kind| answer(kind, run)))?;
            peer.leaves()
        }),
        case("QUIT/end-within-length", "4.7", "an end within the length of a frame is an error", |stage| {
            end_within(stage, 2)
        }),
        case("QUIT/end-within-frame", "4.7", "an end within a frame is an error", |stage| end_within(stage, 9)),
        case("QUIT/nobody-reads", "4.7", "a worker that cannot write any more exits, not with 0", |stage| {
            let mut peer = stage.ready()?;
            peer.close_output();
            peer.run("blob", json!({ "bytes": 1_000 }))?;
            peer.exits(Exits::Badly)
        }),
        case("QUIT/term", "4.5", "SIGTERM ends an idle worker", |stage| {
            let mut peer = stage.ready()?;
            peer.goes_on()?;
            peer.terminate()?;
            match peer.expect_any(&[json!({ "bye": {} })]) {
                Ok(_) => peer.exits(Exits::Code(0)),
                Err(_) => peer.exits(Exits::Badly),
            }
        }),
        case("QUIT/retire", "4.5", "a worker may leave by itself, after it has answered", |stage| {
            let mut peer = stage.ready()?;
            let run = peer.run("retire", json!(null))?;
            peer.done(run)?;
            peer.leaves()
        })
        .kind("retire"),
        case("QUIT/after-many", "6", "after many runs a worker leaves as after none", |stage| {
            let mut peer = stage.ready()?;
            for _ in 0..100 {
                peer.goes_on()?;
            }
            peer.farewell()
        }),
    ]
}

fn end_while(stage: &Stage<'_>, kind: &str) -> Verdict {
    let mut peer = stage.ready()?;
    peer.run(kind, json!({ "ms": LONG_MS }))?;
    peer.pause(100)?;
    peer.close_input();
    peer.exits(Exits::Badly)
}

fn end_within(stage: &Stage<'_>, bytes: usize) -> Verdict {
    let mut peer = stage.ready()?;
    let run = peer.next_run("echo", crate::check::calls::payload(json!("never whole")));
    let frame = encoded(&ToWorker::Run(run))?;
    peer.send_raw(&frame[..bytes])?;
    peer.flush()?;
    peer.close_input();
    peer.exits(Exits::Refusing)
}
