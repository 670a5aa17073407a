//! Enqueue: ids, answers, bodies, delays and names.

use std::collections::BTreeMap;

use queue_core::op::Reply;
use queue_core::state::TaskState;
use queue_core::store::BudgetView;
use queue_core::task::{NewTask, Outcome, Overrides, TaskId};
use queue_core::tick::DUE_MAX;

use crate::shorthand::*;

fn fresh(id: i64) -> Reply {
    Reply::Enqueued { id: TaskId(id), existing: false }
}

fn existing(id: i64) -> Reply {
    Reply::Enqueued { id: TaskId(id), existing: true }
}

#[test]
fn each_is_answered_with_the_next_id() {
    let mut rig = Rig::memory();
    let turn = rig.turn(&[put(task()), put(task()), put(task())], &[]);
    assert_eq!(turn.replies, [fresh(1), fresh(2), fresh(3)]);
    assert_eq!((turn.notices, turn.next_due, turn.more), (vec![], None, false));
    assert_eq!(rig.ask(put(task())), fresh(4));
}

#[test]
fn the_body_is_kept_as_given() {
    let mut rig = Rig::memory();
    let overrides = Overrides { timeout_ms: Some(9_000), max_attempts: Some(2), max_crashes: Some(7) };
    let new = NewTask {
        kind: "resize".into(),
        queue: "a".into(),
        priority: "high".parse().unwrap(),
        args: vec![0xC0, 0, 255],
        name: Some("x".into()),
        key: Some("k".into()),
        cost: BTreeMap::from([("tokens".to_owned(), 3)]),
        budget: BTreeMap::from([("tokens".to_owned(), 40)]),
        delay_us: 0,
        overrides,
    };
    let id = rig.enqueue(new.clone());
    let view = rig.view(id);
    assert_eq!((view.kind, view.queue, view.priority), (new.kind, new.queue, new.priority));
    assert_eq!((view.args, view.name, view.overrides), (new.args, new.name, new.overrides));
    assert_eq!((view.key, view.cost), (new.key, new.cost));
    assert_eq!(view.budget, [BudgetView { unit: "tokens".into(), amount: 40, spent: 0 }]);
    assert_eq!((view.state, view.created_at_us), (TaskState::Available, FIRST_WALL_US));
}

#[test]
fn a_delayed_task_waits_and_then_runs_in_the_turn_in_which_it_is_due() {
    let mut rig = Rig::memory();
    let turn = rig.turn(&[put(NewTask { delay_us: 5 * SECOND, ..task() })], &[demand(MAIN, 1)]);
    assert_eq!((claims(&turn), turn.next_due), (vec![], Some(FIRST_WALL_US + 5 * SECOND)));
    assert_eq!(rig.view(TaskId(1)).state, TaskState::Scheduled);
    rig.pass(5 * SECOND - 1);
    assert_eq!(claims(&rig.turn(&[], &[])), Vec::<&queue_core::op::Claimed>::new());
    rig.pass(1);
    let turn = rig.turn(&[], &[]);
    assert_eq!((claims(&turn)[0].run.task, turn.next_due), (TaskId(1), None));
    assert_eq!(rig.book.rows().running[&TaskId(1)].wait_us, 0, "it was not available while it was scheduled");
}

#[test]
fn a_turn_fires_a_bounded_number_and_says_that_there_is_more() {
    let mut rig = Rig::memory();
    let later = put(NewTask { delay_us: SECOND, ..task() });
    rig.turn(&vec![later; DUE_MAX as usize + 1], &[]);
    rig.pass(SECOND);
    assert!(rig.turn(&[], &[]).more);
    assert_eq!((rig.count(TaskState::Available), rig.count(TaskState::Scheduled)), (DUE_MAX as i64, 1));
    assert!(!rig.turn(&[], &[]).more);
    assert_eq!(rig.count(TaskState::Scheduled), 0);
}

#[test]
fn a_name_leads_to_the_one_task_that_bears_it() {
    let mut rig = Rig::memory();
    let other = |change: fn(&mut NewTask)| {
        let mut new = named("n");
        change(&mut new);
        put(new)
    };
    let turn = rig.turn(
        &[
            put(named("n")),
            put(named("n")),
            other(|new| new.priority = "bulk".parse().unwrap()),
            other(|new| new.kind = "else".into()),
            other(|new| new.args = vec![]),
            put(named("m")),
            put(task()),
        ],
        &[],
    );
    let taken = || Reply::NameTaken { id: Some(TaskId(1)), index: 0 };
    assert_eq!(turn.replies, [fresh(1), existing(1), existing(1), taken(), taken(), fresh(2), fresh(3)]);
    assert_eq!(rig.ask(other(|_| ())), existing(1), "in a later turn as well");
    assert_eq!(rig.ask(other(|new| new.args = vec![1])), taken());
    assert_eq!(rig.count(TaskState::Available), 3);
}

#[test]
fn a_name_is_held_while_the_task_runs_and_after_its_end() {
    let mut rig = Rig::file();
    rig.enqueue(named("n"));
    let run = rig.run();
    assert_eq!(rig.ask(put(named("n"))), existing(1));
    rig.end(run, Outcome::Ok);
    assert_eq!(rig.ask(put(named("n"))), existing(1));
    rig.next_life();
    assert_eq!(rig.ask(put(named("n"))), existing(1));
}
