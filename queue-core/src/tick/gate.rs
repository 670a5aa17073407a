//! Closes and opens the gates of queues and keys: by an operator's word, by a handler's, and by time. Charges what runs spend to
//! the meters of their queue.

use super::{GATES_MAX, Turning};
use crate::book::{LaneKey, Running};
use crate::hold::Gate;
use crate::op::Reply;
use crate::store::StoreError;
use crate::task::{Ending, Outcome, RetryScope, RetryWish};

/// The longest time for which a handler may close its queue or key: nobody is to be kept out for ever by one task.
pub const CLOSED_BY_RUN_US_MAX: i64 = 24 * 60 * 60 * 1_000_000;

impl Turning<'_> {
    pub(super) fn pause(
        &mut self,
        queue: &str,
        key: Option<&str>,
        for_us: Option<i64>,
        reason: &str,
    ) -> Result<Reply, StoreError> {
        let gate = for_us.map_or(Gate::Closed, |us| Gate::ClosedUntil(self.now.wall_us.saturating_add(us)));
        self.set_gate(&lane_key(queue, key), gate, reason)?;
        Ok(Reply::Gate(gate))
    }

    pub(super) fn resume(&mut self, queue: &str, key: Option<&str>) -> Result<Reply, StoreError> {
        self.set_gate(&lane_key(queue, key), Gate::Open, "")?;
        Ok(Reply::Gate(Gate::Open))
    }

    /// A handler that was told to wait may say so for its whole key or queue. What is closed for longer stays so.
    pub(super) fn close_by(&mut self, running: &Running, ending: &Ending) -> Result<(), StoreError> {
        let (Outcome::Error, RetryWish::AfterMs(after_ms)) = (ending.outcome, ending.retry) else { return Ok(()) };
        let key = match (ending.scope, running.lane.as_deref()) {
            (RetryScope::Queue, _) => lane_key(&running.queue, None),
            (RetryScope::Key, Some(key)) if !key.is_empty() => lane_key(&running.queue, Some(key)),
            (RetryScope::Key | RetryScope::Task, _) => return Ok(()),
        };
        let after_us = i64::try_from(after_ms).unwrap_or(i64::MAX).saturating_mul(1_000).min(CLOSED_BY_RUN_US_MAX);
        let until_us = self.now.wall_us.saturating_add(after_us);
        match self.gate(&key) {
            Gate::Closed => Ok(()),
            Gate::ClosedUntil(longer) if longer >= until_us => Ok(()),
            Gate::Open | Gate::ClosedUntil(_) => self.set_gate(&key, Gate::ClosedUntil(until_us), &ending.detail),
        }
    }

    /// Opens what was closed until now.
    pub(super) fn fire_gates(&mut self) -> Result<u64, StoreError> {
        let now_us = self.now.wall_us;
        let due = self.book.rows().openings.iter().take_while(|(until, _)| *until <= now_us);
        let due: Vec<LaneKey> = due.take(GATES_MAX as usize).map(|(_, key)| key.clone()).collect();
        for key in &due {
            // One of this turn's ops may have closed it again.
            if matches!(self.gate(key), Gate::ClosedUntil(until) if until <= now_us) {
                self.set_gate(key, Gate::Open, "")?;
            }
        }
        Ok(due.len() as u64)
    }

    /// When the next gate opens by itself.
    pub(super) fn next_opening(&self) -> Option<i64> {
        let changed =
            self.over.queues.values().map(|line| line.gate).chain(self.over.lanes.values().map(|lane| lane.gate));
        let changed = changed.filter_map(|gate| if let Gate::ClosedUntil(until) = gate { Some(until) } else { None });
        let stays = |key: &LaneKey| {
            let changed = if key.1.is_empty() {
                self.over.queues.contains_key(&key.0)
            } else {
                self.over.lanes.contains_key(key)
            };
            !changed
        };
        let first = self.book.rows().openings.iter().find(|(_, key)| stays(key)).map(|(until, _)| *until);
        changed.chain(first).min()
    }

    fn gate(&self, key: &LaneKey) -> Gate {
        if key.1.is_empty() {
            return self.over.queue(self.book, &key.0).map_or(Gate::Open, |line| line.gate);
        }
        let lane = self.over.lanes.get(key).or_else(|| self.book.rows().lanes.get(key));
        lane.map_or(Gate::Open, |lane| lane.gate)
    }

    fn set_gate(&mut self, key: &LaneKey, gate: Gate, reason: &str) -> Result<(), StoreError> {
        self.store.put_gate(key, gate, reason)?;
        self.over.dirty = true;
        if key.1.is_empty() {
            self.over.queue_mut(self.book, &key.0).gate = gate;
        } else {
            self.over.lane_mut(self.book, key).gate = gate;
            self.over.unsettled.insert(key.clone());
        }
        Ok(())
    }

    /// What a run has spent of a unit, beyond the cost of its start.
    pub(super) fn charge(&mut self, queue: &str, unit: &str, amount: i64) {
        let rates = &self.book.policies.queue(queue).rates;
        let clock_us = self.book.meters_us(self.now);
        for (index, rate) in rates.iter().enumerate().filter(|(_, rate)| rate.unit == unit) {
            let line = self.over.queue_mut(self.book, queue);
            line.settle_meters(rates, clock_us);
            line.meters[index].charge(rate, amount.unsigned_abs());
            self.over.charged.insert(queue.to_owned());
        }
    }

    pub(super) fn save_meters(&mut self) -> Result<(), StoreError> {
        for queue in &self.over.charged {
            let rates = &self.book.policies.queue(queue).rates;
            let meters = self.over.queue(self.book, queue).map_or(&[][..], |line| &line.meters);
            for (rate, meter) in rates.iter().zip(meters) {
                self.store.put_meter(queue, rate, meter)?;
            }
            self.over.dirty = true;
        }
        Ok(())
    }
}

/// The key of a queue's own gate is empty.
fn lane_key(queue: &str, key: Option<&str>) -> LaneKey {
    (queue.to_owned(), key.unwrap_or_default().to_owned())
}
