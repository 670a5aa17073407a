//! Who replaces the dead: at once, after a back-off, once a minute, or never.

use ipc_contract::message::FromWorker;

use super::event::{Event, Exit};
use super::play::{Play, claim, done, gone, hello, ready, says, spawned};

/// Five workers in turn die before they have said hello; at each death the moment, in ms, of the next start.
fn crash_loop(play: &mut Play) -> Vec<i64> {
    let mut starts = vec![0];
    play.at(0, Event::Start, &["spawn 1"]);
    for worker in 1..=5 {
        let at = starts[starts.len() - 1];
        play.at(at, spawned(worker), &[&format!("up {worker}")]);
        let mut after = vec![format!("down {worker}"), format!("report gone {worker}")];
        after.extend((worker == 5).then(|| "alert pool_broken".to_owned()));
        assert_eq!(play.does(at, gone(worker, Exit::Code(1))), after);
        let next = play.machine.next_deadline().unwrap();
        assert_eq!(play.does(next / 1_000, Event::Tick), [format!("spawn {}", worker + 1)]);
        starts.push(next / 1_000);
    }
    starts
}

#[test]
fn a_crash_loop_waits_longer_and_longer_and_then_probes_once_a_minute() {
    let mut play = Play::of(1);
    let starts = crash_loop(&mut play);
    let waits: Vec<i64> = starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    // The random word is 0: half of the whole wait.
    assert_eq!(waits, [125, 250, 500, 1_000, 60_000]);
    let probe = starts[5];
    play.at(probe, gone(6, Exit::NotStarted("no memory".into())), &["report gone 6"]);
    play.at(probe + 59_999, Event::Tick, &[]);
    play.at(probe + 60_000, Event::Tick, &["spawn 7"]);
    play.at(probe + 60_001, spawned(7), &["up 7"]);
    play.at(probe + 60_002, says(7, FromWorker::Hello(hello())), &["offer echo", "report ready 7", "welcome 7"]);
    play.at(probe + 60_003, gone(7, Exit::Code(1)), &["down 7", "report gone 7"]);
    let next = play.machine.next_deadline().unwrap() / 1_000;
    assert!(next < probe + 120_000, "the circuit is closed again: {next}");
}

#[test]
fn a_hello_brings_the_whole_pool_back() {
    let mut play = Play::of(3);
    play.at(0, Event::Start, &["spawn 1", "spawn 2", "spawn 3"]);
    for worker in 1..=5 {
        play.does(0, gone(worker, Exit::Code(1)));
        play.does(1_000 * worker, Event::Tick);
    }
    for worker in 6..=7 {
        play.does(6_000, gone(worker, Exit::Code(1)));
    }
    play.at(66_000, Event::Tick, &["spawn 8"]);
    play.at(66_000, spawned(8), &["up 8"]);
    let hello = says(8, FromWorker::Hello(hello()));
    play.at(66_001, hello, &["offer echo", "report ready 8", "welcome 8", "spawn 9", "spawn 10"]);
}

#[test]
fn a_broken_pool_is_probed_beside_the_workers_that_live() {
    let mut play = Play::of(2);
    play.at(0, Event::Start, &["spawn 1", "spawn 2"]);
    play.at(0, spawned(1), &["up 1"]);
    play.at(0, says(1, FromWorker::Hello(hello())), &["offer echo", "report ready 1", "welcome 1"]);
    play.at(0, ready(1), &["demand +1"]);
    for worker in 2..=6 {
        play.does(2_000 * worker, gone(worker, Exit::Code(1)));
        play.does(2_000 * worker + 1_999, Event::Tick);
    }
    play.at(71_999, Event::Tick, &["alert unresponsive"]);
    play.at(72_000, Event::Tick, &["spawn 7"]);
}

#[test]
fn exit_78_is_the_last_word() {
    let mut play = Play::ready();
    play.at(1, gone(1, Exit::Code(78)), &["demand -1", "down 1", "report gone 1", "alert pool_broken"]);
    assert_eq!(play.machine.next_deadline(), None);
    play.at(1_000_000, Event::Tick, &[]);
    let mut told = Play::ready();
    let text = told.alert(1, gone(1, Exit::Code(78)));
    assert_eq!(
        text,
        "pool p is broken: its worker left with exit code 78; it asked not to be started again: mend it, then `supervisor pool recycle p`"
    );
}

#[test]
fn deaths_in_a_row_cost_time_and_an_answer_forgives_them() {
    let mut play = Play::working(None);
    play.at(1, gone(1, Exit::Signal(11)), &["finish 7/1 signal", "down 1", "report gone 1", "spawn 2"]);
    greet(&mut play, 2, 2);
    play.at(2, gone(2, Exit::Signal(11)), &["demand -1", "down 2", "report gone 2"]);
    play.at(126, Event::Tick, &[]);
    play.at(127, Event::Tick, &["spawn 3"]);
    greet(&mut play, 3, 128);
    play.at(129, claim(8, None), &["begin 3", "run 3: 8/1"]);
    play.at(130, done(3, 8), &["finish 8/1 ok refill"]);
    play.at(131, gone(3, Exit::Signal(11)), &["demand -1", "down 3", "report gone 3", "spawn 4"]);
}

fn greet(play: &mut Play, worker: i64, at_ms: i64) {
    play.does(at_ms, spawned(worker));
    play.does(at_ms, says(worker, FromWorker::Hello(hello())));
    play.at(at_ms, ready(worker), &["demand +1"]);
}

#[test]
fn a_worker_that_we_killed_for_its_run_is_replaced_at_once_every_time() {
    let mut play = Play::ready();
    let mut at = 0;
    for worker in 1..=4 {
        play.does(at, claim(worker, Some(5)));
        play.does(at + 5, Event::Tick);
        play.does(at + 5_005, Event::Tick);
        at += 10_005;
        assert_eq!(play.does(at, Event::Tick), [format!("kill {worker}")]);
        let next = worker + 1;
        let after = [
            format!("finish {worker}/1 timeout"),
            format!("down {worker}"),
            format!("report gone {worker}"),
            format!("spawn {next}"),
        ];
        assert_eq!(play.does(at, gone(worker, Exit::Signal(9))), after);
        play.does(at, spawned(next));
        play.does(at, says(next, FromWorker::Hello(hello())));
        play.does(at, ready(next));
    }
}
