//! A reader beside the writer: what it sees is always whole. Only for a database on a file.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use queue_core::op::RunKey;
use queue_core::state::TaskState;
use queue_core::store::{Durability, Filter, FinalFacts, Place, Reader, Store};
use queue_core::task::TaskId;

use crate::values::task;

/// Each is two moves, from ready to running and back; a look that is not whole falls between two reads of it sooner.
const ROUNDS: usize = 2_000;
/// Of a walk beside the writer: so many tasks come and go.
const WALK_ROUNDS: i64 = 1_000;
/// Tasks that stay where they are meanwhile.
const STAY: i64 = 20;

#[test]
fn a_task_on_the_move_is_seen_in_some_phase() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.db");
    let mut store = Store::open(Place::File(path.clone()), Durability::Normal).unwrap();
    let id = TaskId(1);
    store.begin().unwrap();
    store.insert_task(id, &task(), 5, 0).unwrap();
    store.put_ready("q", 5, id, None).unwrap();
    store.commit().unwrap();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..ROUNDS {
                round(&mut store, id);
            }
            is_over.store(true, Ordering::SeqCst);
        });
        let mut reader = Reader::open(&path).unwrap();
        while !is_over.load(Ordering::SeqCst) {
            assert!(reader.task(id).unwrap().is_some());
            assert_eq!(reader.list(&Filter::default(), None, 1).unwrap().tasks.len(), 1);
        }
    });
}

/// The writer adds at both ends of the list, ends what is in the middle and prints; the reader walks and reads beside it.
#[test]
fn a_walk_and_a_log_beside_the_writer_are_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.db");
    let mut store = Store::open(Place::File(path.clone()), Durability::Normal).unwrap();
    let run = RunKey { task: TaskId(1), epoch: 1 };
    store.begin().unwrap();
    for id in 1..=STAY {
        store.insert_task(TaskId(id), &task(), 2 * id, 0).unwrap();
        store.put_ready("q", 2 * id, TaskId(id), None).unwrap();
    }
    store.commit().unwrap();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..WALK_ROUNDS {
                come_and_go(&mut store, STAY + 1 + round, round % (2 * STAY) + 1);
                print_twice(&mut store, run, round);
            }
            is_over.store(true, Ordering::SeqCst);
        });
        let mut reader = Reader::open(&path).unwrap();
        while !is_over.load(Ordering::SeqCst) {
            let met: Vec<i64> = walk(&mut reader).into_iter().filter(|id| *id <= STAY).collect();
            assert_eq!(met, (1..=STAY).collect::<Vec<_>>(), "each that stays, once, in order");
            let parts = reader.log(run.task, 1, false, (0, 0)).unwrap();
            let numbers: Vec<(i64, &[u8])> = parts.iter().map(|part| (part.part, part.bytes.as_slice())).collect();
            let Some((first, bytes)) = numbers.first().copied() else { continue };
            assert_eq!(numbers, [(first, bytes), (first + 1, bytes)], "two parts of one commit");
        }
    });
}

/// The claimable of a queue, in pages of three.
fn walk(reader: &mut Reader) -> Vec<i64> {
    let filter = Filter { state: Some(TaskState::Available), ..Filter::default() };
    let (mut ids, mut next) = (Vec::new(), None);
    loop {
        let page = reader.list(&filter, next.as_ref(), 3).unwrap();
        ids.extend(page.tasks.iter().map(|view| view.id.0));
        next = page.next;
        if next.is_none() {
            return ids;
        }
    }
}

/// A task that is claimable between two commits.
fn come_and_go(store: &mut Store, id: i64, rank: i64) {
    store.begin().unwrap();
    store.insert_task(TaskId(id), &task(), rank, 0).unwrap();
    store.put_ready("q", rank, TaskId(id), None).unwrap();
    store.commit().unwrap();
    store.begin().unwrap();
    store.take_ready("q", rank, TaskId(id)).unwrap();
    store.put_final(TaskId(id), TaskState::Cancelled, None, FinalFacts::default()).unwrap();
    store.commit().unwrap();
}

/// Two parts in the place of the last two.
fn print_twice(store: &mut Store, run: RunKey, round: i64) {
    store.begin().unwrap();
    store.drop_log(run, 0..2 * round).unwrap();
    for part in [2 * round, 2 * round + 1] {
        store.put_log(run, part, &round.to_be_bytes()).unwrap();
    }
    store.commit().unwrap();
}

fn round(store: &mut Store, id: TaskId) {
    let run = RunKey { task: id, epoch: 1 };
    store.begin().unwrap();
    store.take_ready("q", 5, id).unwrap();
    store.put_running(run, 5, 0, 0).unwrap();
    store.commit().unwrap();
    store.begin().unwrap();
    assert!(store.take_running(run).unwrap());
    store.put_ready("q", 5, id, None).unwrap();
    store.commit().unwrap();
}
