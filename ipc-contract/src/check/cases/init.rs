//! INIT: from the start of the process to `ready`, and a start by hand.

use serde_json::{Value, json};

use crate::check::case::{Case, case};
use crate::check::hear::Exits;
use crate::check::stage::welcome;
use crate::check::{Failure, Stage, Verdict};
use crate::message::{FromWorker, ToWorker};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "INIT/by-hand",
            "6",
            "without MUTIRAO_COOKIE a worker explains itself on stderr and exits with 64",
            by_hand,
        )
        .without_greeting(),
        case("INIT/booting", "4.1", "`booting` is legal before `hello`, and after `welcome` until `ready`", booting)
            .variable("SAMPLE_BOOTING"),
        case("INIT/stop-at-once", "4.5", "a worker that is told to stop before it is ready leaves", stop_at_once),
        case("INIT/stop-while-booting", "4.5", "a worker that is told to stop while it boots leaves", |stage| {
            stop_while(stage, &[("SAMPLE_BOOTING", Some("3"))])
        })
        .variable("SAMPLE_BOOTING"),
        case("INIT/late-welcome", "4.1", "a worker waits for its answer as long as it takes", late_welcome),
        case(
            "INIT/end-before-answer",
            "4.7",
            "when the channel ends before the answer, the worker exits, not with 0",
            |stage| {
                let (mut peer, _) = stage.greeted()?;
                peer.close_input();
                peer.exits(Exits::Badly)
            },
        ),
        case("INIT/term-before-answer", "4.5", "SIGTERM ends a worker that waits for its answer", |stage| {
            let (mut peer, _) = stage.greeted()?;
            peer.terminate()?;
            peer.exits(Exits::Badly)
        }),
    ]
}

fn by_hand(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.start_with(&[("MUTIRAO_COOKIE", None)])?;
    peer.exits(Exits::Code(64))?;
    peer.log_has("what the program is and how to use it", |log| log.total_bytes() > 0)
}

fn booting(stage: &Stage<'_>) -> Verdict {
    let mut peer = stage.start_with(&[("SAMPLE_BOOTING", Some("3"))])?;
    let all_of = |pattern: Value, times: usize| vec![pattern; times];
    for pattern in all_of(json!({ "booting": {} }), 3).iter().chain(&[json!({ "hello": {} })]) {
        peer.expect_next(pattern)?;
    }
    peer.send(&ToWorker::Welcome(welcome()))?;
    let mut counts = (0, 0);
    peer.expect_among(&json!({ "ready": {} }), |message| match message {
        FromWorker::Booting(_) => counts.0 += 1,
        FromWorker::Log(log) if log.run.is_none() => counts.1 += 1,
        _ => {}
    })?;
    let seen = format!("{} times `booting` and {} times `log`", counts.0, counts.1);
    Failure::unless(counts == (3, 1), "3 times `booting` and one `log` of the worker before `ready`", seen)?;
    peer.goes_on()?;
    peer.farewell()
}

fn stop_at_once(stage: &Stage<'_>) -> Verdict {
    stop_while(stage, &[])
}

fn stop_while(stage: &Stage<'_>, variables: &[(&str, Option<&str>)]) -> Verdict {
    let mut peer = stage.start_with(variables)?;
    peer.hello()?;
    peer.send(&ToWorker::Welcome(welcome()))?;
    peer.stop()?;
    let (place, _) = peer.expect_any(&[json!({ "bye": {} }), json!({ "ready": {} })])?;
    if place == 0 { peer.exits(Exits::Code(0)) } else { peer.leaves() }
}

/// Longer than any worker should think of giving up.
const LATE_MS: u64 = 1_500;

fn late_welcome(stage: &Stage<'_>) -> Verdict {
    let (mut peer, _) = stage.greeted()?;
    peer.listen(LATE_MS)?;
    peer.send(&ToWorker::Welcome(welcome()))?;
    peer.expect(&json!({ "ready": {} }))?;
    peer.farewell()
}
