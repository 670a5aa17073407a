//! Applies what is asked of a task that is there: cancel it, try it again, give it another priority.

use super::Turning;
use super::line::InLine;
use crate::op::{Notice, Reply, RunKey};
use crate::policy::Limits;
use crate::priority::TaskPriority;
use crate::state::{Event, Move, Standing, TaskState};
use crate::store::{FinalFacts, LinePlace, Phase, StoreError};
use crate::task::{Ending, Outcome, TaskId};

impl Turning<'_> {
    pub(super) fn cancel(&mut self, id: TaskId) -> Result<Reply, StoreError> {
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
            other => other.state(),
        };
        let tally = self.store.tally(id)?;
        let from = Standing { state: Some(state), cancelling: false, tally };
        let (to, tally) = self.decide(from, Event::CancelAsked, &Limits::default())?;
        match &phase {
            Phase::Available(place) => self.leave_line(in_line(id, place))?,
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

    pub(super) fn retry(&mut self, id: TaskId) -> Result<Reply, StoreError> {
        let Some(phase) = self.store.phase(id)? else { return Ok(Reply::NoSuchTask) };
        let state = phase.state();
        if !state.is_final() {
            return Ok(Reply::NotFinal(state));
        }
        let ended = self.store.ended(id, state)?;
        let from = Standing { state: Some(state), cancelling: false, tally: ended.tally };
        let (_, tally) = self.decide(from, Event::RetryAsked, &Limits::default())?;
        let run = RunKey { task: id, epoch: tally.epoch };
        if state == TaskState::Completed && run.epoch == 1 {
            // A first run that succeeded has no attempt, and all that is known of it goes with the final row.
            let FinalFacts { finished_at_us, run_us, .. } = ended.facts;
            let ending = Ending { run_us, ..Ending::bare(Outcome::Ok, "") };
            self.store.put_attempt(run, &ending, finished_at_us.saturating_sub(run_us), finished_at_us)?;
        }
        let since_us = self.clock_us;
        self.store.take_final(id, state)?;
        self.store.put_tally(id, tally, since_us)?;
        self.store.put_retry(run, self.now.wall_us)?;
        let (queue, key, priority) = (ended.queue.as_str(), ended.key.as_deref(), ended.priority);
        self.stand_in_line(InLine { id, queue, key, priority, since_us })?;
        self.moved(Some(state), TaskState::Available);
        Ok(Reply::Retried)
    }

    /// What waits stands elsewhere in line from now on, as if it had always had this priority.
    pub(super) fn reprioritise(&mut self, id: TaskId, priority: TaskPriority) -> Result<Reply, StoreError> {
        let Some(phase) = self.store.phase(id)? else { return Ok(Reply::NoSuchTask) };
        match &phase {
            Phase::Available(place) => {
                self.leave_line(in_line(id, place))?;
                self.stand_in_line(InLine { priority, ..in_line(id, place) })?;
            }
            Phase::Later { .. } => {}
            Phase::Running | Phase::Final { .. } => return Ok(Reply::NotWaiting(phase.state())),
        }
        self.store.put_priority(id, priority)?;
        self.over.dirty = true;
        Ok(Reply::Applied)
    }
}

fn in_line(id: TaskId, place: &LinePlace) -> InLine<'_> {
    let LinePlace { queue, key, priority, since_us } = place;
    InLine { id, queue, key: key.as_deref(), priority: *priority, since_us: *since_us }
}
