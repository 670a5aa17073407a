//! Applies what a live run says of itself: notes and what it prints. From a run that is not live any more, nothing is kept.

use super::Turning;
use crate::op::{Notice, Reply, RunKey};
use crate::store::StoreError;
use crate::task::{LogParts, Note};

impl Turning<'_> {
    pub(super) fn note(&mut self, run: RunKey, note: &Note) -> Result<Reply, StoreError> {
        let Some(running) = self.live(run) else { return Ok(Reply::Stale) };
        let queue = running.queue.clone();
        if let Some(progress) = &note.progress {
            self.store.put_progress(run, progress, self.now.wall_us)?;
        }
        for (unit, amount) in &note.spend {
            self.store.add_spend(run.task, unit, *amount)?;
            self.charge(&queue, unit, *amount);
            if let Some((spent, may)) = self.store.spend_budget(run.task, unit, *amount)?
                && spent > may
            {
                self.notices.push(Notice::Overspent { run, unit: unit.clone() });
            }
        }
        if let Some(seq) = note.seq {
            self.notices.push(Notice::Noted { run, seq });
        }
        self.over.dirty = true;
        Ok(Reply::Applied)
    }

    pub(super) fn log(&mut self, run: RunKey, log: &LogParts) -> Result<Reply, StoreError> {
        if self.live(run).is_none() {
            return Ok(Reply::Stale);
        }
        if !log.dropped.is_empty() {
            self.store.drop_log(run, log.dropped.clone())?;
        }
        for (part, bytes) in &log.parts {
            self.store.put_log(run, *part, bytes)?;
        }
        self.notices.push(Notice::Logged(run));
        self.over.dirty = true;
        Ok(Reply::Applied)
    }
}
