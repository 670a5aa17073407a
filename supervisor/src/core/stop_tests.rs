//! How runs and workers are made to end: cancel, timeout, shutdown, and the rungs of the ladder.

use ipc_contract::message::{Booting, FromWorker};
use queue_core::op::Notice;

use super::event::{Event, Exit};
use super::play::{
    Play, back, broken, bye, cancel, claim, cleaned, done, fail, gone, hello, key, ready, says, spawned,
};

fn cancelling() -> Play {
    let mut play = Play::working(Some(60_000));
    play.at(1_000, cancel(7), &["stop 1: 7/1 Cancel 10000ms"]);
    play
}

#[test]
fn a_cancel_climbs_from_frame_to_term_to_kill_and_then_only_complains() {
    let mut play = cancelling();
    play.at(1_001, cancel(7), &[]);
    play.at(5_999, Event::Tick, &[]);
    play.at(6_000, Event::Tick, &["term 1"]);
    play.at(10_999, Event::Tick, &[]);
    play.at(11_000, Event::Tick, &["kill 1"]);
    play.at(21_000, Event::Tick, &["alert stuck"]);
    play.at(30_000, Event::Tick, &["alert unresponsive"]);
    play.at(99_000, Event::Tick, &[]);
    play.at(99_001, claim(8, None), &["finish 8/1 recalled refill"]);
    play.at(99_002, gone(1, Exit::Signal(9)), &["finish 7/1 cancelled", "down 1", "report gone 1", "spawn 2"]);
}

#[test]
fn a_cancel_that_is_obeyed_ends_with_the_answer() {
    let mut failed = cancelling();
    failed.at(1_500, fail(1, 7), &["clean 1"]);
    failed.at(20_000, Event::Tick, &[]);
    failed.at(20_001, cleaned(1), &["finish 7/1 cancelled refill"]);
    let mut unstarted = cancelling();
    unstarted.at(1_500, back(1, 7), &["finish 7/1 cancelled refill"]);
    unstarted.at(20_000, Event::Tick, &[]);
    unstarted.at(20_001, claim(8, None), &["begin 1", "run 1: 8/1"]);
}

#[test]
fn done_wins_over_every_stop() {
    let mut cancelled = cancelling();
    cancelled.at(1_500, done(1, 7), &["finish 7/1 ok refill"]);
    let mut late = Play::working(Some(1_000));
    late.at(1_000, Event::Tick, &["stop 1: 7/1 Timeout 10000ms"]);
    late.at(1_500, done(1, 7), &["finish 7/1 ok refill"]);
    late.at(20_000, Event::Tick, &[]);
    let mut last = Play::working(None);
    last.at(0, Event::Shutdown, &["stop 1: Shutdown 20000ms"]);
    last.at(1, done(1, 7), &["finish 7/1 ok"]);
    last.at(2, bye(1), &[]);
    last.at(3, gone(1, Exit::Code(0)), &["down 1", "report gone 1", "finished"]);
}

#[test]
fn a_worker_that_was_signalled_gets_no_other_task() {
    let mut play = cancelling();
    play.at(6_000, Event::Tick, &["term 1"]);
    play.at(6_001, done(1, 7), &["finish 7/1 ok", "stop 1: Recycling 10000ms"]);
    play.at(6_002, claim(8, None), &["finish 8/1 recalled refill"]);
    play.at(11_000, Event::Tick, &["kill 1"]);
    play.at(11_001, gone(1, Exit::Signal(9)), &["down 1", "report gone 1", "spawn 2"]);
}

#[test]
fn a_timeout_is_told_by_its_length_and_ends_only_its_own_run() {
    let mut play = Play::working(Some(1_000));
    play.at(999, Event::Tick, &[]);
    play.at(1_000, Event::Tick, &["stop 1: 7/1 Timeout 10000ms"]);
    play.at(2_000, cancel(7), &[]);
    play.at(6_000, Event::Tick, &["term 1"]);
    play.at(6_001, gone(1, Exit::Signal(15)), &["finish 7/1 timeout", "down 1", "report gone 1", "spawn 2"]);
    let mut next = Play::working(Some(1_000));
    next.at(500, done(1, 7), &["finish 7/1 ok refill"]);
    next.at(600, claim(8, None), &["begin 1", "run 1: 8/1"]);
    next.at(2_000, Event::Tick, &[]);
    next.at(2_001, cancel(7), &[]);
}

#[test]
fn a_run_that_spends_more_than_its_budget_is_stopped() {
    let mut play = Play::working(None);
    let overspent = Event::Notice(Notice::Overspent { run: key(7), unit: "usd".to_owned() });
    play.at(0, overspent, &["stop 1: 7/1 Budget 10000ms"]);
    play.at(1, fail(1, 7), &["clean 1"]);
    play.at(2, cleaned(1), &["finish 7/1 budget refill"]);
}

#[test]
fn a_breach_says_more_than_a_death_and_a_stop_more_than_a_breach() {
    let mut play = cancelling();
    play.at(1_500, broken(1), &["alert protocol", "kill 1"]);
    play.at(1_501, cancel(7), &[]);
    play.at(11_500, Event::Tick, &["alert stuck"]);
    play.at(11_501, gone(1, Exit::Signal(9)), &["finish 7/1 cancelled", "down 1", "report gone 1", "spawn 2"]);
    let mut garbled = Play::working(None);
    garbled.at(1, broken(1), &["alert protocol", "kill 1"]);
    garbled.at(2, cancel(7), &[]);
}

#[test]
fn shutdown_tells_who_listens_and_kills_who_does_not() {
    let mut play = Play::of(5);
    play.at(0, Event::Start, &["spawn 1", "spawn 2", "spawn 3", "spawn 4", "spawn 5"]);
    for worker in 2..=5 {
        play.does(0, spawned(worker));
    }
    for worker in 3..=5 {
        play.does(0, says(worker, FromWorker::Hello(hello())));
    }
    play.at(0, ready(4), &["demand +1"]);
    play.at(0, ready(5), &["demand +1"]);
    play.at(0, claim(7, None), &["begin 4", "run 4: 7/1"]);
    // 1 has no process, 2 has said nothing, 3 is not ready, 4 works, 5 is free.
    let stops =
        ["kill 2", "stop 3: Shutdown 20000ms", "stop 4: Shutdown 20000ms", "demand -1", "stop 5: Shutdown 20000ms"];
    play.at(1_000, Event::Shutdown, &stops);
    play.at(1_001, claim(8, None), &["finish 8/1 recalled refill"]);
    play.at(1_002, spawned(1), &["up 1", "kill 1"]);
    play.at(1_003, says(3, FromWorker::Booting(Booting {})), &[]);
    play.at(1_004, ready(3), &[]);
    for worker in [1, 2, 3, 5] {
        play.at(1_005, gone(worker, Exit::Code(0)), &[&format!("down {worker}"), &format!("report gone {worker}")]);
    }
    play.at(11_000, Event::Tick, &["term 4"]);
    play.at(21_000, Event::Tick, &["kill 4"]);
    play.at(21_001, gone(4, Exit::Signal(9)), &["finish 7/1 recalled", "down 4", "report gone 4", "finished"]);
}

#[test]
fn a_second_shutdown_kills_at_once() {
    let mut play = Play::working(None);
    play.at(0, Event::Shutdown, &["stop 1: Shutdown 20000ms"]);
    play.at(1, Event::Shutdown, &["kill 1"]);
    play.at(2, done(1, 7), &["finish 7/1 ok"]);
    play.at(3, gone(1, Exit::Signal(9)), &["down 1", "report gone 1", "finished"]);
    play.at(4, Event::Shutdown, &[]);
    let mut nobody = Play::of(0);
    nobody.at(0, Event::Start, &[]);
    nobody.at(1, Event::Shutdown, &["finished"]);
    nobody.at(2, Event::Shutdown, &[]);
}

#[test]
fn a_failure_under_shutdown_is_cleaned_up_after_and_spends_nothing() {
    let mut play = Play::working(None);
    play.at(0, Event::Shutdown, &["stop 1: Shutdown 20000ms"]);
    play.at(1, fail(1, 7), &["clean 1"]);
    play.at(2, cleaned(1), &["finish 7/1 recalled"]);
    let mut before = Play::cleaning();
    before.at(1, Event::Shutdown, &["stop 1: Shutdown 20000ms"]);
    before.at(2, bye(1), &[]);
    before.at(3, gone(1, Exit::Code(0)), &["finish 7/1 error", "down 1", "report gone 1", "finished"]);
    let mut returned = Play::working(None);
    returned.at(0, Event::Shutdown, &["stop 1: Shutdown 20000ms"]);
    returned.at(1, back(1, 7), &["finish 7/1 recalled"]);
}

#[test]
fn a_stop_of_the_worker_is_not_put_off_by_a_stop_of_its_run() {
    let mut play = cancelling();
    play.at(2_000, Event::Shutdown, &["stop 1: Shutdown 20000ms"]);
    play.at(6_000, Event::Tick, &["term 1"]);
    play.at(11_000, Event::Tick, &["kill 1"]);
    play.at(11_001, gone(1, Exit::Signal(9)), &["finish 7/1 cancelled", "down 1", "report gone 1", "finished"]);
    let mut told = Play::ready();
    told.at(0, Event::Shutdown, &["demand -1", "stop 1: Shutdown 20000ms"]);
    told.at(1, broken(1), &["alert protocol", "kill 1"]);
}

#[test]
fn the_grace_of_a_shutdown_is_what_the_machine_was_given() {
    let mut play = Play::working(None);
    play.machine.shutdown_grace_us = 4_000_000;
    play.at(0, Event::Shutdown, &["stop 1: Shutdown 4000ms"]);
    play.at(2_000, Event::Tick, &["term 1"]);
    play.at(3_999, Event::Tick, &[]);
    play.at(4_000, Event::Tick, &["kill 1"]);
    let mut at_once = Play::working(None);
    at_once.machine.shutdown_grace_us = 0;
    at_once.at(0, Event::Shutdown, &["stop 1: Shutdown 0ms", "term 1", "kill 1"]);
}
