//! Applies one op of a turn: which op is whose, and the rows of workers. A refusal is a reply; an error is the database's.

use super::Turning;
use crate::op::{Op, Reply, WorkerRow};
use crate::store::StoreError;
use crate::task::WorkerId;

impl Turning<'_> {
    pub(super) fn apply(&mut self, op: &Op) -> Result<Reply, StoreError> {
        match op {
            Op::Enqueue(new) => self.enqueue_one(new),
            Op::EnqueueAll(list) => self.enqueue_all(list),
            Op::Cancel(id) => self.cancel(*id),
            Op::Retry(id) => self.retry(*id),
            Op::Reprioritise { id, priority } => self.reprioritise(*id, *priority),
            Op::Pause { queue, key, for_us, reason } => self.pause(queue, key.as_deref(), *for_us, reason),
            Op::Resume { queue, key } => self.resume(queue, key.as_deref()),
            Op::Finish { run, ending, refill } => self.finish(*run, ending, *refill),
            Op::Note { run, note } => self.note(*run, note),
            Op::Log { run, log } => self.log(*run, log),
            Op::WorkerUp(row) => self.worker_up(row),
            Op::WorkerGone(id) => self.worker_gone(*id),
            Op::Offer { pool, kinds } => self.offer(pool, kinds),
        }
    }

    fn worker_up(&mut self, row: &WorkerRow) -> Result<Reply, StoreError> {
        self.store.put_worker(row, self.now.wall_us)?;
        self.over.next_worker = self.over.next_worker.max(row.id.0 + 1);
        self.over.dirty = true;
        Ok(Reply::Applied)
    }

    fn worker_gone(&mut self, id: WorkerId) -> Result<Reply, StoreError> {
        self.store.drop_worker(id)?;
        self.over.dirty = true;
        Ok(Reply::Applied)
    }

    fn offer(&mut self, pool: &str, kinds: &[String]) -> Result<Reply, StoreError> {
        self.store.put_offer(pool, kinds)?;
        self.over.dirty = true;
        Ok(Reply::Applied)
    }
}
