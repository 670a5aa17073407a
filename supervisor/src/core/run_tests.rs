//! The life of a run: claimed, sent, answered, cleaned up after, or lost with its worker in each phase.

use ipc_contract::message::{Beat, Done, Exit as ToldExit, Fail, FromWorker, Hello, Retry, Run, Scope, ToWorker};
use ipc_contract::payload::Payload;
use queue_core::op::Op;
use queue_core::task::{Ending, Outcome, PoolId, RetryScope, RetryWish, WorkerId};

use super::command::Command;
use super::event::{Event, Exit};
use super::play::{
    Play, back, broken, bye, cancel, claim, cleaned, done, fail, gone, hello, key, ready, says, spawned,
};

#[test]
fn a_claim_begins_the_output_and_sends_all_that_the_worker_needs() {
    let mut play = Play::ready();
    let commands = play.machine.handle(claim(7, Some(1_500)), 0, 0);
    let run = Run {
        task: 7,
        epoch: 1,
        kind: "echo".into(),
        args: Payload(vec![0xc0]),
        attempt: 1,
        effect_key: "db-7".into(),
        time_left_ms: Some(1_500),
        ..Run::default()
    };
    assert_eq!(commands, [Command::BeginOutput(WorkerId(1)), Command::Send(WorkerId(1), ToWorker::Run(run))]);
}

#[test]
fn a_claim_goes_to_a_free_worker_or_back_at_once() {
    let mut play = Play::working(None);
    play.at(1, claim(8, None), &["finish 8/1 recalled refill"]);
    play.at(2, done(1, 7), &["finish 7/1 ok refill"]);
    play.at(3, claim(9, None), &["begin 1", "run 1: 9/1"]);
}

/// The end that an event hands in, behind the log of the run and with nothing else.
fn ending(play: &mut Play, at_us: i64, event: Event) -> Ending {
    let commands = play.machine.handle(event, at_us, 0);
    match &commands[..] {
        [
            Command::KeepLog { is_last: true, .. },
            Command::Submit(Op::Finish { run, ending, refill: Some(PoolId(0)) }),
        ] if *run == key(7) => ending.clone(),
        _ => panic!("not one finish: {commands:?}"),
    }
}

#[test]
fn done_is_handed_in_with_the_result_and_the_credit_in_the_same_turn() {
    let mut play = Play::working(None);
    let answer = Done { task: 7, epoch: 1, result: Payload(vec![0xc3]), cut: true, ..Done::default() };
    let got = ending(&mut play, 4_000, says(1, FromWorker::Done(answer)));
    let expected = Ending {
        result: vec![0xc3],
        cut: true,
        run_us: 4_000,
        worker: Some(WorkerId(1)),
        pid: Some(1_001),
        ..Ending::bare(Outcome::Ok, "")
    };
    assert_eq!(got, expected);
}

#[test]
fn a_failure_is_handed_in_only_when_its_leftovers_are_dead() {
    let mut play = Play::working(Some(1_000));
    let exit = Some(ToldExit { code: Some(2), peak_rss_bytes: Some(9), cpu_ms: Some(8), ..ToldExit::default() });
    let answer = Fail { task: 7, epoch: 1, error: "no".into(), retry: Retry::AfterMs(5), scope: Scope::Queue, exit };
    play.at(4, says(1, FromWorker::Fail(answer)), &["clean 1"]);
    play.at(2_000, Event::Tick, &[]);
    let got = ending(&mut play, 2_001_000, cleaned(1));
    let expected = Ending {
        retry: RetryWish::AfterMs(5),
        scope: RetryScope::Queue,
        code: Some(2),
        peak_rss_bytes: Some(9),
        cpu_ms: Some(8),
        run_us: 4_000,
        worker: Some(WorkerId(1)),
        pid: Some(1_001),
        output: b"said".to_vec(),
        ..Ending::bare(Outcome::Error, "no")
    };
    assert_eq!(got, expected);
    play.at(2_002, cleaned(1), &[]);
    play.at(2_003, claim(8, None), &["begin 1", "run 1: 8/1"]);
}

#[test]
fn a_run_given_back_unasked_costs_nothing_and_its_worker_gets_no_other() {
    let mut play = Play::working(None);
    play.at(1, back(1, 7), &["finish 7/1 recalled"]);
    play.at(2, claim(8, None), &["finish 8/1 recalled refill"]);
    play.at(3, bye(1), &[]);
    play.at(4, gone(1, Exit::Code(0)), &["down 1", "report gone 1", "spawn 2"]);
}

#[test]
fn a_run_that_crosses_a_good_bye_counts_as_never_read() {
    let end = ["finish 7/1 lost", "down 1", "report gone 1", "spawn 2"];
    for exit in [Exit::Code(0), Exit::Code(3), Exit::Signal(11)] {
        let mut play = Play::working(Some(1_000));
        play.at(1, bye(1), &[]);
        play.at(1_001, Event::Tick, &[]);
        play.at(1_500, claim(8, None), &["finish 8/1 recalled refill"]);
        play.at(1_501, gone(1, exit), &end);
    }
    let mut cancelled = Play::working(None);
    cancelled.at(1, bye(1), &[]);
    cancelled.at(2, cancel(7), &[]);
    cancelled.at(3, gone(1, Exit::Code(0)), &["finish 7/1 cancelled", "down 1", "report gone 1", "spawn 2"]);
    let mut answered = Play::cleaning();
    answered.at(1, bye(1), &[]);
    answered.at(2, gone(1, Exit::Code(0)), &["finish 7/1 error", "down 1", "report gone 1", "spawn 2"]);
}

#[test]
fn what_a_dead_worker_had_is_handed_in_before_it_is_called_gone() {
    let crash = || gone(1, Exit::Signal(11));
    let table: [(&str, Play, &[&str]); 5] = [
        ("ready", Play::ready(), &["demand -1", "down 1", "report gone 1", "spawn 2"]),
        ("working", Play::working(None), &["finish 7/1 signal", "down 1", "report gone 1", "spawn 2"]),
        ("cleaning", Play::cleaning(), &["finish 7/1 error", "down 1", "report gone 1", "spawn 2"]),
        ("has said good-bye", left(), &["down 1", "report gone 1", "spawn 2"]),
        ("broken", garbled(), &["finish 7/1 protocol", "down 1", "report gone 1", "spawn 2"]),
    ];
    for (phase, mut play, expected) in table {
        assert_eq!(play.does(5, crash()), expected, "{phase}");
        play.at(6, crash(), &[]);
        play.at(6, cleaned(1), &[]);
    }
    let mut left_early = Play::working(None);
    left_early.at(5, gone(1, Exit::Code(0)), &["finish 7/1 exit", "down 1", "report gone 1", "spawn 2"]);
}

fn left() -> Play {
    let mut play = Play::ready();
    play.at(1, bye(1), &["demand -1"]);
    play
}

fn garbled() -> Play {
    let mut play = Play::working(None);
    play.at(1, broken(1), &["alert protocol", "kill 1"]);
    play
}

#[test]
fn what_is_said_after_a_breach_counts_for_nothing() {
    let mut play = garbled();
    play.at(2, done(1, 7), &[]);
    play.at(3, says(1, FromWorker::Beat(Beat {})), &[]);
    let mut ready = Play::ready();
    ready.at(1, broken(1), &["demand -1", "alert protocol", "kill 1"]);
    ready.at(2, claim(8, None), &["finish 8/1 recalled refill"]);
    ready.at(3, gone(1, Exit::Signal(9)), &["down 1", "report gone 1", "spawn 2"]);
    let mut failed = Play::cleaning();
    failed.at(1, broken(1), &["alert protocol", "kill 1"]);
    failed.at(2, cleaned(1), &["finish 7/1 error"]);
    failed.at(3, gone(1, Exit::Signal(9)), &["down 1", "report gone 1", "spawn 2"]);
}

#[test]
fn every_breach_of_the_conversation_kills_the_worker_that_works() {
    let stale = |epoch| says(1, FromWorker::Done(Done { task: 7, epoch, ..Done::default() }));
    let table = [
        ready(1),
        says(1, FromWorker::Hello(hello())),
        says(1, FromWorker::Booting(ipc_contract::message::Booting {})),
        stale(0),
        stale(2),
        stale(u64::MAX),
        done(1, 8),
        fail(1, 8),
        back(1, 8),
    ];
    for event in table {
        let mut play = Play::working(None);
        play.at(1, event.clone(), &["alert protocol", "kill 1"]);
        let end = play.does(2, gone(1, Exit::Signal(9)));
        assert_eq!(end[0], "finish 7/1 protocol", "{event:?}");
    }
    let mut twice = Play::working(None);
    twice.at(1, done(1, 7), &["finish 7/1 ok refill"]);
    twice.at(2, done(1, 7), &["demand -1", "alert protocol", "kill 1"]);
    let mut after_bye = Play::working(None);
    after_bye.at(1, bye(1), &[]);
    after_bye.at(2, done(1, 7), &["alert protocol", "kill 1"]);
    let end = after_bye.does(3, gone(1, Exit::Code(0)));
    assert_eq!(end[0], "finish 7/1 protocol", "a good-bye is no cover for a breach");
    let mut told = Play::working(None);
    assert!(told.alert(1, done(1, 8)).contains("task 8 under epoch 1 is not in flight"));
}

#[test]
fn silence_is_an_alert_once_and_a_beat_ends_it() {
    let mut play = Play::working(None);
    play.at(20_000, says(1, FromWorker::Beat(Beat {})), &[]);
    play.at(49_999, Event::Tick, &[]);
    assert!(play.alert(50_000, Event::Tick).contains("worker 1, running task 7 has not given a sign of life for 30 s"));
    assert!(play.machine.slots()[&WorkerId(1)].unresponsive);
    play.at(90_000, Event::Tick, &[]);
    play.at(91_000, says(1, FromWorker::Beat(Beat {})), &[]);
    assert!(!play.machine.slots()[&WorkerId(1)].unresponsive);
    play.at(121_000, Event::Tick, &["alert unresponsive"]);
    play.at(121_001, done(1, 7), &["finish 7/1 ok refill"]);
    let mut without = Play::ready_with(Hello { features: vec![], ..hello() });
    without.at(90_000, Event::Tick, &[]);
}

#[test]
fn who_is_not_known_is_not_heard() {
    let mut play = Play::ready();
    for event in [spawned(9), ready(9), done(9, 7), broken(9), cleaned(9), gone(9, Exit::Code(0))] {
        play.at(1, event, &[]);
    }
}
