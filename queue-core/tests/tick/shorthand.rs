//! What the cases of the tick say again and again. No case.

use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use queue_core::op::{Claimed, Notice, Op, Reply, RunKey};
use queue_core::state::TaskState;
use queue_core::store::Place;
use queue_core::task::{NewTask, Outcome, PoolId, TaskId};
use queue_core::tick::Turn;

pub(crate) use crate::support::border::*;
pub(crate) use crate::support::rig::{FIRST_WALL_US, Rig};
pub(crate) use crate::support::values::task;

/// The task of a queue that has only one.
pub(crate) const FIRST: TaskId = TaskId(1);

pub(crate) fn put(new: NewTask) -> Op {
    Op::Enqueue(new)
}

pub(crate) fn named(name: &str) -> NewTask {
    NewTask { name: Some(name.into()), ..task() }
}

/// The claims of a turn, in their order.
pub(crate) fn claims(turn: &Turn) -> Vec<&Claimed> {
    let claimed = turn.notices.iter().filter_map(|notice| match notice {
        Notice::Claimed(claimed) => Some(claimed),
        _ => None,
    });
    claimed.collect()
}

/// A queue with one task, brought into `state`.
pub(crate) fn standing_in(state: TaskState) -> Rig {
    let mut rig = Rig::memory();
    let delay_us = if state == TaskState::Scheduled { SECOND } else { 0 };
    rig.enqueue(NewTask { delay_us, ..task() });
    let end = match state {
        TaskState::Completed => Some(Outcome::Ok),
        TaskState::Cancelled => Some(Outcome::Cancelled),
        TaskState::Retryable | TaskState::Failed => Some(Outcome::Error),
        TaskState::Scheduled | TaskState::Available | TaskState::Running => None,
    };
    if end.is_some() || state == TaskState::Running {
        let mut run = rig.run();
        while let Some(outcome) = end {
            rig.end(run, outcome);
            if rig.view(FIRST).state == state {
                break;
            }
            rig.pass(3_600 * SECOND);
            run = rig.run();
        }
    }
    assert_eq!(rig.view(FIRST).state, state);
    rig
}

impl Rig {
    /// A turn of this op alone, and its reply.
    pub(crate) fn ask(&mut self, op: Op) -> Reply {
        self.turn(&[op], &[]).replies.remove(0)
    }

    pub(crate) fn enqueue(&mut self, new: NewTask) -> TaskId {
        match self.ask(put(new)) {
            Reply::Enqueued { id, existing: false } => id,
            other => panic!("not enqueued anew: {other:?}"),
        }
    }

    /// Claims exactly `count` tasks for a pool.
    pub(crate) fn claim_for(&mut self, pool: PoolId, count: usize) -> Vec<Claimed> {
        let turn = self.turn(&[], &[demand(pool, count as i64)]);
        let claimed: Vec<Claimed> = claims(&turn).into_iter().cloned().collect();
        assert_eq!(claimed.len(), count, "claimed: {claimed:?}");
        claimed
    }

    pub(crate) fn claim(&mut self, count: usize) -> Vec<Claimed> {
        self.claim_for(MAIN, count)
    }

    /// Claims the next task.
    pub(crate) fn run(&mut self) -> RunKey {
        self.claim(1)[0].run
    }

    /// Ends a run; what is said of it.
    pub(crate) fn end(&mut self, run: RunKey, outcome: Outcome) -> Notice {
        let mut turn = self.turn(&[finish(run, outcome)], &[]);
        assert_eq!(turn.replies, [Reply::Applied]);
        assert_eq!(turn.notices.len(), 1, "{:?}", turn.notices);
        turn.notices.remove(0)
    }

    pub(crate) fn count(&self, state: TaskState) -> i64 {
        self.book.rows().counts.get(state)
    }

    pub(crate) fn path(&self) -> &Path {
        let Place::File(path) = &self.place else { panic!("there is no file") };
        path
    }

    /// Runs SQL on the file, beside the store.
    pub(crate) fn sql(&self, text: &str) {
        let mut beside = SqliteConnection::establish(&self.path().to_string_lossy()).unwrap();
        beside.batch_execute(text).unwrap();
    }
}
