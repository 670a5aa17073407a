//! The rules of a conversation: the whole table, and what needs data beside it.
#![allow(clippy::unwrap_used)]

use ipc_contract::session::next;
use ipc_contract::{
    Ack, Back, Beat, Booting, Bye, Done, Fail, Feature, FromWorker, Hello, Kind, Log, Note, Payload, Ready, Reject,
    Run, RunRef, Session, State, Stop, StopReason, ToWorker, Welcome,
};

/// The law, written a second time and in another form: what is legal in a state, with the state that follows.
const LAW: &[(State, &[(&str, State)])] = &[
    (State::Starting, &[("hello", State::Greeted), ("booting", State::Starting), ("bye", State::Closed)]),
    (State::Greeted, &[("welcome", State::Welcomed), ("reject", State::Closed)]),
    (
        State::Welcomed,
        &[
            ("booting", State::Welcomed),
            ("ready", State::Ready),
            ("beat", State::Welcomed),
            ("log", State::Welcomed),
            ("bye", State::Closed),
            ("stop", State::Draining),
        ],
    ),
    (
        State::Ready,
        &[
            ("beat", State::Ready),
            ("log", State::Ready),
            ("note", State::Ready),
            ("save", State::Ready),
            ("park", State::Ready),
            ("ack", State::Ready),
            ("done", State::Ready),
            ("fail", State::Ready),
            ("back", State::Ready),
            ("bye", State::Closed),
            ("run", State::Ready),
            ("stop", State::Draining),
        ],
    ),
    (
        State::Draining,
        &[
            ("booting", State::Draining),
            ("ready", State::Draining),
            ("beat", State::Draining),
            ("log", State::Draining),
            ("note", State::Draining),
            ("save", State::Draining),
            ("park", State::Draining),
            ("ack", State::Draining),
            ("done", State::Draining),
            ("fail", State::Draining),
            ("back", State::Draining),
            ("bye", State::Closed),
            ("stop", State::Draining),
        ],
    ),
    (State::Closed, &[("run", State::Closed), ("stop", State::Closed), ("ack", State::Closed)]),
];

#[test]
fn the_table_is_the_law_in_every_cell() {
    assert_eq!(LAW.iter().map(|(state, _)| *state).collect::<Vec<_>>(), State::ALL);
    for (state, legal) in LAW {
        for &kind in Kind::ALL {
            let expected = legal.iter().find(|(name, _)| *name == kind.name()).map(|(_, state)| *state);
            assert_eq!(next(*state, kind), expected, "{} while {}", kind.name(), state.name());
        }
    }
}

const RUN: RunRef = RunRef { task: 7, epoch: 1 };

fn all_features() -> Vec<String> {
    Feature::ALL.iter().map(|feature| feature.name().to_owned()).collect()
}

fn hello(concurrency: u32) -> FromWorker {
    FromWorker::Hello(Hello { concurrency, features: all_features(), ..Hello::default() })
}

fn run(task: u64, epoch: u64) -> ToWorker {
    ToWorker::Run(Run { task, epoch, ..Run::default() })
}

fn done(task: u64, epoch: u64) -> FromWorker {
    FromWorker::Done(Done { task, epoch, ..Done::default() })
}

fn stop(run: Option<RunRef>) -> ToWorker {
    ToWorker::Stop(Stop { run, reason: StopReason::Cancel, grace_ms: 1_000 })
}

fn ready() -> FromWorker {
    FromWorker::Ready(Ready {})
}

fn bye(spawn_error: Option<&str>) -> FromWorker {
    FromWorker::Bye(Bye { spawn_error: spawn_error.map(str::to_owned) })
}

fn welcomed(concurrency: u32) -> Session {
    let mut session = Session::new();
    session.sees(&hello(concurrency)).unwrap();
    session.sees(&ToWorker::Welcome(Welcome { features: all_features(), ..Welcome::default() })).unwrap();
    session
}

fn working(concurrency: u32) -> Session {
    let mut session = welcomed(concurrency);
    session.sees(&ready()).unwrap();
    session
}

fn in_flight(session: &Session) -> Vec<RunRef> {
    session.in_flight().collect()
}

#[test]
fn a_whole_life() {
    let mut session = Session::new();
    let booting = FromWorker::Booting(Booting {});
    let beat = FromWorker::Beat(Beat {});
    session.sees(&booting).unwrap();
    session.sees(&hello(1)).unwrap();
    session.sees(&ToWorker::Welcome(Welcome { features: all_features(), ..Welcome::default() })).unwrap();
    assert_eq!(session.credits(), 0);
    session.sees(&booting).unwrap();
    session.sees(&ready()).unwrap();
    assert_eq!(session.credits(), 1);
    session.sees(&run(7, 1)).unwrap();
    assert_eq!((session.credits(), in_flight(&session)), (0, vec![RUN]));
    session.sees(&beat).unwrap();
    session.sees(&FromWorker::Fail(Fail { task: 7, epoch: 1, ..Fail::default() })).unwrap();
    session.sees(&run(7, 2)).unwrap();
    session.sees(&stop(None)).unwrap();
    assert_eq!((session.state(), session.credits()), (State::Draining, 0));
    session.sees(&done(7, 2)).unwrap();
    session.sees(&bye(None)).unwrap();
    assert_eq!((session.state(), session.in_flight().len()), (State::Closed, 0));
}

#[test]
fn credits_bound_the_runs_and_every_answer_gives_one_back() {
    let answers: [fn(u64) -> FromWorker; 3] = [
        |task| done(task, 1),
        |task| FromWorker::Fail(Fail { task, epoch: 1, ..Fail::default() }),
        |task| FromWorker::Back(Back { task, epoch: 1 }),
    ];
    for answer in answers {
        let mut session = working(2);
        session.sees(&run(1, 1)).unwrap();
        session.sees(&run(2, 1)).unwrap();
        let violation = session.sees(&run(3, 1)).unwrap_err();
        assert_eq!((violation.state, violation.kind), (State::Ready, Kind::Run));
        assert!(violation.sentence.contains("all 2 credits"), "{violation}");
        session.sees(&answer(1)).unwrap();
        session.sees(&run(3, 1)).unwrap();
        assert_eq!(session.in_flight().len(), 2);
    }
}

#[test]
fn a_run_is_answered_once_and_by_its_own_epoch() {
    let mut session = working(2);
    session.sees(&run(7, 2)).unwrap();
    for wrong in [done(7, 1), done(8, 2), FromWorker::Back(Back { task: 7, epoch: 3 })] {
        assert!(session.sees(&wrong).unwrap_err().sentence.contains("not in flight"));
    }
    assert!(session.sees(&run(7, 3)).unwrap_err().sentence.contains("already runs here under epoch 2"));
    // A violation changes nothing.
    assert_eq!(in_flight(&session), [RunRef { task: 7, epoch: 2 }]);
    session.sees(&done(7, 2)).unwrap();
    assert!(session.sees(&done(7, 2)).is_err());
}

#[test]
fn notes_that_spend_are_numbered_and_acknowledged_one_by_one() {
    let note = |epoch, seq| FromWorker::Note(Note { task: 7, epoch, seq, ..Note::default() });
    let ack = |epoch, seq| ToWorker::Ack(Ack { task: 7, epoch, seq });
    let mut session = working(1);
    session.sees(&note(1, 5)).unwrap();
    session.sees(&ack(1, 5)).unwrap();
    session.sees(&run(7, 2)).unwrap();
    session.sees(&note(2, 0)).unwrap();
    assert!(session.sees(&ack(2, 0)).is_err(), "a note that spends nothing has no ack");
    assert!(session.sees(&note(2, 2)).unwrap_err().sentence.contains("1 comes next"));
    session.sees(&note(2, 1)).unwrap();
    session.sees(&note(2, 0)).unwrap();
    assert!(session.sees(&note(2, 2)).unwrap_err().sentence.contains("number 1 of the run is not acknowledged"));
    assert!(session.sees(&ack(2, 2)).is_err());
    session.sees(&ack(1, 1)).unwrap();
    session.sees(&ack(2, 1)).unwrap();
    assert!(session.sees(&ack(2, 1)).is_err(), "it is acknowledged once");
    session.sees(&note(2, 2)).unwrap();
    session.sees(&done(7, 2)).unwrap();
    session.sees(&ack(2, 2)).unwrap();
    session.sees(&run(7, 3)).unwrap();
    session.sees(&note(3, 1)).unwrap();
}

#[test]
fn the_stop_of_one_run_changes_no_state() {
    let mut session = working(1);
    session.sees(&run(7, 1)).unwrap();
    session.sees(&stop(Some(RUN))).unwrap();
    assert_eq!((session.state(), in_flight(&session)), (State::Ready, vec![RUN]));
    session.sees(&done(7, 1)).unwrap();
    session.sees(&stop(Some(RUN))).unwrap();
    session.sees(&stop(None)).unwrap();
    session.sees(&stop(Some(RUN))).unwrap();
    assert_eq!(session.state(), State::Draining);
    session.sees(&bye(None)).unwrap();
    session.sees(&stop(Some(RUN))).unwrap();
    assert_eq!(session.state(), State::Closed);
    assert!(welcomed(1).sees(&stop(Some(RUN))).is_err());
}

#[test]
fn a_stop_may_cross_the_start() {
    let mut session = welcomed(1);
    session.sees(&stop(None)).unwrap();
    session.sees(&FromWorker::Booting(Booting {})).unwrap();
    session.sees(&ready()).unwrap();
    assert_eq!((session.state(), session.credits()), (State::Draining, 0));
    assert!(session.sees(&run(7, 1)).is_err());
    assert!(session.sees(&ready()).unwrap_err().sentence.contains("said once"));
    session.sees(&bye(None)).unwrap();
}

#[test]
fn ready_is_said_once() {
    let mut session = working(1);
    assert!(session.sees(&ready()).is_err());
    session.sees(&stop(None)).unwrap();
    assert!(session.sees(&ready()).is_err());
    assert!(session.sees(&FromWorker::Booting(Booting {})).is_err());
}

#[test]
fn a_run_may_cross_the_bye_and_is_not_in_flight_then() {
    let mut session = working(2);
    session.sees(&run(7, 1)).unwrap();
    session.sees(&bye(None)).unwrap();
    session.sees(&run(8, 1)).unwrap();
    session.sees(&stop(None)).unwrap();
    assert_eq!((session.state(), in_flight(&session)), (State::Closed, vec![RUN]));
    assert!(session.sees(&done(7, 1)).is_err());
}

#[test]
fn a_spawn_error_comes_before_hello_and_nowhere_else() {
    assert!(Session::new().sees(&bye(None)).is_err());
    let mut session = Session::new();
    session.sees(&bye(Some("no such file"))).unwrap();
    assert_eq!(session.state(), State::Closed);
    assert!(working(1).sees(&bye(Some("no such file"))).is_err());
}

#[test]
fn nothing_is_legal_after_a_reject_but_what_is_ignored() {
    let mut session = Session::new();
    session.sees(&hello(1)).unwrap();
    session.sees(&ToWorker::Reject(Reject::default())).unwrap();
    let log = FromWorker::Log(Log::default());
    assert_eq!(
        session.sees(&log).unwrap_err().to_string(),
        "log while closed: not legal in this state of the conversation"
    );
}

#[test]
fn what_crosses_the_end_is_ignored_whatever_it_says() {
    let mut left = working(1);
    left.sees(&run(7, 1)).unwrap();
    left.sees(&bye(None)).unwrap();
    let mut rejected = Session::new();
    rejected.sees(&hello(1)).unwrap();
    rejected.sees(&ToWorker::Reject(Reject::default())).unwrap();
    for mut session in [left, rejected] {
        let before = in_flight(&session);
        let facts = [("approval".to_owned(), Payload::default())].into();
        session.sees(&ToWorker::Run(Run { task: 7, epoch: 1, facts, ..Run::default() })).unwrap();
        session.sees(&ToWorker::Ack(Ack { task: 7, epoch: 1, seq: 5 })).unwrap();
        assert_eq!((session.state(), in_flight(&session)), (State::Closed, before));
    }
}
