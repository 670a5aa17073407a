//! Runs that hang: no word of progress, no end for an hour, and what a worker is made to say before it is killed.

use ipc_contract::message::{FromWorker, Note};

use super::event::{Event, Exit};
use super::play::{Play, claim, done, gone, hello, ready, says, spawned};
use crate::config::{Config, Kind, Pool, Program, Workers};

/// A pool of one whose worker is ready; a run of `echo` is to say something of its progress every second.
fn play(dump_on_hang: bool, progress_timeout_ms: Option<i64>) -> Play {
    let program = Program::Command(vec!["p".into()]);
    let pool = Pool { dump_on_hang, ..Pool::new("p", program, vec!["p".into()], Workers::fixed(1)) };
    let kinds = [("echo".to_owned(), Kind { progress_timeout_ms, ..Kind::default() })].into();
    let mut play =
        Play::under(Config { db: "q".into(), folder: "/".into(), pools: vec![pool], kinds, ..Config::default() });
    play.at(0, Event::Start, &["spawn 1"]);
    play.does(0, spawned(1));
    play.does(0, says(1, FromWorker::Hello(hello())));
    play.does(0, ready(1));
    play
}

fn progress(done: f64) -> Event {
    says(1, FromWorker::Note(Note { task: 7, epoch: 1, done: Some(done), ..Note::default() }))
}

#[test]
fn a_run_that_says_nothing_of_its_progress_is_stopped_and_each_word_gives_it_as_long_again() {
    let mut play = play(false, Some(10_000));
    play.does(0, claim(7, None));
    play.does(9_999, progress(0.1));
    play.does(19_998, Event::Tick);
    assert_eq!(play.does(19_999, Event::Tick), ["stop 1: 7/1 Timeout 10000ms"]);
    play.does(24_999, Event::Tick);
    let after = play.does(25_000, gone(1, Exit::Signal(15)));
    assert_eq!(after[0], "finish 7/1 timeout");
    let mut answered = self::play(false, Some(10_000));
    answered.does(0, claim(7, None));
    answered.does(1, done(1, 7));
    answered.at(10_001, Event::Tick, &[]);
    let mut silent = self::play(false, None);
    silent.does(0, claim(7, None));
    silent.at(29_000, Event::Tick, &[]);
}

#[test]
fn who_hangs_is_made_to_say_where_before_it_is_killed() {
    let mut play = play(true, None);
    play.does(0, claim(7, Some(1_000)));
    play.at(1_000, Event::Tick, &["stop 1: 7/1 Timeout 10000ms"]);
    play.at(6_000, Event::Tick, &["abort 1"]);
    play.at(11_000, Event::Tick, &["kill 1"]);
    let mut cancelled = self::play(true, None);
    cancelled.does(0, claim(7, None));
    cancelled.does(1_000, super::play::cancel(7));
    cancelled.at(6_000, Event::Tick, &["term 1"]);
}

#[test]
fn an_hour_without_a_timeout_is_told_of_once() {
    let hour_ms = 3_600_000;
    let mut play = play(false, None);
    play.does(0, claim(7, None));
    let before = play.does(hour_ms - 1, Event::Tick);
    assert!(!before.contains(&"alert long_run".to_owned()), "{before:?}");
    let text = play.alert(hour_ms, Event::Tick);
    assert_eq!(
        text,
        "task 7 of kind echo has been running for 1 h on worker 1 and has no timeout; give its kind or queue one if that is too long"
    );
    play.at(2 * hour_ms, Event::Tick, &[]);
    let mut bounded = self::play(false, None);
    bounded.does(0, claim(7, Some(2 * hour_ms)));
    bounded.does(hour_ms - 1, Event::Tick);
    bounded.at(hour_ms, Event::Tick, &[]);
}
