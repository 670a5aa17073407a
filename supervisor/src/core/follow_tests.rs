//! Follow-ups of a result: routed as any task is, by what is known when the answer comes; one that is illegal fails the run.

use ipc_contract::limits::FOLLOW_UPS_BYTES;
use ipc_contract::message::{Done, FromWorker, Hello};
use ipc_contract::payload::Payload;
use ipc_contract::{PrioritySpec, TaskSpec};
use queue_core::op::Op;
use queue_core::task::{Ending, NewTask, Outcome, Overrides, RetryWish};

use super::command::Command;
use super::event::Event;
use super::play::{Play, claim, hello, says};

fn of(kind: &str) -> TaskSpec {
    TaskSpec { kind: kind.into(), ..TaskSpec::default() }
}

fn sized(bytes: u64) -> TaskSpec {
    TaskSpec { args: Payload::of(&"x".repeat(bytes as usize)).unwrap(), ..of("echo") }
}

fn done(enqueue: Vec<TaskSpec>) -> Event {
    says(1, FromWorker::Done(Done { task: 7, epoch: 1, result: Payload(vec![0xc3]), cut: true, enqueue }))
}

/// The end of a run of pool `p`, whose workers offer `echo` and `more`.
fn ending(enqueue: Vec<TaskSpec>) -> Ending {
    let kinds = vec!["echo".into(), "more".into()];
    let mut play = Play::of(1);
    play.does(0, Event::Start);
    play.does(0, super::play::spawned(1));
    play.does(0, says(1, FromWorker::Hello(Hello { kinds, ..hello() })));
    play.does(0, super::play::ready(1));
    play.does(0, claim(7, None));
    let mut commands = play.machine.handle(done(enqueue), 0, 0);
    if matches!(commands[..], [Command::Clean(_)]) {
        // What a refused run has left below its worker is killed first, as that of a failed one.
        commands = play.machine.handle(super::play::cleaned(1), 0, 0);
    }
    let [Command::KeepLog { .. }, Command::Submit(Op::Finish { ending, refill: Some(_), .. })] = &commands[..] else {
        panic!("not one finish, with the credit: {commands:?}");
    };
    ending.clone()
}

#[test]
fn they_are_routed_as_any_task_is() {
    let full = TaskSpec {
        args: Payload(vec![0x01]),
        priority: Some(PrioritySpec::Name("high".into())),
        delay_ms: Some(3),
        name: Some("n".into()),
        timeout_ms: Some(5),
        max_attempts: Some(2),
        max_crashes: Some(1),
        ..of("echo")
    };
    let got = ending(vec![full, of("more")]);
    let overrides = Overrides { timeout_ms: Some(5), max_attempts: Some(2), max_crashes: Some(1) };
    let routed = |kind: &str| NewTask { kind: kind.into(), queue: "p".into(), ..NewTask::default() };
    let first = NewTask {
        priority: "high".parse().unwrap(),
        args: vec![0x01],
        name: Some("n".into()),
        delay_us: 3_000,
        overrides,
        ..routed("echo")
    };
    assert_eq!((got.outcome, &got.result[..], got.cut), (Outcome::Ok, &[0xc3][..], true));
    assert_eq!(got.follow_ups, [first, routed("more")]);
}

#[test]
fn an_illegal_one_fails_the_run_for_good_and_is_named_by_its_place() {
    let table = [
        (
            vec![of("echo"), of("mor")],
            "follow-up 2 of 2: no pool offers kind \"mor\"; did you mean more? offered kinds: ",
        ),
        (vec![of("No Name"), of("mor")], "follow-up 1 of 2: kind \"No Name\" is no name"),
        (vec![TaskSpec { queue: Some("q".into()), ..of("echo") }], "follow-up 1 of 1: no pool serves queue \"q\"; "),
        (vec![TaskSpec { priority: Some(PrioritySpec::Name("hihg".into())), ..of("echo") }], "follow-up 1 of 1: "),
        (vec![TaskSpec { max_attempts: Some(0), ..of("echo") }], "follow-up 1 of 1: max_attempts is 0 runs"),
        (vec![TaskSpec { args: Payload(vec![0xc1]), ..of("echo") }], "follow-up 1 of 1: "),
        (
            vec![sized(FOLLOW_UPS_BYTES.default / 2), of("echo"), sized(FOLLOW_UPS_BYTES.default / 2), of("echo")],
            "follow-up 3 of 4: follow_ups_args has 1048586 bytes, the limit is 1048576 (by default 1048576, at most 4194304)",
        ),
    ];
    for (enqueue, sentence) in table {
        let got = ending(enqueue);
        assert_eq!((got.outcome, got.retry), (Outcome::Error, RetryWish::Never), "{sentence}");
        assert!(got.detail.starts_with(sentence), "{}", got.detail);
        assert!(got.result.is_empty() && !got.cut && got.follow_ups.is_empty() && got.worker.is_some(), "{got:?}");
    }
}

#[test]
fn a_refused_run_is_cleaned_up_after_and_others_are_not() {
    let mut play = Play::working(None);
    play.at(1, done(vec![of("no name")]), &["clean 1"]);
    play.at(2, super::play::cleaned(1), &["finish 7/1 error refill"]);
    play.does(3, claim(8, None));
    let done = says(1, FromWorker::Done(Done { task: 8, epoch: 1, ..Done::default() }));
    play.at(4, done, &["finish 8/1 ok refill"]);
}

#[test]
fn without_the_feature_they_are_a_breach() {
    let mut play = Play::ready_with(Hello { features: vec![], ..hello() });
    play.does(0, claim(7, None));
    play.at(1, done(vec![of("echo")]), &["alert protocol", "kill 1"]);
}

#[test]
fn what_the_supervisor_stops_brings_them_all_the_same() {
    let mut play = Play::working(Some(1_000));
    play.at(1_000, Event::Tick, &["stop 1: 7/1 Timeout 10000ms"]);
    play.at(1_001, Event::Shutdown, &["stop 1: Shutdown 20000ms"]);
    play.at(1_002, done(vec![of("echo")]), &["finish 7/1 ok +1"]);
}
