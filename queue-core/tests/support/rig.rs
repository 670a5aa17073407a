//! One queue under test. Every turn that succeeds is checked whole: the rows among themselves, and the book against them.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use queue_core::book::Book;
use queue_core::op::{Claimed, Demand, Notice, Op, Reply, RunKey};
use queue_core::recover::{Recovered, recover};
use queue_core::state::TaskState;
use queue_core::store::{Durability, Place, Store, StoreError, TaskView};
use queue_core::task::{Now, Outcome, PoolId, TaskId};
use queue_core::tick::{Turn, tick};
use tempfile::TempDir;

use super::values::{FIRST_WALL_US, MAIN, claims, demand, finish, policies, put};

pub struct Rig {
    pub store: Store,
    pub book: Book,
    pub now: Now,
    /// Of the random words.
    pub seed: u64,
    /// Absent: the database is in memory.
    pub folder: Option<TempDir>,
}

impl Rig {
    pub fn memory() -> Rig {
        Rig::over(None)
    }

    pub fn file() -> Rig {
        Rig::over(Some(tempfile::tempdir().unwrap()))
    }

    fn over(folder: Option<TempDir>) -> Rig {
        let now = Now { wall_us: FIRST_WALL_US, mono_us: 77 };
        let mut store = open(folder.as_ref());
        let book = store.book(policies(), now).unwrap();
        Rig { store, book, now, seed: 1, folder }
    }

    /// One turn, unchecked.
    pub fn try_turn(&mut self, ops: &[Op], demand: &[Demand]) -> Result<Turn, StoreError> {
        let seed = &mut self.seed;
        tick(&mut self.store, &mut self.book, ops, demand, self.now, &mut || next_word(seed))
    }

    pub fn turn(&mut self, ops: &[Op], demand: &[Demand]) -> Turn {
        let turn = self.try_turn(ops, demand).unwrap();
        assert_eq!(turn.replies.len(), ops.len(), "one reply for each op");
        self.check();
        turn
    }

    pub fn check(&mut self) {
        assert_eq!(self.store.check_rows().unwrap(), []);
        assert_eq!(self.store.check_book(&self.book).unwrap(), []);
    }

    /// Time goes on, on both clocks.
    pub fn pass(&mut self, us: i64) {
        self.now.wall_us += us;
        self.now.mono_us += us;
    }

    /// A turn of this op alone, and its reply.
    pub fn ask(&mut self, op: Op) -> Reply {
        self.turn(&[op], &[]).replies.remove(0)
    }

    pub fn enqueue(&mut self, new: queue_core::task::NewTask) -> TaskId {
        match self.ask(put(new)) {
            Reply::Enqueued { id, existing: false } => id,
            other => panic!("not enqueued anew: {other:?}"),
        }
    }

    /// Claims exactly `count` tasks for a pool.
    pub fn claim_for(&mut self, pool: PoolId, count: usize) -> Vec<Claimed> {
        let turn = self.turn(&[], &[demand(pool, count as i64)]);
        let claimed: Vec<Claimed> = claims(&turn).into_iter().cloned().collect();
        assert_eq!(claimed.len(), count, "claimed: {claimed:?}");
        claimed
    }

    pub fn claim(&mut self, count: usize) -> Vec<Claimed> {
        self.claim_for(MAIN, count)
    }

    /// Claims the only claimable task.
    pub fn run(&mut self) -> RunKey {
        self.claim(1)[0].run
    }

    /// Ends a run; what is said of it.
    pub fn end(&mut self, run: RunKey, outcome: Outcome) -> Notice {
        let mut turn = self.turn(&[finish(run, outcome)], &[]);
        assert_eq!(turn.replies, [Reply::Applied]);
        assert_eq!(turn.notices.len(), 1, "{:?}", turn.notices);
        turn.notices.remove(0)
    }

    pub fn view(&mut self, id: TaskId) -> TaskView {
        self.store.task(id).unwrap().unwrap()
    }

    pub fn count(&self, state: TaskState) -> i64 {
        self.book.rows().counts.get(state)
    }

    /// A next life on the same rows, not yet recovered: the monotonic clock starts anew.
    pub fn restart(&mut self) {
        if self.folder.is_some() {
            self.store = open(self.folder.as_ref());
        }
        self.now.mono_us = 5;
        self.book = self.store.book(policies(), self.now).unwrap();
        self.check();
    }

    pub fn try_recover(&mut self) -> Result<Recovered, StoreError> {
        let seed = &mut self.seed;
        recover(&mut self.store, &mut self.book, self.now, &mut || next_word(seed))
    }

    /// A next life, recovered.
    pub fn next_life(&mut self) -> Recovered {
        self.restart();
        let recovered = self.try_recover().unwrap();
        self.check();
        recovered
    }

    /// Runs SQL on the file beside the store.
    pub fn sql(&self, text: &str) {
        let path = self.folder.as_ref().unwrap().path().join(FILE);
        let mut beside = SqliteConnection::establish(&path.to_string_lossy()).unwrap();
        beside.batch_execute(text).unwrap();
    }
}

const FILE: &str = "queue.db";

fn open(folder: Option<&TempDir>) -> Store {
    let place = folder.map_or(Place::Memory, |folder| Place::File(folder.path().join(FILE)));
    // No test cuts the power, and syncs would be all that it waits for.
    Store::open(place, Durability::Normal).unwrap()
}

fn next_word(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed
}
