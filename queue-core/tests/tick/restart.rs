//! A next life on the same rows: what ran is lost and back in line before anything is claimed, and no id comes twice.

use queue_core::op::{Op, Reply, RunKey, WorkerRow};
use queue_core::recover::Recovered;
use queue_core::state::{FailReason, TaskState};
use queue_core::task::{NewTask, Outcome, TaskId, WorkerId};

use crate::shorthand::*;

fn worker(id: i64) -> WorkerRow {
    WorkerRow {
        id: WorkerId(id),
        pool: "main".into(),
        pid: 100 + id as i32,
        start_time: 5,
        boot_id: "b".into(),
        tag: "t".into(),
    }
}

#[test]
fn what_ran_is_back_in_line_and_its_workers_are_forgotten() {
    let mut rig = Rig::file();
    rig.turn(&[put(task()), put(task()), put(task()), Op::WorkerUp(worker(1)), Op::WorkerUp(worker(2))], &[]);
    let old = rig.claim(2);
    rig.restart();
    assert_eq!(rig.store.workers().unwrap(), [worker(1), worker(2)], "to be killed before the recovery");
    assert_eq!(rig.try_recover().unwrap(), Recovered { runs: 2, workers: 2 });
    rig.check();
    assert_eq!((rig.count(TaskState::Running), rig.count(TaskState::Available)), (0, 3));
    assert_eq!(rig.store.workers().unwrap(), []);
    for claimed in &old {
        let attempts = rig.store.attempts(claimed.run.task).unwrap();
        assert_eq!((attempts[0].epoch, attempts[0].outcome), (1, Outcome::Lost));
        assert_eq!(rig.ask(finish(claimed.run, Outcome::Ok)), Reply::Stale, "an answer of the former life");
    }
    let keys: Vec<RunKey> = rig.claim(3).iter().map(|claimed| claimed.run).collect();
    let run = |task, epoch| RunKey { task: TaskId(task), epoch };
    assert_eq!(keys, [run(1, 2), run(2, 2), run(3, 1)], "under new epochs, in their old places");
}

#[test]
fn recovery_claims_nothing_whatever_credits_there_were() {
    let mut rig = Rig::file();
    rig.turn(&[put(task()), put(NewTask { delay_us: SECOND, ..task() })], &[demand(MAIN, 9)]);
    rig.pass(SECOND);
    assert_eq!(rig.next_life().runs, 1);
    let counts = [TaskState::Running, TaskState::Available, TaskState::Scheduled].map(|state| rig.count(state));
    assert_eq!(counts, [0, 1, 1], "what is due fires in the first turn");
}

#[test]
fn more_than_one_turn_of_lost_runs_is_recovered() {
    let mut rig = Rig::memory();
    let count = 1_001;
    rig.turn(&vec![put(task()); count], &[demand(MAIN, count as i64)]);
    rig.turn(&[], &[]);
    assert_eq!(rig.count(TaskState::Running), count as i64);
    assert_eq!(rig.next_life().runs, count);
    assert_eq!(rig.count(TaskState::Available), count as i64);
}

#[test]
fn a_task_that_takes_every_life_down_is_poison() {
    let mut rig = Rig::memory();
    let id = rig.enqueue(task());
    for _ in 0..14 {
        rig.run();
        rig.next_life();
        assert_eq!(rig.view(id).state, TaskState::Available);
    }
    rig.run();
    rig.next_life();
    assert_eq!((rig.view(id).state, rig.view(id).reason), (TaskState::Failed, Some(FailReason::Crashes)));
}

#[test]
fn a_recovery_that_the_database_refuses_is_an_error() {
    let mut rig = Rig::file();
    let id = rig.enqueue(task());
    rig.run();
    rig.sql("CREATE TRIGGER t BEFORE INSERT ON attempt BEGIN SELECT RAISE(ABORT, 'no'); END");
    rig.restart();
    assert_eq!(rig.try_recover().unwrap_err().detail, "no");
    rig.sql("DROP TRIGGER t");
    assert_eq!(rig.next_life().runs, 1);
    assert_eq!(rig.view(id).state, TaskState::Available);
}

#[test]
fn ids_go_on_where_the_former_life_left_them() {
    let mut rig = Rig::file();
    for id in [1, 2] {
        assert_eq!(rig.enqueue(task()), TaskId(id));
        rig.ask(Op::Cancel(TaskId(id)));
        rig.ask(Op::WorkerUp(worker(id)));
        rig.ask(Op::WorkerGone(WorkerId(id)));
        rig.next_life();
    }
    assert_eq!((rig.book.rows().next_task, rig.book.rows().next_worker), (3, 3));
    rig.sql("CREATE TRIGGER t BEFORE UPDATE ON store BEGIN SELECT RAISE(ABORT, 'no'); END");
    rig.try_turn(&[put(task())], &[]).unwrap_err();
    rig.sql("DROP TRIGGER t");
    assert_eq!(rig.book.rows().next_task, 3, "an id that nobody was told is no id");
    rig.restart();
    assert_eq!(rig.enqueue(task()), TaskId(3));
}

#[test]
fn what_a_pool_offered_is_known_to_the_next_life() {
    let mut rig = Rig::file();
    let offer =
        |kinds: &[&str]| Op::Offer { pool: "main".into(), kinds: kinds.iter().map(|kind| (*kind).into()).collect() };
    let turn = rig.turn(&[offer(&["old", "resize"]), offer(&["resize"])], &[]);
    assert_eq!(turn.replies, [Reply::Applied, Reply::Applied]);
    rig.next_life();
    assert_eq!(rig.store.offers().unwrap(), [("main".to_owned(), "resize".to_owned())]);
}

#[test]
fn ops_alone_let_nothing_fire_and_nothing_be_claimed() {
    let mut rig = Rig::file();
    rig.turn(&[put(NewTask { delay_us: 1, ..task() })], &[demand(MAIN, 5)]);
    rig.pass(10);
    let (store, book, now) = (&mut rig.store, &mut rig.book, rig.now);
    let replies = queue_core::tick::apply(store, book, &[put(task())], now, &mut || 7).unwrap();
    assert_eq!(replies, [Reply::Enqueued { id: TaskId(2), existing: false }]);
    rig.check();
    let counts = [TaskState::Scheduled, TaskState::Available, TaskState::Running].map(|state| rig.count(state));
    assert_eq!(counts, [1, 1, 0]);
}
