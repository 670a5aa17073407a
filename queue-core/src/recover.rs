//! The first turns of a new life: every task stands in line by the order of now, and every run that a former life left is
//! ended as `lost`, before anything is claimed.
//!
//! To be called only when the processes of the former life are proven dead: kill before requeue.

use crate::book::Book;
use crate::op::{Op, Reply};
use crate::store::{Store, StoreError};
use crate::task::{Ending, Now, Outcome};
use crate::tick::{Rng, apply, line_up};

/// Ops of one recovery turn, so that no transaction grows without a limit.
const OPS_MAX: usize = 1_000;

/// What a former life left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    pub runs: usize,
    pub workers: usize,
}

pub fn recover(store: &mut Store, book: &mut Book, now: Now, rng: Rng<'_>) -> Result<Recovered, StoreError> {
    while line_up(store, book, now, &mut *rng)? > 0 {}
    let lost = |run| Op::Finish {
        run,
        ending: Ending::bare(Outcome::Lost, "the supervisor ended while this run was going on"),
        refill: None,
    };
    let running = book.rows().running.iter();
    let mut ops: Vec<Op> =
        running.map(|(id, run)| lost(crate::op::RunKey { task: *id, epoch: run.tally.epoch })).collect();
    let runs = ops.len();
    let workers = store.workers()?;
    ops.extend(workers.iter().map(|row| Op::WorkerGone(row.id)));
    for batch in ops.chunks(OPS_MAX) {
        for reply in apply(store, book, batch, now, rng)? {
            // A lost run that stayed would be taken for a live one for ever.
            if let Reply::Refused(error) = reply {
                return Err(error);
            }
        }
    }
    Ok(Recovered { runs, workers: workers.len() })
}
