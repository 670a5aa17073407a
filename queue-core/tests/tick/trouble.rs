//! What the database refuses: one op alone, or the turn whole; and that the first error is the one that is told.
//!
//! Triggers play the failing database: their texts are classified as SQLite's own would be.

use queue_core::op::{Op, Reply, WorkerRow};
use queue_core::state::TaskState;
use queue_core::store::{Filter, StoreError, StoreErrorKind};
use queue_core::task::{Outcome, TaskId, WorkerId};

use crate::shorthand::*;

/// Refuses the rows of `table` for which `when` holds, as `how` (`ABORT` or `ROLLBACK`), saying `text`.
fn trap(rig: &Rig, table: &str, when: &str, how: &str, text: &str) {
    rig.sql(&format!("CREATE TRIGGER t BEFORE INSERT ON {table} WHEN {when} BEGIN SELECT RAISE({how}, '{text}'); END"));
}

fn untrap(rig: &Rig) {
    rig.sql("DROP TRIGGER t");
}

fn refused(reply: &Reply) -> Option<&StoreError> {
    match reply {
        Reply::Refused(error) => Some(error),
        _ => None,
    }
}

fn worker() -> Op {
    let (pool, boot_id, tag) = ("main".into(), "b".into(), "t".into());
    Op::WorkerUp(WorkerRow { id: WorkerId(1), pool, pid: 1, start_time: 1, boot_id, tag })
}

/// Asserts that a turn fails whole, with `kind`, and leaves rows and book as they were.
fn fails_whole(rig: &mut Rig, ops: &[Op], credits: i64, kind: StoreErrorKind, text: &str) {
    let (book, tasks) = (rig.book.clone(), rig.store.list(&Filter::default(), None, 100).unwrap());
    let error = rig.try_turn(ops, &[demand(MAIN, credits)]).unwrap_err();
    assert_eq!((error.kind, error.detail.as_str()), (kind, text));
    assert_eq!(rig.book, book);
    assert_eq!(rig.store.list(&Filter::default(), None, 100).unwrap(), tasks);
    rig.check();
}

#[test]
fn an_op_that_is_refused_is_refused_alone() {
    let mut rig = Rig::file();
    rig.enqueue(task());
    let run = rig.run();
    let ops = [put(task()), worker(), worker(), finish(run, Outcome::Ok), put(named("n")), put(named("n"))];
    let turn = rig.turn(&ops, &[demand(MAIN, 1)]);
    let new = |id, existing| Reply::Enqueued { id: TaskId(id), existing };
    let error = refused(&turn.replies[2]).unwrap();
    assert_eq!(
        (error.kind, error.detail.as_str()),
        (StoreErrorKind::Constraint, "UNIQUE constraint failed: worker.id")
    );
    assert_eq!(turn.replies[..2], [new(2, false), Reply::Applied]);
    assert_eq!(turn.replies[3..], [Reply::Applied, new(3, false), new(3, true)]);
    assert_eq!(claims(&turn)[0].run.task, TaskId(2), "and the turn goes on");
    assert_eq!(rig.store.workers().unwrap().len(), 1);
}

#[test]
fn nothing_is_kept_of_an_enqueue_that_is_refused_half_way() {
    let mut rig = Rig::file();
    trap(&rig, "name", "NEW.name = 'bad'", "ABORT", "no");
    let turn = rig.turn(&[put(named("good")), put(named("bad")), put(named("fine"))], &[demand(MAIN, 3)]);
    assert_eq!(refused(&turn.replies[1]).unwrap().detail, "no");
    assert_eq!(turn.replies[2], Reply::Enqueued { id: TaskId(2), existing: false }, "its id was told to nobody");
    let running: Vec<_> = claims(&turn).iter().map(|claimed| claimed.run.task.0).collect();
    assert_eq!(running, [1, 2]);
}

#[test]
fn a_run_whose_end_is_refused_is_live_until_it_is_told_again() {
    let mut rig = Rig::file();
    rig.turn(&[put(task()), put(task())], &[]);
    let runs = rig.claim(2);
    trap(&rig, "attempt", "NEW.task = 1", "ABORT", "no");
    let ends = [finish(runs[0].run, Outcome::Error), finish(runs[1].run, Outcome::Error)];
    let turn = rig.turn(&ends, &[]);
    assert!(refused(&turn.replies[0]).is_some());
    assert_eq!((turn.replies[1].clone(), turn.notices.len()), (Reply::Applied, 1));
    assert_eq!(rig.count(TaskState::Running), 1);
    untrap(&rig);
    assert_eq!(rig.ask(ends[0].clone()), Reply::Applied);
}

#[test]
fn an_error_outside_of_the_ops_undoes_the_turn() {
    let mut rig = Rig::file();
    rig.enqueue(task());
    trap(&rig, "running", "1", "ABORT", "no");
    fails_whole(&mut rig, &[put(named("n"))], 1, StoreErrorKind::Other, "no");
    fails_whole(&mut rig, &[], 1, StoreErrorKind::Other, "no");
    untrap(&rig);
    assert_eq!(rig.claim(1)[0].run.task, TaskId(1), "the next turn is as good as any");
}

#[test]
fn the_first_error_is_told_when_sqlite_has_rolled_back_by_itself() {
    let mut rig = Rig::file();
    rig.enqueue(task());
    trap(&rig, "name", "NEW.name = 'bad'", "ROLLBACK", "first");
    fails_whole(&mut rig, &[put(task()), put(named("bad")), put(task())], 1, StoreErrorKind::Other, "first");
    untrap(&rig);
    assert_eq!(rig.enqueue(task()), TaskId(2));
}

#[test]
fn a_full_disk_refuses_the_turn_and_not_the_op() {
    let mut rig = Rig::file();
    trap(&rig, "name", "1", "ABORT", "database or disk is full");
    fails_whole(&mut rig, &[put(task()), put(named("n"))], 1, StoreErrorKind::Full, "database or disk is full");
}

#[test]
fn a_commit_that_fails_undoes_the_turn() {
    let mut rig = Rig::file();
    rig.sql(
        "CREATE TABLE parent (id INTEGER PRIMARY KEY);
         CREATE TABLE child (id INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
         CREATE TRIGGER t AFTER INSERT ON task BEGIN INSERT INTO child VALUES (NEW.id); END",
    );
    fails_whole(&mut rig, &[put(task())], 1, StoreErrorKind::Constraint, "FOREIGN KEY constraint failed");
    untrap(&rig);
    assert_eq!(rig.enqueue(task()), TaskId(1));
}

#[test]
fn after_doubt_the_next_turn_runs_on_a_new_connection() {
    let mut rig = Rig::file();
    rig.enqueue(task());
    trap(&rig, "name", "1", "ABORT", "disk I/O error");
    fails_whole(&mut rig, &[put(named("n"))], 1, StoreErrorKind::Io, "disk I/O error");
    untrap(&rig);
    assert_eq!(rig.enqueue(named("n")), TaskId(2));
}

#[test]
fn the_first_error_is_told_when_the_file_cannot_be_opened_anew() {
    let mut rig = Rig::file();
    trap(&rig, "name", "1", "ABORT", "disk I/O error");
    std::fs::remove_dir_all(rig.path().parent().unwrap()).unwrap();
    let error = rig.try_turn(&[put(named("n"))], &[]).unwrap_err();
    assert_eq!((error.kind, error.detail.as_str()), (StoreErrorKind::Io, "disk I/O error"));
}
