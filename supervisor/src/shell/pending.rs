//! What waits for the writer, in the order of arrival. One batch is out at most; its callers are kept here until it is
//! answered. No thread, no channel: only the bookkeeping.

use std::collections::VecDeque;

use queue_core::op::{Demand, Op, Reply};
use queue_core::store::{StoreError, StoreErrorKind};
use queue_core::task::Now;
use tokio::sync::oneshot;

use super::handle::{REQUESTS_MAX, Unavailable};
use super::writer::Batch;

/// Ops of one turn.
const BATCH_OPS_MAX: usize = 1_000;
/// Args, results and output of one turn.
const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;

pub type Caller = oneshot::Sender<Result<Reply, Unavailable>>;

#[derive(Default)]
pub struct Pending {
    ops: VecDeque<(Op, Option<Caller>)>,
    demand: Vec<Demand>,
    /// Of the batch that is out, one for each of its ops.
    out: Option<Vec<Option<Caller>>>,
}

impl Pending {
    pub fn push(&mut self, op: Op, caller: Option<Caller>) {
        self.ops.push_back((op, caller));
    }

    pub fn demand(&mut self, demand: Demand) {
        self.demand.push(demand);
    }

    /// Whether callers may hand in more. What the machine hands in has always room: it is bounded by its workers.
    pub fn has_room(&self) -> bool {
        self.ops.len() < REQUESTS_MAX
    }

    pub fn is_idle(&self) -> bool {
        self.out.is_none()
    }

    pub fn is_empty(&self) -> bool {
        self.ops.is_empty() && self.demand.is_empty()
    }

    /// What is not yet with the writer.
    pub fn ops(&self) -> impl Iterator<Item = &Op> {
        self.ops.iter().map(|(op, _)| op)
    }

    /// Takes the next batch out. It is to be settled or put back.
    pub fn take(&mut self, now: Now) -> Batch {
        let mut batch = Batch { ops: Vec::new(), demand: std::mem::take(&mut self.demand), now };
        let (mut callers, mut bytes) = (Vec::new(), 0);
        while batch.ops.len() < BATCH_OPS_MAX && bytes < BATCH_BYTES_MAX {
            let Some((op, caller)) = self.ops.pop_front() else { break };
            bytes += size_bytes(&op);
            batch.ops.push(op);
            callers.push(caller);
        }
        self.out = Some(callers);
        batch
    }

    /// The batch is committed: its callers get their replies.
    pub fn settle(&mut self, replies: Vec<Reply>) {
        for (caller, reply) in self.out.take().into_iter().flatten().zip(replies) {
            answer(caller, Ok(reply));
        }
    }

    /// Nothing of the batch was done: it waits again, before all others. With a full disk new tasks are refused.
    pub fn put_back(&mut self, batch: Batch, why: &StoreError) {
        let callers = self.out.take().unwrap_or_default();
        for (op, caller) in batch.ops.into_iter().zip(callers).rev() {
            if why.kind == StoreErrorKind::Full && matches!(op, Op::Enqueue(_)) {
                answer(caller, Err(Unavailable::Full(why.to_string())));
            } else {
                self.ops.push_front((op, caller));
            }
        }
        self.demand.splice(0..0, batch.demand);
    }

    /// No more of this: the callers that still wait are told why.
    pub fn give_up(&mut self, why: &Unavailable) {
        let waiting = self.ops.drain(..).map(|(_, caller)| caller);
        for caller in self.out.take().unwrap_or_default().into_iter().chain(waiting) {
            answer(caller, Err(why.clone()));
        }
    }
}

fn answer(caller: Option<Caller>, answer: Result<Reply, Unavailable>) {
    if let Some(caller) = caller {
        // Who has hung up does not need it; the op is done all the same.
        let _ = caller.send(answer);
    }
}

fn size_bytes(op: &Op) -> usize {
    match op {
        Op::Enqueue(new) => new.args.len(),
        Op::Finish { ending, .. } => ending.result.len() + ending.output.len(),
        Op::Cancel(_) | Op::WorkerUp(_) | Op::WorkerGone(_) | Op::Offer { .. } => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use queue_core::task::{NewTask, PoolId, TaskId};

    fn enqueue(bytes: usize) -> Op {
        Op::Enqueue(NewTask { args: vec![0; bytes], ..NewTask::default() })
    }

    #[test]
    fn a_batch_is_bounded_in_count_and_bytes_and_keeps_the_order() {
        let mut pending = Pending::default();
        (0..BATCH_OPS_MAX as i64 + 5).for_each(|n| pending.push(Op::Cancel(TaskId(n)), None));
        let first = pending.take(Now::default());
        assert_eq!((first.ops.len(), &first.ops[0]), (BATCH_OPS_MAX, &Op::Cancel(TaskId(0))));
        pending.settle(vec![Reply::Applied; BATCH_OPS_MAX]);
        assert_eq!(pending.take(Now::default()).ops.len(), 5);
        let mut large = Pending::default();
        (0..3).for_each(|_| large.push(enqueue(BATCH_BYTES_MAX / 2), None));
        assert_eq!(large.take(Now::default()).ops.len(), 2);
    }

    #[test]
    fn a_batch_that_failed_waits_first_and_a_full_disk_refuses_new_tasks_only() {
        let mut pending = Pending::default();
        let (caller, mut refused) = oneshot::channel();
        let (other, mut kept) = oneshot::channel();
        pending.push(enqueue(1), Some(caller));
        pending.push(Op::Cancel(TaskId(1)), Some(other));
        pending.demand(Demand { pool: PoolId(0), credits: 1 });
        let batch = pending.take(Now::default());
        pending.push(Op::Cancel(TaskId(2)), None);
        pending.demand(Demand { pool: PoolId(0), credits: 2 });
        let full = StoreError { kind: StoreErrorKind::Full, detail: "database or disk is full".into() };
        pending.put_back(batch, &full);
        assert!(matches!(refused.try_recv(), Ok(Err(Unavailable::Full(_)))));
        assert!(kept.try_recv().is_err(), "still waiting");
        let again = pending.take(Now::default());
        assert_eq!(again.ops, [Op::Cancel(TaskId(1)), Op::Cancel(TaskId(2))]);
        assert_eq!(again.demand.iter().map(|demand| demand.credits).collect::<Vec<_>>(), [1, 2]);
        pending.give_up(&Unavailable::Stopping);
        assert_eq!(kept.try_recv(), Ok(Err(Unavailable::Stopping)));
    }
}
