//! Tasks that come with the result of a run: with it in one commit, or not at all.

use queue_core::op::{Notice, Op, Reply};
use queue_core::state::{FailReason, TaskState};
use queue_core::task::{Ending, NewTask, Outcome, TaskId};

use crate::shorthand::*;

fn other(name: &str) -> NewTask {
    NewTask { args: vec![7], ..named(name) }
}

fn done(rig: &mut Rig, follow_ups: Vec<NewTask>) -> Op {
    let ending = Ending { result: vec![1], follow_ups, ..Ending::bare(Outcome::Ok, "") };
    Op::Finish { run: rig.run(), ending, refill: Some(MAIN) }
}

#[test]
fn they_come_to_be_with_the_result_and_the_first_is_claimed_in_that_very_turn() {
    let mut rig = Rig::file();
    rig.enqueue(task());
    let later = NewTask { delay_us: SECOND, ..task() };
    let end = done(&mut rig, vec![named("next"), later, NewTask { queue: "a".into(), ..task() }, named("next")]);
    let turn = rig.turn(&[end], &[]);
    assert_eq!(turn.replies, [Reply::Applied]);
    assert_eq!(turn.notices[0], Notice::Finished { id: FIRST, state: TaskState::Completed, reason: None });
    let claimed: Vec<TaskId> = claims(&turn).iter().map(|claimed| claimed.run.task).collect();
    assert_eq!(claimed, [TaskId(2)], "by the credit that came with the end");
    assert_eq!((rig.count(TaskState::Scheduled), rig.count(TaskState::Available)), (1, 1));
    assert_eq!(turn.next_due, Some(rig.now.wall_us + SECOND));
    assert_eq!(rig.view(FIRST).result, [1]);
    rig.next_life();
    assert_eq!(rig.ask(put(named("next"))), Reply::Enqueued { id: TaskId(2), existing: true });
}

#[test]
fn a_name_that_is_there_stands_for_the_follow_up() {
    let mut rig = Rig::memory();
    rig.enqueue(named("self"));
    let end = done(&mut rig, vec![named("self"), named("new")]);
    assert_eq!(rig.turn(&[put(named("there")), end], &[]).replies[1], Reply::Applied);
    let end = done(&mut rig, vec![named("self"), named("there"), named("new")]);
    rig.turn(&[end], &[]);
    assert_eq!(rig.book.rows().next_task, 4);
}

#[test]
fn one_that_cannot_be_fails_the_run_for_good_and_nothing_is_kept() {
    let belongs = "which has another kind or other args; choose another name";
    for (follow_ups, want) in [
        (vec![task(), named("a"), other("old"), other("a")], "follow-up 3 of 4: the name \"old\" belongs to task 1, "),
        (
            vec![NewTask { kind: "else".into(), ..named("old") }],
            "follow-up 1 of 1: the name \"old\" belongs to task 1, ",
        ),
        (vec![named("a"), other("a"), other("old")], "follow-up 2 of 3: the name \"a\" belongs to another follow-up, "),
    ] {
        let mut rig = Rig::memory();
        rig.enqueue(named("old"));
        let end = done(&mut rig, follow_ups);
        let turn = rig.turn(&[end, put(other("a"))], &[]);
        let rejected = Notice::Finished { id: FIRST, state: TaskState::Failed, reason: Some(FailReason::Rejected) };
        assert_eq!((&turn.replies[0], &turn.notices[0]), (&Reply::Applied, &rejected), "{want}");
        assert_eq!(
            turn.replies[1],
            Reply::Enqueued { id: TaskId(2), existing: false },
            "neither an id nor a name is used"
        );
        assert_eq!(rig.view(FIRST).result, [], "{want}");
        let attempts = rig.store.attempts(FIRST).unwrap();
        assert_eq!((attempts.len(), attempts[0].outcome), (1, Outcome::Error));
        assert_eq!(attempts[0].detail, format!("{want}{belongs}"));
    }
}

#[test]
fn an_answer_that_comes_too_late_brings_nothing() {
    let mut rig = Rig::memory();
    rig.enqueue(task());
    let end = done(&mut rig, vec![named("next"), task()]);
    let turn = rig.turn(&[end.clone(), end.clone()], &[]);
    assert_eq!(turn.replies, [Reply::Applied, Reply::Stale]);
    assert_eq!(rig.book.rows().next_task, 4);
    rig.turn(&[end], &[]);
    let mut lost = Rig::memory();
    lost.enqueue(task());
    let end = done(&mut lost, vec![task()]);
    lost.next_life();
    assert_eq!(lost.turn(&[end], &[]).replies, [Reply::Stale]);
    assert_eq!(lost.book.rows().next_task, 2);
}

#[test]
fn a_cancel_loses_to_a_result_and_wins_over_one_that_cannot_be() {
    for (follow_up, state, next_task) in
        [(named("new"), TaskState::Completed, 4), (other("old"), TaskState::Cancelled, 3)]
    {
        let mut rig = Rig::memory();
        rig.enqueue(task());
        let end = done(&mut rig, vec![follow_up]);
        rig.turn(&[put(named("old")), Op::Cancel(FIRST), end], &[]);
        assert_eq!((rig.view(FIRST).state, rig.book.rows().next_task), (state, next_task));
    }
}

#[test]
fn what_the_database_refuses_half_way_keeps_neither_result_nor_follow_up() {
    let mut rig = Rig::file();
    rig.enqueue(task());
    let end = done(&mut rig, vec![named("a"), NewTask { kind: "bad".into(), ..task() }]);
    rig.sql("CREATE TRIGGER t BEFORE INSERT ON task WHEN NEW.kind = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END");
    let turn = rig.turn(&[end, put(other("a"))], &[]);
    assert!(matches!(&turn.replies[0], Reply::Refused(error) if error.detail == "no"), "{:?}", turn.replies[0]);
    assert_eq!(turn.replies[1], Reply::Enqueued { id: TaskId(2), existing: false });
    assert_eq!(rig.view(FIRST).state, TaskState::Running);
}
