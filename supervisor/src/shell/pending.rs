//! What waits for the writer: what the machine hands in, then what callers ask for, each in the order of arrival. One batch is
//! out at most; its callers are kept here until it is answered. No thread, no channel: only the bookkeeping.
//!
//! The machine's ops all go with the next batch, together with its credits: a worker's row is committed before its first run,
//! and no end of a run waits behind callers.

use std::collections::VecDeque;

use queue_core::op::{Demand, Op, Reply, RunKey};
use queue_core::store::{StoreError, StoreErrorKind};
use queue_core::task::{NewTask, Now};
use tokio::sync::oneshot;

use super::unavailable::Unavailable;
use super::writer::Batch;

/// Ops of one turn.
const BATCH_OPS_MAX: usize = 1_000;
/// Args, results and output of one turn.
const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;
/// What callers have handed in and the writer has not.
const CALLED_OPS_MAX: usize = 1_024;
const CALLED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Logs of runs that go on wait where they are bounded, while the writer has this much to do.
const OWN_LOGS_BYTES_MAX: usize = 8 * 1024 * 1024;

pub type Caller = oneshot::Sender<Result<Reply, Unavailable>>;

#[derive(Default)]
pub struct Pending {
    /// Of the machine; bounded by its workers: of each, a run's end, its last progress, and one note that spends.
    own: Vec<Op>,
    called: VecDeque<(Op, Caller)>,
    called_bytes: usize,
    demand: Vec<Demand>,
    /// Of the batch that is out, one for each of its ops.
    out: Option<Vec<Option<Caller>>>,
}

impl Pending {
    /// What the machine hands in.
    pub fn push(&mut self, op: Op) {
        let before =
            self.own.iter_mut().rev().find(|waiting| note_of(waiting).is_some_and(|run| note_of(&op) == Some(run)));
        match before {
            Some(waiting) if is_progress(waiting) && is_progress(&op) => *waiting = op,
            _ => self.own.push(op),
        }
    }

    /// What a caller asks for, and waits for.
    pub fn call(&mut self, op: Op, caller: Caller) {
        self.called_bytes += size_bytes(&op);
        self.called.push_back((op, caller));
    }

    pub fn demand(&mut self, demand: Demand) {
        self.demand.push(demand);
    }

    /// Whether callers may hand in more. What the machine hands in has always room.
    pub fn has_room(&self) -> bool {
        self.called.len() < CALLED_OPS_MAX && self.called_bytes < CALLED_BYTES_MAX
    }

    pub fn is_idle(&self) -> bool {
        self.out.is_none()
    }

    pub fn is_empty(&self) -> bool {
        self.own.is_empty() && self.called.is_empty() && self.demand.is_empty()
    }

    /// Whether the log of a run that goes on may be handed in now, or is better kept where it is.
    pub fn takes_logs(&self) -> bool {
        self.own.iter().map(size_bytes).sum::<usize>() < OWN_LOGS_BYTES_MAX
    }

    /// What the machine has handed in and the writer does not have yet.
    pub fn own(&self) -> &[Op] {
        &self.own
    }

    /// Takes the next batch out. It is to be settled or put back.
    pub fn take(&mut self, now: Now) -> Batch {
        let (ops, demand) = (std::mem::take(&mut self.own), std::mem::take(&mut self.demand));
        let mut bytes: usize = ops.iter().map(size_bytes).sum();
        let mut callers: Vec<Option<Caller>> = ops.iter().map(|_| None).collect();
        let mut batch = Batch { ops, demand, now };
        while batch.ops.len() < BATCH_OPS_MAX && bytes < BATCH_BYTES_MAX {
            let Some((op, caller)) = self.called.pop_front() else { break };
            let size = size_bytes(&op);
            self.called_bytes -= size;
            bytes += size;
            batch.ops.push(op);
            callers.push(Some(caller));
        }
        self.out = Some(callers);
        batch
    }

    /// The batch is committed: its callers get their replies. Errs when the database has refused what the machine handed in:
    /// the rows are then not what the machine knows, and only a new start from them can help.
    pub fn settle(&mut self, replies: Vec<Reply>) -> Result<(), StoreError> {
        let mut refused = Ok(());
        for (caller, reply) in self.out.take().into_iter().flatten().zip(replies) {
            match (caller, reply) {
                (Some(caller), reply) => answer(caller, Ok(reply)),
                (None, Reply::Refused(error)) => refused = refused.and(Err(error)),
                (None, _) => {}
            }
        }
        refused
    }

    /// Nothing of the batch was done: it waits again, before all others. With a full disk its callers are told.
    pub fn put_back(&mut self, batch: Batch, why: &StoreError) {
        let callers = self.out.take().unwrap_or_default();
        let mut own = Vec::new();
        for (op, caller) in batch.ops.into_iter().zip(callers).rev() {
            match caller {
                None => own.push(op),
                Some(caller) if why.kind == StoreErrorKind::Full => {
                    answer(caller, Err(Unavailable::Full(why.detail.clone())))
                }
                Some(caller) => {
                    self.called_bytes += size_bytes(&op);
                    self.called.push_front((op, caller));
                }
            }
        }
        own.reverse();
        self.own.splice(0..0, own);
        self.demand.splice(0..0, batch.demand);
    }

    /// No more of this: the callers that still wait are told why.
    pub fn give_up(&mut self, why: &Unavailable) {
        let waiting = self.called.drain(..).map(|(_, caller)| caller);
        for caller in self.out.take().unwrap_or_default().into_iter().flatten().chain(waiting) {
            answer(caller, Err(why.clone()));
        }
    }
}

fn note_of(op: &Op) -> Option<RunKey> {
    if let Op::Note { run, .. } = op { Some(*run) } else { None }
}

/// What was not written yet is replaced by what the run says next, so that it does not pile up on a full disk.
fn is_progress(op: &Op) -> bool {
    matches!(op, Op::Note { note, .. } if note.seq.is_none())
}

/// Who has hung up does not need it; the op is done all the same.
fn answer(caller: Caller, answer: Result<Reply, Unavailable>) {
    let _ = caller.send(answer);
}

fn size_bytes(op: &Op) -> usize {
    match op {
        Op::Enqueue(new) => new.args.len(),
        Op::Finish { ending, .. } => ending.result.len() + ending.output.len() + args_bytes(&ending.follow_ups),
        Op::EnqueueAll(list) => args_bytes(list),
        Op::Log { log, .. } => log.parts.iter().map(|(_, bytes)| bytes.len()).sum(),
        Op::Cancel(_)
        | Op::Retry(_)
        | Op::Reprioritise { .. }
        | Op::Pause { .. }
        | Op::Resume { .. }
        | Op::Note { .. }
        | Op::WorkerUp(_)
        | Op::WorkerGone(_)
        | Op::Offer { .. } => 0,
    }
}

fn args_bytes(list: &[NewTask]) -> usize {
    list.iter().map(|new| new.args.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use queue_core::task::{PoolId, TaskId};

    fn enqueue(bytes: usize) -> Op {
        Op::Enqueue(NewTask { args: vec![0; bytes], ..NewTask::default() })
    }

    fn call(pending: &mut Pending, op: Op) -> oneshot::Receiver<Result<Reply, Unavailable>> {
        let (caller, answer) = oneshot::channel();
        pending.call(op, caller);
        answer
    }

    #[test]
    fn a_batch_is_bounded_in_count_and_bytes_and_keeps_the_order() {
        let mut pending = Pending::default();
        let _answers: Vec<_> =
            (0..BATCH_OPS_MAX as i64 + 5).map(|n| call(&mut pending, Op::Cancel(TaskId(n)))).collect();
        let first = pending.take(Now::default());
        assert_eq!((first.ops.len(), &first.ops[0]), (BATCH_OPS_MAX, &Op::Cancel(TaskId(0))));
        pending.settle(vec![Reply::Applied; BATCH_OPS_MAX]).unwrap();
        assert_eq!(pending.take(Now::default()).ops.len(), 5);
        let mut large = Pending::default();
        let _answers: Vec<_> = (0..3).map(|_| call(&mut large, enqueue(BATCH_BYTES_MAX / 2))).collect();
        assert_eq!(large.take(Now::default()).ops.len(), 2);
    }

    #[test]
    fn a_row_goes_with_the_credit_of_its_worker_whatever_waits() {
        let mut pending = Pending::default();
        let _answers: Vec<_> = (0..9).map(|_| call(&mut pending, enqueue(BATCH_BYTES_MAX))).collect();
        assert!(!pending.has_room(), "bounded in bytes as well");
        pending.push(Op::WorkerGone(queue_core::task::WorkerId(1)));
        pending.demand(Demand { pool: PoolId(0), credits: 1 });
        let batch = pending.take(Now::default());
        assert_eq!((&batch.ops[0], batch.demand.len()), (&Op::WorkerGone(queue_core::task::WorkerId(1)), 1));
    }

    #[test]
    fn progress_that_waits_is_replaced_and_what_is_spent_is_not() {
        let note = |epoch, seq, done| Op::Note {
            run: queue_core::op::RunKey { task: TaskId(1), epoch },
            note: queue_core::task::Note {
                progress: Some(queue_core::task::Progress { done: Some(done), ..Default::default() }),
                seq,
                ..Default::default()
            },
        };
        let mut pending = Pending::default();
        for done in 0..9 {
            pending.push(note(1, None, f64::from(done)));
            pending.push(note(2, None, 0.5));
        }
        pending.push(note(1, Some(1), 9.0));
        pending.push(note(1, None, 10.0));
        pending.push(note(1, None, 11.0));
        let want = [note(1, None, 8.0), note(2, None, 0.5), note(1, Some(1), 9.0), note(1, None, 11.0)];
        assert_eq!(pending.own(), want);
    }

    #[test]
    fn what_the_machine_hands_in_may_not_be_refused() {
        let error = StoreError { kind: StoreErrorKind::Constraint, detail: "no".into() };
        let mut pending = Pending::default();
        let mut answer = call(&mut pending, Op::Cancel(TaskId(1)));
        pending.take(Now::default());
        assert_eq!(pending.settle(vec![Reply::Refused(error.clone())]), Ok(()), "a caller is told");
        assert!(matches!(answer.try_recv(), Ok(Ok(Reply::Refused(_)))));
        pending.push(Op::WorkerGone(queue_core::task::WorkerId(1)));
        pending.take(Now::default());
        assert_eq!(pending.settle(vec![Reply::Refused(error.clone())]), Err(error));
    }

    #[test]
    fn a_batch_that_failed_waits_first_and_a_full_disk_tells_its_callers() {
        for (kind, told) in [(StoreErrorKind::Full, true), (StoreErrorKind::Busy, false)] {
            let mut pending = Pending::default();
            let mut asked = call(&mut pending, enqueue(1));
            pending.push(Op::Cancel(TaskId(1)));
            pending.demand(Demand { pool: PoolId(0), credits: 1 });
            let batch = pending.take(Now::default());
            pending.push(Op::Cancel(TaskId(2)));
            pending.demand(Demand { pool: PoolId(0), credits: 2 });
            pending.put_back(batch, &StoreError { kind, detail: "not now".into() });
            assert_eq!(asked.try_recv().is_ok(), told, "{kind:?}");
            let again = pending.take(Now::default());
            assert_eq!(again.ops[..2], [Op::Cancel(TaskId(1)), Op::Cancel(TaskId(2))]);
            assert_eq!(again.ops.len(), if told { 2 } else { 3 });
            assert_eq!(again.demand.iter().map(|demand| demand.credits).collect::<Vec<_>>(), [1, 2]);
            pending.give_up(&Unavailable::Stopping);
            assert!(told || asked.try_recv() == Ok(Err(Unavailable::Stopping)));
        }
    }
}
