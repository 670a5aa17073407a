//! Vectors of the messages that a supervisor sends.

use ipc_contract::{Ack, ContractError, Payload, Reject, Run, RunRef, Stop, StopReason, ToWorker, Welcome};
use serde_json::json;

use super::vector::{Vector, canonical, variant};

pub(super) fn vectors() -> Result<Vec<Vector>, ContractError> {
    let mut vectors = handshake()?;
    vectors.extend(work()?);
    Ok(vectors)
}

fn handshake() -> Result<Vec<Vector>, ContractError> {
    let welcome = ToWorker::Welcome(Welcome {
        worker: 12,
        features: vec!["beat".to_owned(), "note".to_owned()],
        beat_ms: 1_000,
        ..Welcome::default()
    });
    let least = ToWorker::Welcome(Welcome::default());
    let features = vec!["beat".to_owned(), "teleport".to_owned()];
    let later = ToWorker::Welcome(Welcome { features, ..Welcome::default() });
    let reason = "the pool images needs a handler for thumb; add one, or take thumb from its queues".to_owned();
    Ok(vec![
        canonical("full", "every field", &welcome)?,
        variant("least", "only what has no default", b"\x81\xa7welcome\x81\xa8protocol\x01", &least),
        canonical("unknown-feature", "a feature that the reader does not know is ignored", &later)?,
        canonical("plain", "a sentence for the user", &ToWorker::Reject(Reject { reason }))?,
    ])
}

fn work() -> Result<Vec<Vector>, ContractError> {
    let run = Run { task: 7, epoch: 2, kind: "resize".to_owned(), attempt: 1, ..Run::default() };
    let full = Run {
        args: Payload::of(&json!({ "path": "a.png", "width": 640 }))?,
        attempt: 3,
        effect_key: "5f0c9a:7".to_owned(),
        time_left_ms: Some(120_000),
        ..run.clone()
    };
    let page = Payload::of(&json!({ "pages": 12 }))?;
    let resumed = Run {
        steps: [("fetch page 3".to_owned(), page.clone()), ("fetch page 4".to_owned(), Payload::default())].into(),
        checkpoint: page,
        facts: [("approval".to_owned(), Payload::of("by ana")?)].into(),
        ..full.clone()
    };
    let of_run = Stop { run: Some(RunRef { task: 7, epoch: 2 }), reason: StopReason::Cancel, grace_ms: 10_000 };
    let of_worker = Stop { run: None, reason: StopReason::Shutdown, grace_ms: 20_000 };
    let unknown = Stop { run: None, reason: StopReason::Unknown, grace_ms: 0 };
    Ok(vec![
        canonical("full", "every field of a first run", &ToWorker::Run(full))?,
        canonical("resumed", "what earlier runs saved, and a fact", &ToWorker::Run(resumed))?,
        variant(
            "least",
            "only what has no default",
            b"\x81\xa3run\x83\xa4task\x07\xa5epoch\x02\xa4kind\xa6resize",
            &ToWorker::Run(run),
        ),
        canonical("of-run", "stop one run", &ToWorker::Stop(of_run))?,
        canonical("of-worker", "stop the worker: no run", &ToWorker::Stop(of_worker))?,
        variant(
            "unknown-reason",
            "a reason of a later version is obeyed as any other",
            b"\x81\xa4stop\x82\xa6reason\xa7weather\xa8grace_ms\x00",
            &ToWorker::Stop(unknown),
        ),
        canonical("plain", "what note 3 has spent is kept", &ToWorker::Ack(Ack { task: 7, epoch: 2, seq: 3 }))?,
    ])
}
