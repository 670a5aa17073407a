//! One queue under test. Every turn that succeeds is checked whole: the rows among themselves, and the book against them.

use queue_core::book::Book;
use queue_core::op::{Demand, Op};
use queue_core::policy::Policies;
use queue_core::reconfigure::{Progress, reconfigure};
use queue_core::recover::{Recovered, recover};
use queue_core::store::{Durability, Place, Store, StoreError, TaskView};
use queue_core::task::{Now, TaskId};
use queue_core::tick::{Turn, tick};
use tempfile::TempDir;

use super::border::SECOND;
use super::values::policies;

/// Where the wall clock of every test begins.
pub(crate) const FIRST_WALL_US: i64 = 1_800_000_000 * SECOND;

pub(crate) struct Rig {
    pub(crate) store: Store,
    pub(crate) book: Book,
    pub(crate) now: Now,
    pub(crate) place: Place,
    /// Of the next life.
    pub(crate) policies: Policies,
    /// Of the file, when there is one: gone with the rig.
    _folder: Option<TempDir>,
    /// Of the random words.
    seed: u64,
}

impl Rig {
    pub(crate) fn memory() -> Rig {
        Rig::at(Place::Memory, None)
    }

    pub(crate) fn file() -> Rig {
        Rig::within(tempfile::tempdir().unwrap())
    }

    /// On the file `queue.db` of a folder, new or not.
    pub(crate) fn within(folder: TempDir) -> Rig {
        Rig::at(Place::File(folder.path().join("queue.db")), Some(folder))
    }

    fn at(place: Place, _folder: Option<TempDir>) -> Rig {
        let now = Now { wall_us: FIRST_WALL_US, mono_us: 77 };
        let mut store = open(&place);
        let book = store.book(policies(), now).unwrap();
        Rig { store, book, now, place, policies: policies(), _folder, seed: 1 }
    }

    /// A next life under other policies.
    pub(crate) fn under(mut self, policies: Policies) -> Rig {
        self.policies = policies;
        self.next_life();
        self
    }

    /// One turn, unchecked.
    pub(crate) fn try_turn(&mut self, ops: &[Op], demand: &[Demand]) -> Result<Turn, StoreError> {
        let seed = &mut self.seed;
        tick(&mut self.store, &mut self.book, ops, demand, self.now, &mut || next_word(seed))
    }

    pub(crate) fn turn(&mut self, ops: &[Op], demand: &[Demand]) -> Turn {
        let turn = self.try_turn(ops, demand).unwrap();
        assert_eq!(turn.replies.len(), ops.len(), "one reply for each op");
        self.check();
        turn
    }

    pub(crate) fn check(&mut self) {
        assert_eq!(self.store.check_rows().unwrap(), []);
        assert_eq!(self.store.check_book(&self.book).unwrap(), []);
    }

    /// Time goes on, on both clocks.
    pub(crate) fn pass(&mut self, us: i64) {
        self.now.wall_us += us;
        self.now.mono_us += us;
    }

    pub(crate) fn view(&mut self, id: TaskId) -> TaskView {
        self.store.task(id).unwrap().unwrap()
    }

    /// A next life on the same rows, not yet recovered: the monotonic clock starts anew.
    pub(crate) fn restart(&mut self) {
        if self.place != Place::Memory {
            self.store = open(&self.place);
        }
        self.now.mono_us = 5;
        self.book = self.store.book(self.policies.clone(), self.now).unwrap();
        self.check();
    }

    pub(crate) fn try_recover(&mut self) -> Result<Recovered, StoreError> {
        let seed = &mut self.seed;
        recover(&mut self.store, &mut self.book, self.now, &mut || next_word(seed))
    }

    /// The same life goes on under other policies. Gives the steps that it took.
    pub(crate) fn reconfigure(&mut self, policies: Policies) -> usize {
        let seed = &mut self.seed;
        let mut rng = || next_word(seed);
        let mut steps = 1;
        while reconfigure(&mut self.store, &mut self.book, &policies, self.now, &mut rng).unwrap() == Progress::More {
            steps += 1;
        }
        self.policies = policies;
        self.check();
        steps
    }

    /// A next life, recovered.
    pub(crate) fn next_life(&mut self) -> Recovered {
        self.restart();
        let recovered = self.try_recover().unwrap();
        self.check();
        recovered
    }
}

fn open(place: &Place) -> Store {
    // No test cuts the power, and syncs would be all that it waits for.
    Store::open(place.clone(), Durability::Normal).unwrap()
}

fn next_word(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed
}
