//! Applies one op of a turn: enqueue, cancel, worker rows. A refusal is a reply; an error is the database's.

use super::Turning;
use crate::op::{Notice, Op, Reply, RunKey, WorkerRow};
use crate::policy::Limits;
use crate::state::{Event, Move, Standing, TaskState};
use crate::store::{FinalFacts, Phase, StoreError};
use crate::task::{NewTask, TaskId, WorkerId};

impl Turning<'_> {
    pub(super) fn apply(&mut self, op: &Op) -> Result<Reply, StoreError> {
        match op {
            Op::Enqueue(new) => self.enqueue(new),
            Op::Cancel(id) => self.cancel(*id),
            Op::Finish { run, ending, refill } => self.finish(*run, ending, *refill),
            Op::WorkerUp(row) => self.worker_up(row),
            Op::WorkerGone(id) => self.worker_gone(*id),
            Op::Offer { pool, kinds } => self.offer(pool, kinds),
        }
    }

    fn enqueue(&mut self, new: &NewTask) -> Result<Reply, StoreError> {
        if let Some(name) = &new.name
            && let Some((id, kind, args)) = self.store.find_name(name)?
        {
            let same = kind == new.kind && args == new.args;
            return Ok(if same { Reply::Enqueued { id, existing: true } } else { Reply::NameTaken { id } });
        }
        let from = Standing { state: None, cancelling: false, tally: Default::default() };
        let (to, _) = self.decide(from, Event::Enqueued { delay_us: new.delay_us }, &Limits::default())?;
        let id = TaskId(self.over.next_task);
        self.over.next_task += 1;
        let rank = new.priority.rank(self.clock_us);
        self.store.insert_task(id, new, rank, self.now.wall_us)?;
        if let Some(name) = &new.name {
            self.store.put_name(name, id)?;
        }
        if let Move::Later(state, delay_us) = to {
            self.store.put_later(id, self.now.wall_us.saturating_add(delay_us), state)?;
            self.moved(None, state);
        } else {
            self.store.put_ready(&new.queue, rank, id)?;
            self.over.add_ready(&new.queue, 1);
            self.moved(None, TaskState::Available);
        }
        Ok(Reply::Enqueued { id, existing: false })
    }

    fn cancel(&mut self, id: TaskId) -> Result<Reply, StoreError> {
        if let Some(running) = self.over.running(self.book, id) {
            let mut running = running.clone();
            if !running.cancelling {
                self.store.mark_stop(id)?;
                self.over.dirty = true;
                self.notices.push(Notice::StopWanted(RunKey { task: id, epoch: running.tally.epoch }));
                running.cancelling = true;
                self.over.running.insert(id, Some(running));
            }
            return Ok(Reply::Stopping);
        }
        let Some(phase) = self.store.phase(id)? else { return Ok(Reply::NoSuchTask) };
        let state = match &phase {
            Phase::Final { state } => return Ok(Reply::AlreadyFinal(*state)),
            Phase::Ready { .. } => TaskState::Available,
            Phase::Later { state } => *state,
            Phase::Running => TaskState::Running,
        };
        let tally = self.store.tally(id)?;
        let from = Standing { state: Some(state), cancelling: false, tally };
        let (to, tally) = self.decide(from, Event::CancelAsked, &Limits::default())?;
        match &phase {
            Phase::Ready { queue, rank } => {
                self.store.take_ready(queue, *rank, id)?;
                self.over.add_ready(queue, -1);
            }
            _ => self.store.take_later(id)?,
        }
        if let Move::Final(to, reason) = to {
            let facts = FinalFacts { epoch: tally.epoch, finished_at_us: self.now.wall_us, ..FinalFacts::default() };
            self.store.put_final(id, to, reason, facts)?;
            self.moved(Some(state), to);
            self.notices.push(Notice::Finished { id, state: to, reason });
        }
        Ok(Reply::Cancelled)
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
