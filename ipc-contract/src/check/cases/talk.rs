//! TALK: each transcript that a worker can play its part in.

use serde_json::{Value, json};

use crate::check::case::{Case, Need, case};
use crate::check::hear::Exits;
use crate::check::peer::Peer;
use crate::check::probe::KINDS;
use crate::check::value::is_same;
use crate::check::{Failure, Stage, Verdict};
use crate::message::{FromWorker, ToWorker};
use crate::payload::Payload;
use crate::session::{self, State};
use crate::transcript::{Player, Transcript, What, all};

pub(super) fn cases() -> Vec<Case> {
    // A test of the transcripts reads all of them: here none can be missing.
    let transcripts = all().unwrap_or_default();
    transcripts.into_iter().filter(|(_, talk)| talk.players.contains(&Player::Worker)).map(of_transcript).collect()
}

fn of_transcript((name, transcript): (&'static str, Transcript)) -> Case {
    let needs = needs(&transcript);
    let (section, rule) = (transcript.section.clone(), transcript.about.clone());
    let case = case(format!("TALK/{name}"), section, rule, move |stage| play(stage, &transcript));
    needs.into_iter().fold(case, Case::needs)
}

/// The variables, the features of what must be said, and the optional kinds of what is run.
fn needs(transcript: &Transcript) -> Vec<Need> {
    let variables = transcript.environment.keys().map(|name| Need::Variable(name.clone().into()));
    let steps = || transcript.steps.iter().filter(|step| !step.optional);
    let features = steps().filter_map(|step| step.what.message()).flat_map(session::needs).map(Need::Feature);
    let kinds = steps().filter_map(|step| match &step.what {
        What::ToWorker(ToWorker::Run(run)) if !KINDS.contains(&run.kind.as_str()) => {
            Some(Need::Kind(run.kind.clone().into()))
        }
        _ => None,
    });
    variables.chain(features).chain(kinds).collect()
}

/// A message of the worker that may come, or must.
struct Awaited {
    pattern: Value,
    result: Option<Payload>,
}

fn play(stage: &Stage<'_>, transcript: &Transcript) -> Verdict {
    let variables: Vec<_> =
        transcript.environment.iter().map(|(name, value)| (name.as_str(), Some(value.as_str()))).collect();
    let mut peer = stage.start_with(&variables)?;
    let mut optional: Vec<Awaited> = Vec::new();
    for step in &transcript.steps {
        match &step.what {
            What::Cause(_) => {}
            What::ToWorker(message) => peer.send(message)?,
            What::FromWorker(message) if step.optional => optional.push(awaited(message)),
            What::FromWorker(message) => hear(&mut peer, &mut optional, awaited(message))?,
        }
    }
    match transcript.steps.last().map(|step| &step.what) {
        Some(What::ToWorker(ToWorker::Reject(_))) => peer.exits(Exits::Code(78)),
        _ if peer.session().state() == State::Closed => peer.exits(Exits::Code(0)),
        _ => peer.farewell(),
    }
}

/// Waits for a message; what may come before it, comes or not.
fn hear(peer: &mut Peer, optional: &mut Vec<Awaited>, awaited: Awaited) -> Verdict {
    loop {
        let patterns: Vec<_> = [&awaited].into_iter().chain(&*optional).map(|it| it.pattern.clone()).collect();
        let (place, message) = peer.expect_any(&patterns)?;
        let heard = if place == 0 { None } else { Some(optional.remove(place - 1)) };
        let expected = heard.as_ref().unwrap_or(&awaited).result.as_ref();
        if let (Some(expected), FromWorker::Done(done)) = (expected, &message) {
            let same = is_same(&done.result, expected).unwrap_or(false);
            let seen = format!("the result {}", done.result.preview());
            Failure::unless(same, format!("the result {}", expected.preview()), seen)?;
        }
        if heard.is_none() {
            return Ok(());
        }
    }
}

/// What counts of a message: the run that it is about, numbers, values that were given. Words are the worker's own.
fn awaited(message: &FromWorker) -> Awaited {
    let run = |task: u64, epoch: u64| json!({ "task": task, "epoch": epoch });
    let body = match message {
        FromWorker::Log(log) => json!({ "run": log.run.map(|it| run(it.task, it.epoch)), "level": log.level }),
        FromWorker::Note(note) => {
            let (task, epoch, seq) = (note.task, note.epoch, note.seq);
            let (done, total, spend) = (note.done, note.total, &note.spend);
            json!({ "task": task, "epoch": epoch, "done": done, "total": total, "spend": spend, "seq": seq })
        }
        FromWorker::Done(done) => {
            let mut body = run(done.task, done.epoch);
            if !done.enqueue.is_empty() {
                body["enqueue"] = json!(done.enqueue);
            }
            body
        }
        FromWorker::Fail(fail) => json!({ "task": fail.task, "epoch": fail.epoch, "retry": fail.retry }),
        FromWorker::Back(back) => run(back.task, back.epoch),
        FromWorker::Save(save) => json!(save),
        FromWorker::Park(park) => json!(park),
        FromWorker::Hello(_)
        | FromWorker::Booting(_)
        | FromWorker::Ready(_)
        | FromWorker::Beat(_)
        | FromWorker::Bye(_) => {
            json!({})
        }
    };
    let result = match message {
        FromWorker::Done(done) => Some(done.result.clone()),
        _ => None,
    };
    Awaited { pattern: json!({ message.kind().name(): body }), result }
}
