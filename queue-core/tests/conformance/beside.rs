//! A reader beside the writer: what it sees is always whole. Only for a database on a file.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use queue_core::op::RunKey;
use queue_core::store::{Durability, Filter, Place, Reader, Store};
use queue_core::task::TaskId;

use crate::values::task;

/// Each is two moves, from ready to running and back; a look that is not whole falls between two reads of it sooner.
const ROUNDS: usize = 2_000;

#[test]
fn a_task_on_the_move_is_seen_in_some_phase() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.db");
    let mut store = Store::open(Place::File(path.clone()), Durability::Normal).unwrap();
    let id = TaskId(1);
    store.begin().unwrap();
    store.insert_task(id, &task(), 5, 0).unwrap();
    store.put_ready("q", 5, id).unwrap();
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

fn round(store: &mut Store, id: TaskId) {
    let run = RunKey { task: id, epoch: 1 };
    store.begin().unwrap();
    store.take_ready("q", 5, id).unwrap();
    store.put_running(run, 5, 0, 0).unwrap();
    store.commit().unwrap();
    store.begin().unwrap();
    assert!(store.take_running(run).unwrap());
    store.put_ready("q", 5, id).unwrap();
    store.commit().unwrap();
}
