//! Where a case stands: a store with an open turn, whichever way it was opened. No case.

use std::ops::{Deref, DerefMut};

use queue_core::op::RunKey;
use queue_core::store::{Durability, Place, Store, StoreError, StoreErrorKind};
use queue_core::task::{NewTask, TaskId};
use tempfile::TempDir;

use crate::values::task;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Opener {
    Memory,
    File,
    /// Closed and opened again at every step of a case.
    Reopened,
}

/// A store within a turn.
pub(crate) struct Bed {
    /// Absent only while it is opened anew: two connections would not be what a next life sees.
    store: Option<Store>,
    place: Place,
    reopened: bool,
    _folder: TempDir,
}

impl Bed {
    fn new(opener: Opener) -> Bed {
        let folder = tempfile::tempdir().unwrap();
        let place = match opener {
            Opener::Memory => Place::Memory,
            Opener::File | Opener::Reopened => Place::File(folder.path().join("queue.db")),
        };
        let mut store = open(&place);
        store.begin().unwrap();
        Bed { store: Some(store), place, reopened: opener == Opener::Reopened, _folder: folder }
    }

    /// Commits, and goes on in a new turn, after a reopening where the opener says so.
    pub(crate) fn step(&mut self) {
        self.commit().unwrap();
        if self.reopened {
            drop(self.store.take());
            self.store = Some(open(&self.place));
        }
        self.begin().unwrap();
    }

    /// A task without a phase.
    pub(crate) fn body(&mut self, id: i64) -> TaskId {
        self.insert_task(TaskId(id), &task(), id * 10, 0).unwrap();
        TaskId(id)
    }

    pub(crate) fn named(&mut self, id: i64, name: &str) -> TaskId {
        let new = NewTask { name: Some(name.into()), ..task() };
        self.insert_task(TaskId(id), &new, 0, 0).unwrap();
        TaskId(id)
    }

    /// A claimable task.
    pub(crate) fn ready(&mut self, id: i64, queue: &str, rank: i64) -> TaskId {
        let new = NewTask { queue: queue.into(), ..task() };
        self.insert_task(TaskId(id), &new, rank, 0).unwrap();
        self.put_ready(queue, rank, TaskId(id), None).unwrap();
        TaskId(id)
    }

    /// A task in its first run.
    pub(crate) fn running(&mut self, id: i64) -> RunKey {
        let task = self.body(id);
        let run = RunKey { task, epoch: 1 };
        self.put_running(run, id * 10, 3, 4).unwrap();
        run
    }
}

impl Deref for Bed {
    type Target = Store;

    fn deref(&self) -> &Store {
        self.store.as_ref().unwrap()
    }
}

impl DerefMut for Bed {
    fn deref_mut(&mut self) -> &mut Store {
        self.store.as_mut().unwrap()
    }
}

fn open(place: &Place) -> Store {
    Store::open(place.clone(), Durability::Normal).unwrap()
}

pub(crate) fn over_every_opener(case: fn(&mut Bed)) {
    for opener in [Opener::Memory, Opener::File, Opener::Reopened] {
        println!("opened as {opener:?}");
        let mut bed = Bed::new(opener);
        case(&mut bed);
        bed.commit().unwrap();
    }
}

/// The kind of the error that a verb must end with.
#[track_caller]
pub(crate) fn refusal<T: std::fmt::Debug>(done: Result<T, StoreError>) -> StoreErrorKind {
    done.unwrap_err().kind
}
