//! The transcripts: what they visit is the whole legal table, and beside that table the session refuses everything.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use ipc_contract::coverage::coverage;
use ipc_contract::session::next;
use ipc_contract::transcript::{Player, Transcript, What, all};
use ipc_contract::{Kind, MessageRef, Session, State};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_list_is_the_folder() {
    let files = fs::read_dir(root().join("spec/v1/transcripts")).unwrap().map(|file| file.unwrap().path());
    let files: BTreeSet<_> = files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    let listed: Vec<_> = all().unwrap().into_iter().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(listed, Vec::from_iter(files));
}

#[test]
fn the_transcripts_visit_every_legal_pair() {
    let pairs = coverage(&all().unwrap()).unwrap();
    let legal = State::ALL.iter().flat_map(|&state| Kind::ALL.iter().filter(move |&&kind| next(state, kind).is_some()));
    assert_eq!(pairs.len(), legal.count());
}

#[test]
fn a_pair_that_nobody_visits_is_named() {
    let without = |kinds: &[Kind]| {
        let mut transcripts = all().unwrap();
        transcripts.retain(|(_, transcript)| {
            !transcript.steps.iter().filter_map(|step| step.what.message()).any(|said| kinds.contains(&said.kind()))
        });
        coverage(&transcripts).unwrap_err().detail
    };
    assert_eq!(without(&[Kind::Back]), "back while ready: no transcript visits it; write one");
    assert_eq!(without(&[Kind::Reject]), "reject while greeted: no transcript visits it; write one");
    let mut transcripts = all().unwrap();
    transcripts.iter_mut().filter(|(name, _)| *name == "retire").for_each(|(_, retire)| retire.players.clear());
    let detail = coverage(&transcripts).unwrap_err().detail;
    assert_eq!(detail, "bye while ready: no transcript has the worker visit it; write one, or say why");
    transcripts.iter_mut().for_each(|(_, transcript)| transcript.players = Player::ALL.to_vec());
    let detail = coverage(&transcripts).unwrap_err().detail;
    assert!(detail.starts_with("bye while starting: the worker visits it, against the reason"), "{detail}");
}

/// What is optional may be left out by both sides at once, and the rest is still a conversation.
#[test]
fn what_is_optional_can_be_left_out() {
    let mut optional = 0;
    for (name, transcript) in all().unwrap() {
        let least = transcript.least(Player::Worker).least(Player::Supervisor);
        assert!(least.steps.iter().all(|step| !step.optional || step.what.message().is_none()));
        least.visits().unwrap_or_else(|(step, violation)| panic!("{name}, step {step}: {violation}"));
        optional += transcript.steps.len() - least.steps.len();
    }
    assert!(optional > 0);
}

/// What each transcript is about can be looked up.
#[test]
fn every_transcript_names_a_section_of_the_specification() {
    let spec = fs::read_to_string(root().join("SPEC.md")).unwrap();
    let numbers: BTreeSet<_> = spec
        .lines()
        .filter_map(|line| line.strip_prefix("## ").or(line.strip_prefix("### ")))
        .filter_map(|title| Some(title.split_once(' ')?.0.trim_end_matches('.')))
        .collect();
    for (name, transcript) in all().unwrap() {
        assert!(numbers.contains(transcript.section.as_str()), "{name}: no section {}", transcript.section);
        assert!(!transcript.about.is_empty());
    }
}

/// A cause is what makes the supervisor say what follows, so only its plays need them; and there it is needed before each
/// first message that the supervisor would not say by itself.
#[test]
fn causes_are_followed_by_their_effect() {
    for (name, transcript) in all().unwrap() {
        let steps = &transcript.steps;
        let effect = |at: usize| steps[at + 1..].iter().find(|step| matches!(step.what, What::ToWorker(_)));
        for (at, _) in steps.iter().enumerate().filter(|(_, step)| matches!(step.what, What::Cause(_))) {
            assert!(effect(at).is_some(), "{name}: nothing follows from step {at}");
        }
    }
}

/// A session that has come to this state, with all that could make any message legal: every transcript leads somewhere.
fn sessions_in(state: State) -> Vec<Session> {
    let mut sessions = Vec::new();
    for (_, transcript) in all().unwrap() {
        let mut session = Session::new();
        for step in &transcript.steps {
            if session.state() == state {
                sessions.push(session.clone());
            }
            if let Some(message) = step.what.message() {
                session.sees(message).unwrap();
            }
        }
        if session.state() == state {
            sessions.push(session);
        }
    }
    sessions
}

fn said(kind: Kind, transcripts: &[(&str, Transcript)]) -> Vec<What> {
    let steps = transcripts.iter().flat_map(|(_, transcript)| &transcript.steps).map(|step| &step.what);
    steps.filter(|what| what.message().is_some_and(|message| message.kind() == kind)).cloned().collect()
}

/// Each message of the transcripts, said in each state where its kind has no place, is refused for that very reason.
#[test]
fn the_session_refuses_every_pair_that_is_not_legal() {
    let transcripts = all().unwrap();
    let mut refused = 0;
    for &state in State::ALL {
        let sessions = sessions_in(state);
        assert!(!sessions.is_empty(), "{}", state.name());
        for &kind in Kind::ALL.iter().filter(|&&kind| next(state, kind).is_none()) {
            let messages = said(kind, &transcripts);
            assert!(!messages.is_empty(), "{}", kind.name());
            for (mut session, what) in
                sessions.iter().cloned().flat_map(|session| messages.iter().map(move |what| (session.clone(), what)))
            {
                let message: MessageRef<'_> = what.message().unwrap();
                let before = (session.state(), session.in_flight().collect::<Vec<_>>(), session.credits());
                let violation = session.sees(message).unwrap_err();
                assert_eq!((violation.state, violation.kind), (state, kind));
                assert_eq!(violation.sentence, "not legal in this state of the conversation");
                assert_eq!((session.state(), session.in_flight().collect::<Vec<_>>(), session.credits()), before);
            }
            refused += 1;
        }
    }
    let legal = coverage(&transcripts).unwrap().len();
    assert_eq!(refused + legal, State::ALL.len() * Kind::ALL.len());
}
