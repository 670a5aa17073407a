//! The desk by tables: what each message and each end of a handler leads to, with time as an argument.

use ipc_contract::{Done, Hello, Log, Reject};

use super::*;

fn welcome(features: &[&str]) -> ToWorker {
    let features = features.iter().map(ToString::to_string).collect();
    ToWorker::Welcome(Welcome { features, beat_ms: 1_000, ..Welcome::default() })
}

fn run(task: u64) -> ToWorker {
    ToWorker::Run(Run { task, epoch: 1, kind: "k".into(), ..Run::default() })
}

fn stop(task: Option<u64>, reason: StopReason) -> ToWorker {
    ToWorker::Stop(Stop { run: task.map(named), reason, grace_ms: 100 })
}

fn ack(task: u64, seq: u64) -> ToWorker {
    ToWorker::Ack(Ack { task, epoch: 1, seq })
}

fn named(task: u64) -> RunRef {
    RunRef { task, epoch: 1 }
}

fn done(task: u64) -> FromWorker {
    FromWorker::Done(Done { task, epoch: 1, ..Done::default() })
}

fn sent(desk: &mut Desk, message: &FromWorker) {
    assert_eq!(desk.may_send(message), Ok(true));
}

/// A desk that has said `hello` and has room for three runs.
fn greeted() -> Desk {
    let mut desk = Desk::new();
    let features = OFFERED.map(|feature| feature.name().to_owned()).to_vec();
    sent(&mut desk, &FromWorker::Hello(Hello { concurrency: 3, features, ..Hello::default() }));
    desk
}

/// One that has said `ready`, at 0 ms.
fn ready() -> Desk {
    let mut desk = greeted();
    assert_eq!(step(&mut desk), "wait", "not before the welcome");
    desk.received(welcome(&["beat", "note", "enqueue"]), 0).unwrap();
    assert_eq!((desk.is_welcomed(), step(&mut desk).as_str()), (true, "wait"), "not before it is prepared");
    desk.prepared();
    assert_eq!(step(&mut desk), "ready");
    desk
}

/// Does what is next, and says what that was.
fn step(desk: &mut Desk) -> String {
    step_at(desk, 0)
}

fn step_at(desk: &mut Desk, now_ms: u64) -> String {
    match desk.next(now_ms) {
        None => "wait".into(),
        Some(Next::Run(run, _)) => format!("run {}", run.task),
        Some(Next::Say(messages)) => {
            messages.iter().for_each(|message| sent(desk, message));
            messages.iter().map(word).collect::<Vec<_>>().join(", ")
        }
        Some(Next::Leave) => {
            let bye = desk.take_bye().unwrap();
            sent(desk, &bye);
            "bye".into()
        }
        Some(Next::Over) => format!("{:?}", desk.over().unwrap()),
    }
}

fn word(message: &FromWorker) -> String {
    match (message, message.answers()) {
        (FromWorker::Ready(_), _) => "ready".into(),
        (FromWorker::Beat(_), _) => "beat".into(),
        (FromWorker::Back(back), _) => format!("back {}", back.task),
        (FromWorker::Note(note), _) => format!("note {} seq {}", note.done.unwrap_or_default(), note.seq),
        (_, Some(run)) => format!("answer {}", run.task),
        other => panic!("{other:?}"),
    }
}

fn aside(desk: &mut Desk, now_ms: u64) -> Option<String> {
    let message = desk.take_aside(now_ms)?;
    sent(desk, &message);
    Some(word(&message))
}

/// Starts the next run.
fn start(desk: &mut Desk) -> Arc<StopSign> {
    match desk.next(0) {
        Some(Next::Run(_, sign)) => sign,
        _ => panic!("no run"),
    }
}

#[test]
fn each_order_of_the_supervisor_has_its_consequence() {
    use StopReason::{Cancel, Recall};
    let table: &[(&[ToWorker], &[&str])] = &[
        (&[run(2), run(1)], &["run 2", "run 1", "wait"]),
        (&[run(1), run(2), stop(Some(1), Cancel)], &["back 1", "run 2"]),
        (&[run(1), run(2), stop(Some(1), Recall)], &["back 1", "run 2"]),
        (&[run(1), stop(Some(9), Cancel)], &["run 1"]),
        (&[run(1), run(2), stop(None, Cancel)], &["back 1", "back 2", "bye", "Drained", "Drained"]),
        (&[stop(None, Cancel), stop(None, Cancel)], &["bye", "Drained"]),
        (&[], &["wait"]),
    ];
    for (messages, steps) in table {
        let mut desk = ready();
        for message in *messages {
            desk.received(message.clone(), 0).unwrap();
        }
        for expected in *steps {
            assert_eq!(step(&mut desk), *expected, "after {messages:?}");
        }
    }
}

#[test]
fn a_worker_that_is_stopped_while_it_prepares_need_not_say_ready() {
    let mut desk = greeted();
    desk.received(welcome(&[]), 0).unwrap();
    desk.received(stop(None, StopReason::Shutdown), 0).unwrap();
    assert_eq!(step(&mut desk), "wait", "what it prepares may go on");
    desk.prepared();
    assert_eq!(step(&mut desk), "bye");
}

#[test]
fn only_the_run_that_is_named_is_stopped_and_a_recall_stops_none() {
    let mut desk = ready();
    desk.received(run(1), 0).unwrap();
    let sign = start(&mut desk);
    desk.received(run(2), 0).unwrap();
    desk.received(stop(Some(2), StopReason::Cancel), 0).unwrap();
    desk.received(stop(Some(1), StopReason::Recall), 0).unwrap();
    desk.received(stop(None, StopReason::Cancel), 0).unwrap();
    assert_eq!(sign.get(), None, "a stopping worker finishes what runs");
    desk.received(stop(Some(1), StopReason::Cancel), 0).unwrap();
    assert_eq!(sign.get(), Some(StopOrder { reason: StopReason::Cancel, grace: Duration::from_millis(100) }));
}

#[test]
fn answers_leave_when_their_handlers_end() {
    let mut desk = ready();
    for task in [1, 2, 3] {
        desk.received(run(task), 0).unwrap();
        start(&mut desk);
    }
    desk.finished(named(3), done(3));
    assert_eq!([step(&mut desk), step(&mut desk)], ["answer 3", "wait"]);
    desk.drain();
    desk.finished(named(1), done(1));
    assert_eq!([step(&mut desk), step(&mut desk)], ["answer 1", "wait"], "one still runs");
    desk.finished(named(2), done(2));
    assert_eq!([step(&mut desk), step(&mut desk), step(&mut desk)], ["answer 2", "bye", "Drained"]);
}

#[test]
fn a_run_that_crosses_the_wish_to_leave_is_given_back() {
    let mut desk = ready();
    desk.drain();
    assert!(matches!(desk.next(0), Some(Next::Leave)));
    desk.received(run(1), 0).unwrap();
    assert!(desk.take_bye().is_none());
    assert_eq!([step(&mut desk), step(&mut desk)], ["back 1", "bye"]);
    desk.received(run(2), 0).unwrap();
    assert_eq!(step(&mut desk), "Drained", "what comes after the bye counts as never read");
}

#[test]
fn an_answer_waits_for_the_acks_and_follows_the_last_word() {
    let mut desk = ready();
    desk.received(run(1), 0).unwrap();
    start(&mut desk);
    let receipt = desk.speaking(named(1)).unwrap().spend("tokens", 5).unwrap();
    desk.speaking(named(1)).unwrap().notes.progress(1.0, None, None);
    assert_eq!(aside(&mut desk, 0).as_deref(), Some("note 1 seq 1"));
    desk.speaking(named(1)).unwrap().spend("tokens", 5).unwrap();
    desk.finished(named(1), done(1));
    assert!(desk.speaking(named(1)).is_none(), "what is said now would follow the answer");
    assert_eq!((step(&mut desk).as_str(), receipt.get()), ("wait", None));
    desk.received(ack(1, 1), 1).unwrap();
    assert_eq!((step_at(&mut desk, 1).as_str(), receipt.get()), ("wait", Some(true)));
    assert_eq!(aside(&mut desk, 1).as_deref(), Some("note 0 seq 2"));
    desk.received(ack(1, 2), 2).unwrap();
    assert_eq!(step_at(&mut desk, 2), "answer 1");
    desk.received(ack(1, 2), 2).unwrap();

    desk.received(run(2), 2).unwrap();
    start(&mut desk);
    for (now_ms, percent) in [(3, 10.0), (4, 20.0)] {
        desk.speaking(named(2)).unwrap().notes.progress(percent, None, None);
        aside(&mut desk, now_ms);
    }
    desk.finished(named(2), done(2));
    assert_eq!(step_at(&mut desk, 5), "note 20 seq 0, answer 2");
}

#[test]
fn an_ack_that_nothing_waits_for_breaks_the_contract() {
    let mut desk = ready();
    desk.received(run(1), 0).unwrap();
    start(&mut desk);
    assert!(desk.received(ack(1, 1), 0).unwrap_err().contains("nothing with the number 1"));
}

#[test]
fn what_is_not_agreed_is_not_said() {
    for (features, beats, notes) in
        [(&[][..], false, false), (&["park", "beat"], true, false), (&["note"], false, true)]
    {
        let mut desk = greeted();
        desk.received(welcome(features), 0).unwrap();
        desk.prepared();
        step(&mut desk);
        desk.received(run(1), 0).unwrap();
        start(&mut desk);
        assert_eq!((desk.speaking(named(1)).is_some(), desk.has(Feature::Note)), (notes, notes), "{features:?}");
        assert_eq!(aside(&mut desk, 1_000).is_some(), beats, "{features:?}");
        assert!(!desk.has(Feature::Park), "this library does not offer it");
    }
}

#[test]
fn beats_come_as_often_as_the_welcome_says() {
    let mut desk = ready();
    assert_eq!((desk.aside_due_at_ms(0), aside(&mut desk, 999)), (Some(1_000), None));
    assert_eq!(aside(&mut desk, 1_200).as_deref(), Some("beat"));
    assert_eq!((desk.aside_due_at_ms(1_200), aside(&mut desk, 1_300)), (Some(2_200), None));
    for beat_ms in [9, 60_001] {
        let wrong = Welcome { beat_ms, ..Welcome::default() };
        assert!(greeted().received(ToWorker::Welcome(wrong), 0).unwrap_err().contains("beat_ms is"));
    }
}

#[test]
fn the_first_end_stops_what_runs_and_silences_the_rest() {
    let mut desk = ready();
    desk.received(run(1), 0).unwrap();
    let sign = start(&mut desk);
    let receipt = desk.speaking(named(1)).unwrap().spend("tokens", 5).unwrap();
    assert!(desk.received(welcome(&[]), 0).is_err());
    desk.end(Ended::Protocol("first".into()));
    desk.end(Ended::Io("second".into()));
    assert_eq!((sign.get().unwrap().reason, receipt.get()), (StopReason::Unknown, Some(false)));
    assert!(desk.speaking(named(1)).is_none());
    assert_eq!(desk.may_send(&done(1)), Ok(false));
    assert_eq!(step(&mut desk), "Protocol(\"first\")");
}

#[test]
fn the_end_of_the_channel_is_a_surprise_unless_the_stop_was_told() {
    for (told, left, ended) in [(false, "Abandoned", "Abandoned"), (true, "wait", "answer 1")] {
        let mut desk = ready();
        desk.received(run(1), 0).unwrap();
        let sign = start(&mut desk);
        let receipt = desk.speaking(named(1)).unwrap().spend("tokens", 5).unwrap();
        if told {
            desk.received(stop(None, StopReason::Shutdown), 0).unwrap();
        }
        desk.channel_ended();
        assert_eq!((sign.get().is_some(), receipt.get()), (!told, Some(false)));
        assert_eq!(step(&mut desk), left);
        desk.finished(named(1), done(1));
        assert_eq!(step(&mut desk), ended, "nothing waits for an ack that will not come");
    }
    let mut desk = ready();
    desk.drain();
    desk.channel_ended();
    assert_eq!(step(&mut desk), "Abandoned", "its own wish to leave is no stop");
}

#[test]
fn a_refusal_and_a_wrong_protocol_are_the_end() {
    let mut desk = greeted();
    desk.received(ToWorker::Reject(Reject { reason: "no".into() }), 0).unwrap();
    assert_eq!(step(&mut desk), "Rejected(\"no\")");
    let other = Welcome { protocol: 2, ..Welcome::default() };
    assert!(greeted().received(ToWorker::Welcome(other), 0).unwrap_err().contains("protocol 2"));
}

#[test]
fn what_the_contract_forbids_does_not_leave() {
    let mut desk = greeted();
    let log = FromWorker::Log(Log::default());
    assert!(desk.may_send(&log).unwrap_err().contains("log while greeted"));
}
