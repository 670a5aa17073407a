//! Target `session`: a conversation made from bytes, four for each message; `Session` and `model` must agree at each.

use std::collections::BTreeMap;

use ipc_contract::{
    Ack, Back, Beat, Booting, Bye, Done, Fail, FromWorker, Hello, Log, MessageRef, Note, Park, Payload, Ready, Reject,
    Run, RunRef, Save, Session, State, Stop, StopReason, TaskSpec, ToWorker, Until, Welcome,
};

use super::model::{Model, Said};
use super::trail::{Trail, bucket, ensure};

pub const MESSAGE_BYTES: usize = 4;
/// What one input may say.
const MESSAGES_MAX: usize = 64;

const FEATURES: [&str; 6] = ["beat", "note", "enqueue", "save", "park", "teleport"];
const CONCURRENCIES: [u32; 8] = [0, 1, 2, 3, 1, 2, 1024, u32::MAX];

pub fn check(input: &[u8]) -> Result<Trail, String> {
    let (mut session, mut model, mut trail) = (Session::new(), Model::new(), Trail::default());
    let mut concurrency = 0;
    for bytes in input.as_chunks::<MESSAGE_BYTES>().0.iter().take(MESSAGES_MAX) {
        let said = message(*bytes);
        let before = seen(&session);
        let saw = session.sees(match &said {
            Said::ByWorker(message) => MessageRef::FromWorker(message),
            Said::BySupervisor(message) => MessageRef::ToWorker(message),
        });
        let is_legal = model.takes(&said);
        ensure(saw.is_ok() == is_legal, || {
            format!("the session says {saw:?}, the rules say {is_legal}: {said:?} after {before:?}")
        })?;
        let after = seen(&session);
        if let Err(violation) = &saw {
            ensure(after == before, || format!("{violation} changed {before:?} to {after:?}"))?;
            ensure((violation.state, violation.kind) == (before.0, said.kind()), || {
                format!("names another: {violation}")
            })?;
        } else if let Said::ByWorker(FromWorker::Hello(hello)) = &said {
            concurrency = hello.concurrency;
        }
        let (state, in_flight, credits) = &after;
        let is_same = state.name() == model.state && *in_flight == model.in_flight();
        ensure(is_same && i64::from(*credits) == model.credits(), || format!("{after:?} is not {model:?}"))?;
        ensure(in_flight.len() as u64 <= u64::from(concurrency), || format!("{after:?} at concurrency {concurrency}"))?;
        // Two sentences of one message seldom have one length; what they quote has.
        let sentence = saw.err().map(|violation| violation.sentence.len());
        trail.mark((before.0, said.kind(), sentence, bucket(in_flight.len())));
    }
    Ok(trail)
}

/// All that a session shows.
fn seen(session: &Session) -> (State, Vec<(u64, u64)>, u32) {
    (session.state(), session.in_flight().map(|run| (run.task, run.epoch)).collect(), session.credits())
}

/// Few tasks, epochs and numbers, so that they meet. What is common in a life is common here.
fn message([kind, run, number, more]: [u8; MESSAGE_BYTES]) -> Said {
    let (task, epoch) = (u64::from(run & 3), u64::from(run >> 2 & 1));
    let seq = if number == u8::MAX { u64::MAX } else { u64::from(number & 3) };
    let has = |bit: u8| more >> bit & 1 == 1;
    let run_ref = RunRef { task, epoch };
    let by_worker = match kind % 40 {
        0 => FromWorker::Hello(Hello {
            concurrency: CONCURRENCIES[usize::from(number & 7)],
            features: features(more),
            ..Hello::default()
        }),
        1 => FromWorker::Booting(Booting {}),
        2 | 3 => FromWorker::Ready(Ready {}),
        4 => FromWorker::Beat(Beat {}),
        5 => FromWorker::Log(Log { run: has(0).then_some(run_ref), ..Log::default() }),
        6..=9 => FromWorker::Note(Note { task, epoch, seq, ..Note::default() }),
        10..=13 => FromWorker::Save(Save { task, epoch, seq, ..Save::default() }),
        14..=17 => {
            let enqueue = vec![TaskSpec::default(); usize::from(has(0))];
            FromWorker::Done(Done { task, epoch, enqueue, ..Done::default() })
        }
        18 => FromWorker::Fail(Fail { task, epoch, ..Fail::default() }),
        19 => FromWorker::Park(Park { task, epoch, until: Until::Children, timeout_ms: None }),
        20 => FromWorker::Back(Back { task, epoch }),
        21 => FromWorker::Bye(Bye { spawn_error: has(0).then(String::new) }),
        other => return Said::BySupervisor(by_supervisor(other, run_ref, seq, more)),
    };
    Said::ByWorker(by_worker)
}

fn by_supervisor(kind: u8, run: RunRef, seq: u64, more: u8) -> ToWorker {
    let RunRef { task, epoch } = run;
    let has = |bit: u8| more >> bit & 1 == 1;
    // Most runs carry nothing of the optional.
    let told = |is_told: bool| BTreeMap::from_iter(is_told.then(|| ("a".to_owned(), Payload::default())));
    match kind {
        22 | 23 => ToWorker::Welcome(Welcome { features: features(more), ..Welcome::default() }),
        24 => ToWorker::Reject(Reject::default()),
        25..=30 => ToWorker::Run(Run {
            task,
            epoch,
            steps: told(more & 3 == 3),
            checkpoint: Payload(vec![0xc0; usize::from(more & 12 == 12)]),
            facts: told(more & 48 == 48),
            ..Run::default()
        }),
        31 => ToWorker::Stop(Stop { run: None, reason: StopReason::Shutdown, grace_ms: 0 }),
        32 | 33 => ToWorker::Stop(Stop { run: Some(run), reason: StopReason::Cancel, grace_ms: u64::from(has(0)) }),
        _ => ToWorker::Ack(Ack { task, epoch, seq }),
    }
}

/// All but those whose bit is set: most conversations have most features.
fn features(without: u8) -> Vec<String> {
    let named = FEATURES.iter().enumerate().filter(|(bit, _)| without >> bit & 1 == 0);
    named.map(|(_, name)| (*name).to_owned()).collect()
}
