//! Queues, lanes, gates and meters from rows, at start.

use std::collections::BTreeMap;

use diesel::dsl::count_star;
use diesel::prelude::*;

use super::error::{StoreError, StoreErrorKind};
use super::open::Store;
use super::rows::priority;
use super::schema;
use crate::book::{LaneKey, QueueLine, Running};
use crate::hold::Gate;
use crate::lane::{Entry, Lane, TURN};
use crate::meter::{KEPT, Meter, Rate};
use crate::policy::{Order, Policies};
use crate::task::TaskId;

type Result<T> = std::result::Result<T, StoreError>;
type Lines = (BTreeMap<String, QueueLine>, BTreeMap<LaneKey, Lane>);
/// The newest slot, the slots, the debt.
type Kept = (i64, [u64; KEPT], u64);

impl Store {
    pub(super) fn lines(&mut self, policies: &Policies, running: &BTreeMap<TaskId, Running>) -> Result<Lines> {
        let (mut queues, mut lanes): Lines = Default::default();
        for run in running.values() {
            queues.entry(run.queue.clone()).or_default().running += 1;
            if let Some(key) = &run.lane {
                lanes.entry((run.queue.clone(), key.clone())).or_default().running += 1;
            }
        }
        for (queue, key, count) in self.waiting()? {
            queues.entry(queue.clone()).or_default().waiting += count;
            lanes.entry((queue, key)).or_default().waiting = count;
        }
        for (key, entry, turn) in self.admitted(policies)? {
            let policy = policies.queue(&key.0);
            let next_turn = turn + TURN / i64::from(policy.weight(&key.1));
            if policy.order == Order::Fair {
                let line = queues.entry(key.0.clone()).or_default();
                line.turn = if line.turn == 0 { turn } else { line.turn.min(turn) };
            }
            let lane = lanes.entry(key).or_default();
            lane.admitted.insert(entry, turn);
            lane.next_turn = lane.next_turn.max(if policy.order == Order::Fair { next_turn } else { 0 });
        }
        for (key, gate) in self.gates()? {
            if key.1.is_empty() {
                queues.entry(key.0).or_default().gate = gate;
            } else {
                lanes.entry(key).or_default().gate = gate;
            }
        }
        for (queue, policy) in policies.queues.iter().filter(|(_, policy)| !policy.rates.is_empty()) {
            let kept = self.meters(queue)?;
            if !kept.is_empty() {
                let of = |rate: &Rate| kept.iter().find(|(was, _)| was.unit == rate.unit);
                let meter = |rate: &Rate| {
                    of(rate).map_or_else(Meter::default, |(was, (slot, charged, debt))| {
                        Meter::kept(*slot, *charged, *debt, was, rate)
                    })
                };
                queues.entry(queue.clone()).or_default().meters = policy.rates.iter().map(meter).collect();
            }
        }
        Ok((queues, lanes))
    }

    fn waiting(&mut self) -> Result<Vec<(String, String, u64)>> {
        use schema::lane::dsl;
        let by_lane = dsl::lane.group_by((dsl::queue, dsl::key)).select((dsl::queue, dsl::key, count_star()));
        let found: Vec<(String, String, i64)> = by_lane.load(&mut self.conn)?;
        Ok(found.into_iter().map(|(queue, key, count)| (queue, key, count.unsigned_abs())).collect())
    }

    /// Those that lanes have in `ready`, with their turns.
    fn admitted(&mut self, policies: &Policies) -> Result<Vec<(LaneKey, Entry, i64)>> {
        use schema::{ready, tally as spent, task};
        type Row = (String, Option<String>, i64, i64, i32, i64, Option<(Option<i32>, i64)>);
        let found: Vec<Row> = ready::table
            .inner_join(task::table.on(task::id.eq(ready::id)))
            .left_join(spent::table.on(spent::id.eq(ready::id)))
            .filter(ready::key.is_not_null())
            .select((
                ready::queue,
                ready::key,
                ready::rank,
                ready::id,
                task::priority,
                task::since,
                (spent::priority, spent::since).nullable(),
            ))
            .load(&mut self.conn)?;
        let entry = |(queue, key, turn, id, level, since, again): Row| {
            let (changed, since_us) = again.map_or((None, since), |(level, since)| (level, since));
            let aging_step_us = policies.queue(&queue).aging_step_us;
            let rank = priority(changed.unwrap_or(level))?.rank(since_us, aging_step_us);
            Ok(((queue, key.unwrap_or_default()), Entry { rank, id: TaskId(id) }, turn))
        };
        found.into_iter().map(entry).collect()
    }

    fn gates(&mut self) -> Result<Vec<(LaneKey, Gate)>> {
        use schema::gate::dsl;
        let found: Vec<(String, String, Option<i64>)> =
            dsl::gate.select((dsl::queue, dsl::key, dsl::until)).load(&mut self.conn)?;
        let gate =
            |(queue, key, until): (_, _, Option<i64>)| ((queue, key), until.map_or(Gate::Closed, Gate::ClosedUntil));
        Ok(found.into_iter().map(gate).collect())
    }

    /// As they were kept, each under the rate of then.
    fn meters(&mut self, queue: &str) -> Result<Vec<(Rate, Kept)>> {
        use schema::meter::dsl;
        type Row = (String, i64, i64, i64, Vec<u8>, i64);
        let columns = (dsl::unit, dsl::allowed, dsl::per_us, dsl::slot, dsl::charged, dsl::debt);
        let found: Vec<Row> = dsl::meter.filter(dsl::queue.eq(queue)).select(columns).load(&mut self.conn)?;
        let meter = |(unit, allowed, per_us, slot, bytes, debt): Row| {
            let mut charged = [0; KEPT];
            if bytes.len() != 8 * KEPT {
                let text =
                    format!("the meter {unit} of queue {queue} has {} bytes of slots, not {}", bytes.len(), 8 * KEPT);
                return Err(StoreError::new(StoreErrorKind::Corrupt, text));
            }
            for (slot, bytes) in charged.iter_mut().zip(bytes.chunks_exact(8)) {
                *slot = bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
            }
            let rate = Rate { unit, allowed: allowed.unsigned_abs(), per_us, cost: 0 };
            Ok((rate, (slot, charged, debt.unsigned_abs())))
        };
        found.into_iter().map(meter).collect()
    }

    /// The newest time that a meter of these policies has seen.
    pub(super) fn meters_us(&mut self, policies: &Policies) -> Result<i64> {
        let mut newest_us = i64::MIN;
        for queue in policies.queues.keys() {
            for (rate, (slot, ..)) in self.meters(queue)? {
                newest_us = newest_us.max(slot.saturating_mul(rate.slot_us()));
            }
        }
        Ok(newest_us)
    }
}
