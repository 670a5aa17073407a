//! Applies the end of a run: where the task goes is `transition`'s word, here it is written down.

use super::Turning;
use super::enqueue::Taken;
use super::line::InLine;
use crate::book::Running;
use crate::op::{Notice, Reply, RunKey};
use crate::state::{Event, FailReason, Move, Standing, TaskState};
use crate::store::{FinalFacts, StoreError, StoreErrorKind};
use crate::task::{Ending, Outcome, PoolId, Tally};

impl Turning<'_> {
    pub(super) fn finish(&mut self, run: RunKey, ending: &Ending, refill: Option<PoolId>) -> Result<Reply, StoreError> {
        // The slot is free whether or not its answer still counts.
        if let Some(pool) = refill {
            self.over.refill(pool, 1);
        }
        let Some(running) = self.live(run).cloned() else {
            self.over.stale += 1;
            return Ok(Reply::Stale);
        };
        let refused = self.taken(&ending.follow_ups)?.map(|taken| refused(ending.clone(), &taken));
        let ending = refused.as_ref().unwrap_or(ending);
        let from = Standing { state: Some(TaskState::Running), cancelling: running.cancelling, tally: running.tally };
        let (to, tally) = self.decide(from, Event::Ended(ending.outcome, ending.retry), &running.limits)?;
        if !self.store.take_running(run)? {
            let detail = format!("the book has run {} of task {}, the rows do not", run.epoch, run.task);
            return Err(StoreError { kind: StoreErrorKind::Invariant, detail });
        }
        self.over.running.insert(run.task, None);
        self.run_ended(&running.queue, running.lane.as_deref());
        self.close_by(&running, ending)?;
        let first_success = ending.outcome == Outcome::Ok && run.epoch == 1;
        if !first_success {
            self.store.put_attempt(run, ending, running.claimed_at_us, self.now.wall_us)?;
            self.store.put_tally(run.task, tally, running.since_us)?;
        }
        match to {
            Move::Final(state, reason) => self.put_final(run, &running, ending, state, reason),
            Move::BackInLine => self.put_back(run, &running, tally, ending.outcome),
            Move::Later(state, delay_us) => {
                self.store.put_later(run.task, self.now.wall_us.saturating_add(delay_us), state)?;
                self.returned(run, ending.outcome, state);
                Ok(Reply::Applied)
            }
            Move::Stay | Move::Available | Move::Running | Move::StopWanted => {
                let detail = format!("the end of a run cannot lead to {to:?}");
                Err(StoreError { kind: StoreErrorKind::Invariant, detail })
            }
        }
    }

    fn put_final(
        &mut self,
        run: RunKey,
        running: &Running,
        ending: &Ending,
        state: TaskState,
        reason: Option<FailReason>,
    ) -> Result<Reply, StoreError> {
        let facts = FinalFacts {
            epoch: run.epoch,
            finished_at_us: self.now.wall_us,
            wait_us: running.wait_us,
            run_us: ending.run_us,
            cut: ending.cut,
        };
        self.store.put_final(run.task, state, reason, facts)?;
        if state == TaskState::Completed {
            if !ending.result.is_empty() {
                self.store.put_result(run.task, &ending.result)?;
            }
            self.add_all(&ending.follow_ups)?;
        }
        self.moved(Some(TaskState::Running), state);
        self.notices.push(Notice::Finished { id: run.task, state, reason });
        Ok(Reply::Applied)
    }

    fn put_back(
        &mut self,
        run: RunKey,
        running: &Running,
        tally: Tally,
        outcome: Outcome,
    ) -> Result<Reply, StoreError> {
        debug_assert_eq!(tally.epoch, run.epoch);
        let Running { queue, lane, priority, since_us, .. } = running;
        let key = lane.as_deref().filter(|key| !key.is_empty());
        self.stand_in_line(InLine { id: run.task, queue, key, priority: *priority, since_us: *since_us })?;
        self.returned(run, outcome, TaskState::Available);
        Ok(Reply::Applied)
    }

    fn returned(&mut self, run: RunKey, outcome: Outcome, state: TaskState) {
        self.moved(Some(TaskState::Running), state);
        self.notices.push(Notice::Returned { id: run.task, outcome, state });
    }
}

/// A follow-up has the name of another task.
fn refused(ending: Ending, taken: &Taken) -> Ending {
    let (count, name) = (ending.follow_ups.len(), ending.follow_ups[taken.index].name.clone().unwrap_or_default());
    let whose = taken.id.map_or("another follow-up".to_owned(), |id| format!("task {id}"));
    let why =
        format!("the name {name:?} belongs to {whose}, which has another kind or other args; choose another name");
    ending.refused(taken.index, count, why)
}
