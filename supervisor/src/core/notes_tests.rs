//! Notes, acks, progress and the log of a run, in virtual time.

use super::*;
use crate::core::event::Event;
use crate::core::event::Exit;
use crate::core::play::*;
use ipc_contract::message::{FromWorker, Level, RunRef};
use queue_core::op::Notice;

fn note(seq: u64, done: Option<f64>) -> Event {
    let spend = if seq == 0 { Default::default() } else { [("tokens".to_owned(), 5)].into() };
    says(1, FromWorker::Note(message::Note { task: 7, epoch: 1, done, seq, spend, ..Default::default() }))
}

fn log(run: Option<u64>) -> Event {
    let run = run.map(|task| RunRef { task, epoch: 1 });
    says(1, FromWorker::Log(Log { run, level: Level::Info, message: "hi".into() }))
}

#[test]
fn what_is_spent_is_handed_in_at_once_and_acknowledged_once_it_is_kept() {
    let mut play = Play::working(None);
    play.at(1, note(1, None), &["note 7/1 seq 1"]);
    play.at(2, Event::Notice(Notice::Noted { run: key(7), seq: 1 }), &["ack 1: 7/1 1"]);
    play.at(3, note(2, Some(0.5)), &["note 7/1 0.5 seq 2"]);
    play.at(4, done(1, 7), &["finish 7/1 ok refill"]);
    play.at(5, Event::Notice(Notice::Noted { run: key(7), seq: 2 }), &[]);
}

#[test]
fn a_note_without_the_feature_is_a_breach() {
    let mut play = Play::ready_with(message::Hello { features: Vec::new(), ..hello() });
    play.at(0, claim(7, None), &["begin 1", "run 1: 7/1"]);
    play.at(1, note(1, Some(0.5)), &["alert protocol", "kill 1"]);
}

#[test]
fn a_note_that_breaks_the_rules_is_a_breach() {
    let mut play = Play::working(None);
    let wrong = message::Note { task: 7, epoch: 1, seq: 1, ..Default::default() };
    play.at(1, says(1, FromWorker::Note(wrong)), &["alert protocol", "kill 1"]);
    let mut play = Play::working(None);
    play.at(1, note(1, None), &["note 7/1 seq 1"]);
    play.at(1, note(2, None), &["alert protocol", "kill 1"]);
}

#[test]
fn progress_is_kept_once_a_second_and_before_the_end() {
    let mut play = Play::working(None);
    play.at(1, note(0, Some(1.0)), &["note 7/1 1"]);
    play.at(2, note(0, Some(2.0)), &[]);
    play.at(3, note(0, Some(3.0)), &[]);
    play.at(1_001, Event::Tick, &["note 7/1 3"]);
    play.at(1_002, note(0, Some(4.0)), &[]);
    play.at(1_003, note(0, Some(5.0)), &[]);
    play.at(1_004, done(1, 7), &["note 7/1 5", "finish 7/1 ok refill"]);
    play.at(9_000, note(0, Some(6.0)), &[]);
}

#[test]
fn progress_out_of_range_is_taken_for_the_nearest() {
    let table = [
        (Some(1.5), Some(1.0), Some(1.0), Some(1.0)),
        (Some(-1.0), None, Some(0.0), None),
        (Some(f64::NAN), Some(f64::NAN), None, None),
        (Some(f64::INFINITY), None, Some(f64::MAX), None),
        (Some(3.0), Some(0.0), Some(3.0), None),
        (Some(3.0), Some(-4.0), Some(3.0), None),
    ];
    for (done, total, seen, of) in table {
        let note = message::Note { done, total, ..Default::default() };
        let progress = progress(&note).unwrap();
        assert_eq!((progress.done, progress.total), (seen, of), "{done:?} of {total:?}");
    }
    assert_eq!(progress(&message::Note::default()), None);
    let long = message::Note { message: Some("é".repeat(MESSAGE_BYTES_MAX)), ..Default::default() };
    assert_eq!(progress(&long).unwrap().message.unwrap().len(), MESSAGE_BYTES_MAX);
}

#[test]
fn a_line_of_the_live_run_is_the_tasks_and_any_other_the_workers() {
    let mut play = Play::working(None);
    play.at(1, log(Some(7)), &["line 1: hi"]);
    play.at(1, log(Some(8)), &["report said 1: hi"]);
    play.at(1, log(None), &["report said 1: hi"]);
    play.at(2, done(1, 7), &["finish 7/1 ok refill"]);
    play.at(3, log(Some(7)), &["report said 1: hi"]);
}

#[test]
fn a_log_is_kept_every_five_seconds_oftener_while_it_is_read_and_before_each_end() {
    let mut play = Play::working(None);
    let keeps = |play: &mut Play, at_ms| play.all(at_ms, Event::Tick).contains(&"keep 1".to_owned());
    assert!(!keeps(&mut play, 4_999));
    assert!(keeps(&mut play, 5_000));
    assert!(!keeps(&mut play, 9_999));
    assert_eq!(play.all(9_999, Event::Follow(TaskId(8))), [""; 0]);
    assert_eq!(play.all(9_999, Event::Follow(TaskId(7))), ["keep 1"]);
    assert!(!keeps(&mut play, 10_198));
    assert!(keeps(&mut play, 10_199));
    assert_eq!(play.all(10_200, Event::Follow(TaskId(7))), [""; 0], "a wish renewed is not another one");
    assert!(keeps(&mut play, 13_300));
    assert!(!keeps(&mut play, 13_700), "nobody has renewed it");
    assert_eq!(play.all(13_800, done(1, 7)), ["keep 1 last", "finish 7/1 ok refill"]);
    assert!(!keeps(&mut play, 99_000));

    assert!(Play::cleaning().all(1, cleaned(1)).starts_with(&["keep 1 last".to_owned()]));
    assert!(Play::working(None).all(1, gone(1, Exit::Code(0))).starts_with(&["keep 1 last".to_owned()]));
}
