//! Enqueue of a list: all of it, or nothing.

use queue_core::op::{Op, Reply};
use queue_core::state::TaskState;
use queue_core::task::{NewTask, TaskId};

use crate::shorthand::*;

fn other(name: &str) -> NewTask {
    NewTask { args: vec![7], ..named(name) }
}

fn all(ids: &[(i64, bool)]) -> Reply {
    Reply::EnqueuedAll(ids.iter().map(|(id, existing)| (TaskId(*id), *existing)).collect())
}

#[test]
fn each_of_a_list_is_answered_in_its_place() {
    let mut rig = Rig::memory();
    rig.enqueue(named("old"));
    let delayed = NewTask { delay_us: SECOND, ..task() };
    let list = vec![task(), named("old"), named("new"), delayed, named("new"), NewTask { queue: "a".into(), ..task() }];
    let turn = rig.turn(&[Op::EnqueueAll(list), put(task())], &[demand(MAIN, 9)]);
    let want = all(&[(2, false), (1, true), (3, false), (4, false), (3, true), (5, false)]);
    assert_eq!(turn.replies, [want, Reply::Enqueued { id: TaskId(6), existing: false }]);
    let order: Vec<i64> = claims(&turn).iter().map(|claimed| claimed.run.task.0).collect();
    assert_eq!(order, [1, 2, 3, 6], "in the order of the list, in the very turn");
    assert_eq!((rig.count(TaskState::Scheduled), rig.count(TaskState::Available)), (1, 1));
    assert_eq!(rig.ask(Op::EnqueueAll(vec![])), all(&[]));
}

#[test]
fn a_list_that_is_sent_again_finds_what_it_left() {
    let mut rig = Rig::file();
    let list = Op::EnqueueAll(vec![named("a"), named("b"), named("a")]);
    assert_eq!(rig.ask(list.clone()), all(&[(1, false), (2, false), (1, true)]));
    rig.next_life();
    assert_eq!(rig.ask(list), all(&[(1, true), (2, true), (1, true)]));
    assert_eq!(rig.count(TaskState::Available), 2);
}

#[test]
fn a_name_that_is_taken_refuses_the_whole_list() {
    let taken = |id: Option<i64>, index| Reply::NameTaken { id: id.map(TaskId), index };
    for (list, want) in [
        (vec![task(), named("a"), other("old"), other("a")], taken(Some(1), 2)),
        (vec![other("old")], taken(Some(1), 0)),
        (vec![NewTask { kind: "else".into(), ..named("old") }], taken(Some(1), 0)),
        (vec![task(), named("a"), named("old"), other("a")], taken(None, 3)),
        (vec![named("a"), other("a"), other("old")], taken(None, 1)),
        (vec![named("a"), NewTask { kind: "else".into(), ..named("a") }], taken(None, 1)),
    ] {
        let mut rig = Rig::memory();
        rig.enqueue(named("old"));
        let turn = rig.turn(&[Op::EnqueueAll(list.clone()), put(named("next"))], &[]);
        assert_eq!(turn.replies[0], want, "{list:?}");
        assert_eq!(turn.replies[1], Reply::Enqueued { id: TaskId(2), existing: false }, "{list:?}");
        assert_eq!(rig.count(TaskState::Available), 2, "{list:?}: nothing of it was kept");
        assert_eq!(
            rig.ask(put(other("a"))),
            Reply::Enqueued { id: TaskId(3), existing: false },
            "{list:?}: nor a name"
        );
    }
}

#[test]
fn what_the_database_refuses_half_way_leaves_nothing() {
    let mut rig = Rig::file();
    rig.sql("CREATE TRIGGER t BEFORE INSERT ON task WHEN NEW.kind = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END");
    let bad = NewTask { kind: "bad".into(), ..task() };
    let list = vec![named("a"), task(), bad, task()];
    let turn = rig.turn(&[put(task()), Op::EnqueueAll(list), put(other("a"))], &[demand(MAIN, 9)]);
    assert!(matches!(&turn.replies[1], Reply::Refused(error) if error.detail == "no"), "{:?}", turn.replies[1]);
    assert_eq!(turn.replies[2], Reply::Enqueued { id: TaskId(2), existing: false }, "ids and names are free again");
    let order: Vec<i64> = claims(&turn).iter().map(|claimed| claimed.run.task.0).collect();
    assert_eq!(order, [1, 2]);
}

#[test]
fn a_long_list_is_one_turn() {
    let mut rig = Rig::memory();
    let list: Vec<NewTask> = (0..1_000).map(|n| named(&format!("n{}", n % 900))).collect();
    let Reply::EnqueuedAll(ids) = rig.ask(Op::EnqueueAll(list)) else { panic!("refused") };
    let want: Vec<(TaskId, bool)> = (0..1_000).map(|n| (TaskId(n % 900 + 1), n >= 900)).collect();
    assert_eq!(ids, want);
    assert_eq!(rig.count(TaskState::Available), 900);
    assert_eq!(rig.book.rows().next_task, 901);
}
