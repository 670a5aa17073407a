//! FRAME/vector: each golden vector that a worker reads. The valid ones are obeyed, the others refused.

use serde_json::json;

use crate::check::calls::answer;
use crate::check::case::{Case, case};
use crate::check::hear::Exits;
use crate::check::peer::Peer;
use crate::check::vector_list::ALL;
use crate::check::vectors::{Meaning, Vector};
use crate::check::{Failure, Stage, Verdict};
use crate::message::{RunRef, ToWorker};

pub(super) fn cases() -> Vec<Case> {
    ALL.iter().filter_map(of_vector).collect()
}

fn of_vector(vector: &'static Vector) -> Option<Case> {
    let name = format!("FRAME/vector/{}", vector.name);
    match vector.meaning().ok()? {
        Meaning::Invalid(error) => {
            let rule = format!("refused as `{error}`: {}", vector.about());
            Some(case(name, "5", rule, move |stage| refused(stage, vector)))
        }
        // What it would acknowledge can be made to exist only by way of a handler: NOTE has that.
        Meaning::Valid(ToWorker::Ack(_)) => None,
        Meaning::Valid(message) => {
            let rule = format!("understood: {}", vector.about());
            let needs = match &message {
                ToWorker::Run(run) if !run.steps.is_empty() || !run.checkpoint.is_nothing() => {
                    Some(crate::feature::Feature::Save)
                }
                ToWorker::Run(run) if !run.facts.is_empty() => Some(crate::feature::Feature::Park),
                _ => None,
            };
            let case = case(name, "2.1", rule, move |stage| understood(stage, vector, &message));
            Some(if let Some(feature) = needs { case.feature(feature) } else { case })
        }
    }
}

/// Up to where messages of this kind are awaited.
fn before(stage: &Stage<'_>, group: &str) -> Verdict<Peer> {
    if matches!(group, "welcome" | "reject") { Ok(stage.greeted()?.0) } else { stage.ready() }
}

fn bytes(vector: &Vector) -> Verdict<Vec<u8>> {
    vector.bytes().map_err(|error| Failure::new("a vector", error.to_string()))
}

fn group(vector: &Vector) -> &'static str {
    vector.name.split('/').next().unwrap_or_default()
}

fn refused(stage: &Stage<'_>, vector: &Vector) -> Verdict {
    let mut peer = before(stage, group(vector))?;
    peer.send_raw(&bytes(vector)?)?;
    peer.exits(Exits::Refusing)
}

fn understood(stage: &Stage<'_>, vector: &Vector, message: &ToWorker) -> Verdict {
    let mut peer = before(stage, group(vector))?;
    peer.send_as(message, &bytes(vector)?)?;
    match message {
        ToWorker::Welcome(_) => peer.expect(&json!({ "ready": {} })).map(|_| ()),
        ToWorker::Reject(reject) => {
            peer.logs(&reject.reason)?;
            return peer.exits(Exits::Code(78));
        }
        // The worker need not have the handler: whatever it answers shows that it has read the run.
        ToWorker::Run(run) => {
            let run = RunRef { task: run.task, epoch: run.epoch };
            peer.expect_any(&["done", "fail"].map(|kind| answer(kind, run))).map(|_| ())
        }
        ToWorker::Stop(stop) if stop.run.is_none() => return peer.leaves(),
        ToWorker::Stop(_) | ToWorker::Ack(_) => peer.goes_on(),
    }?;
    peer.farewell()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vector_but_those_of_ack_is_played() {
        let left_out = ALL.iter().filter(|vector| of_vector(vector).is_none()).map(group);
        assert!(left_out.into_iter().all(|group| group == "ack"));
    }
}
