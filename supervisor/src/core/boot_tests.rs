//! From the start of a process to its first credit: greetings that are accepted, refused, late, or never come.

use ipc_contract::message::{Booting, Bye, FromWorker, Hello, ToWorker};
use ipc_contract::payload::Payload;
use queue_core::task::WorkerId;

use super::command::Command;
use super::event::{Event, Exit};
use super::play::{Play, broken, bye, gone, hello, ready, says, spawned};

#[test]
fn a_worker_is_known_to_the_queue_before_it_gives_a_credit() {
    let mut play = Play::of(2);
    play.at(0, Event::Start, &["spawn 1", "spawn 2"]);
    play.at(1, spawned(2), &["up 2"]);
    play.at(2, says(2, FromWorker::Hello(hello())), &["offer echo", "report ready 2", "welcome 2"]);
    play.at(3, ready(2), &["demand +1"]);
    play.at(4, spawned(1), &["up 1"]);
    play.at(5, says(1, FromWorker::Hello(hello())), &["report ready 1", "welcome 1"]);
    play.at(6, ready(1), &["demand +1"]);
}

/// The sentence of the `reject` that a greeting gets.
fn refusal(greeting: Hello) -> String {
    let mut play = Play::of(1);
    play.at(0, Event::Start, &["spawn 1"]);
    play.at(0, spawned(1), &["up 1"]);
    let commands = play.machine.handle(says(1, FromWorker::Hello(greeting)), 0, 0);
    let [Command::Send(WorkerId(1), ToWorker::Reject(reject)), Command::Report(_)] = &commands[..] else {
        panic!("not a reject and an alert: {commands:?}");
    };
    play.at(2_499, Event::Tick, &[]);
    play.at(2_500, Event::Tick, &["term 1"]);
    play.at(5_000, Event::Tick, &["kill 1"]);
    play.at(5_001, gone(1, Exit::Signal(9)), &["down 1", "report gone 1", "spawn 2"]);
    reject.reason.clone()
}

#[test]
fn a_greeting_that_does_not_fit_is_refused_in_a_sentence() {
    let table = [
        (Hello { cookie: "other".into(), ..hello() }, "its cookie is not the one in its environment"),
        (Hello { protocol_min: 2, protocol_max: 3, ..hello() }, "it speaks protocol 2 to 3 and this supervisor 1"),
        // Of a version that may bring more than this one takes.
        (Hello { protocol_min: 2, protocol_max: 2, concurrency: 9_999, ..hello() }, "it speaks protocol 2 to 2"),
        (Hello { protocol_min: 0, protocol_max: 0, ..hello() }, "it speaks protocol 0 to 0 and this supervisor 1"),
        (Hello { concurrency: 0, ..hello() }, "concurrency is 0 runs, it must be 1 to 1024"),
        (Hello { kinds: vec!["echo".into(), "No Name".into()], ..hello() }, "kind"),
        (Hello { kinds: vec![], ..hello() }, "it has no handler for echo, which the configuration routes to pool p"),
    ];
    for (greeting, sentence) in table {
        let got = refusal(greeting);
        assert!(got.contains(sentence), "{got}");
    }
}

#[test]
fn a_hello_of_a_later_version_can_be_read_and_is_told_both_versions() {
    let fields = serde_json::json!({
        "protocol_min": 2, "protocol_max": 4, "cookie": "tag", "dialect": { "of": ["the", "future"] },
        "features": ["beat", "telepathy"],
    });
    let frame = Payload::of(&serde_json::json!({ "hello": fields })).unwrap();
    let FromWorker::Hello(greeting) = ipc_contract::decode(&frame.0).unwrap() else { panic!("no hello") };
    let reason = refusal(greeting);
    assert_eq!(reason, "it speaks protocol 2 to 4 and this supervisor 1: use a matching SDK");
}

#[test]
fn a_welcome_names_what_this_supervisor_can_and_how_often_it_wants_a_beat() {
    let mut play = Play::of(1);
    play.at(0, Event::Start, &["spawn 1"]);
    play.at(0, spawned(1), &["up 1"]);
    let commands = play.machine.handle(says(1, FromWorker::Hello(hello())), 0, 0);
    let Some(Command::Send(_, ToWorker::Welcome(welcome))) = commands.last() else { panic!("{commands:?}") };
    let features: Vec<&str> = welcome.features.iter().map(String::as_str).collect();
    assert_eq!((&features[..], welcome.beat_ms), (&["beat", "note", "enqueue"][..], 5_000));
}

#[test]
fn a_worker_that_says_nothing_is_killed_and_booting_prolongs_its_time() {
    let mut play = Play::of(1);
    play.at(0, Event::Start, &["spawn 1"]);
    play.at(0, spawned(1), &["up 1"]);
    play.at(9_000, says(1, FromWorker::Booting(Booting {})), &[]);
    play.at(18_000, says(1, FromWorker::Hello(hello())), &["offer echo", "report ready 1", "welcome 1"]);
    play.at(18_500, says(1, FromWorker::Booting(Booting {})), &[]);
    assert_eq!(play.machine.next_deadline(), Some(28_500_000));
    play.at(28_499, Event::Tick, &[]);
    play.at(28_500, Event::Tick, &["alert protocol", "kill 1"]);
    play.at(28_501, ready(1), &[]);
    play.at(28_502, gone(1, Exit::Signal(9)), &["down 1", "report gone 1", "spawn 2"]);
}

#[test]
fn ready_ends_the_time_to_boot() {
    let mut play = Play::ready_with(Hello { features: vec![], ..hello() });
    assert_eq!(play.machine.next_deadline(), None);
    play.at(100_000, Event::Tick, &[]);
}

#[test]
fn a_process_that_comes_too_late_is_killed_when_it_comes() {
    let mut play = Play::of(1);
    play.at(0, Event::Start, &["spawn 1"]);
    play.at(10_000, Event::Tick, &["alert protocol"]);
    play.at(11_000, spawned(1), &["up 1", "kill 1"]);
    play.at(11_001, says(1, FromWorker::Hello(hello())), &[]);
    play.at(11_002, gone(1, Exit::Signal(9)), &["down 1", "report gone 1"]);
}

#[test]
fn a_worker_that_could_not_be_started_was_never_there() {
    let mut play = Play::of(1);
    play.at(0, Event::Start, &["spawn 1"]);
    play.at(1, gone(1, Exit::NotStarted("no memory".into())), &["report gone 1"]);
    let mut shim = Play::of(1);
    shim.at(0, Event::Start, &["spawn 1"]);
    shim.at(0, spawned(1), &["up 1"]);
    let no_program = Bye { spawn_error: Some("no such file".into()) };
    shim.at(1, says(1, FromWorker::Bye(no_program)), &[]);
    shim.at(2, gone(1, Exit::Code(127)), &["down 1", "report gone 1"]);
}

#[test]
fn whatever_is_not_legal_before_the_first_credit_breaks_the_contract() {
    let illegal = [ready(1), bye(1), says(1, FromWorker::Beat(ipc_contract::message::Beat {})), broken(1)];
    for event in illegal {
        let mut play = Play::of(1);
        play.at(0, Event::Start, &["spawn 1"]);
        play.at(0, spawned(1), &["up 1"]);
        play.at(1, event, &["alert protocol", "kill 1"]);
        play.at(1, broken(1), &[]);
        play.at(10_001, Event::Tick, &["alert stuck"]);
        play.at(10_002, gone(1, Exit::Signal(9)), &["down 1", "report gone 1"]);
    }
}

#[test]
fn a_worker_may_leave_before_it_was_ready() {
    let mut play = Play::of(1);
    play.at(0, Event::Start, &["spawn 1"]);
    play.at(0, spawned(1), &["up 1"]);
    play.at(1, says(1, FromWorker::Hello(hello())), &["offer echo", "report ready 1", "welcome 1"]);
    play.at(2, bye(1), &[]);
    play.at(2_502, Event::Tick, &["term 1"]);
    play.at(5_002, Event::Tick, &["kill 1"]);
    play.at(5_003, gone(1, Exit::Signal(9)), &["down 1", "report gone 1", "spawn 2"]);
}
