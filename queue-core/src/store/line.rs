//! What the tick asks of the rows about standing in line: lanes, gates, meters, and the way into a new order. Decides nothing.

use diesel::prelude::*;

use super::error::StoreError;
use super::open::Store;
use super::verbs::one;
use super::{hot, schema};
use crate::book::LaneKey;
use crate::hold::Gate;
use crate::lane::Entry;
use crate::meter::{Meter, Rate};
use crate::priority::TaskPriority;
use crate::task::TaskId;

type Result<T> = std::result::Result<T, StoreError>;

impl Store {
    pub fn put_lane(&mut self, (queue, key): &LaneKey, Entry { rank, id }: Entry) -> Result<()> {
        one(hot::PutLane { queue, key, rank, id: id.0 }.execute(&mut self.conn), "lane")
    }

    pub fn take_lane(&mut self, (queue, key): &LaneKey, Entry { rank, id }: Entry) -> Result<()> {
        one(hot::TakeLane { queue, key, rank, id: id.0 }.execute(&mut self.conn), "lane")
    }

    /// The first `count` tasks that wait in a lane, best rank first.
    pub fn lane_head(&mut self, (queue, key): &LaneKey, count: u64) -> Result<Vec<Entry>> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let found: Vec<(i64, i64)> = hot::LaneHead { queue, key, count }.load(&mut self.conn)?;
        Ok(found.into_iter().map(|(rank, id)| Entry { rank, id: TaskId(id) }).collect())
    }

    /// The key of a queue's own gate is empty. An open one has no row.
    pub fn put_gate(&mut self, (queue, key): &LaneKey, gate: Gate, reason: &str) -> Result<()> {
        use schema::gate::dsl;
        let until = match gate {
            Gate::Open => {
                diesel::delete(dsl::gate.find((queue, key))).execute(&mut self.conn)?;
                return Ok(());
            }
            Gate::ClosedUntil(until) => Some(until),
            Gate::Closed => None,
        };
        let values = (dsl::queue.eq(queue), dsl::key.eq(key), dsl::until.eq(until), dsl::reason.eq(reason));
        one(diesel::replace_into(dsl::gate).values(values).execute(&mut self.conn), "gate")
    }

    pub fn put_meter(&mut self, queue: &str, rate: &Rate, meter: &Meter) -> Result<()> {
        let (slot, charged, debt) = meter.parts();
        let charged: Vec<u8> = charged.iter().flat_map(|charged| charged.to_be_bytes()).collect();
        let allowed = i64::try_from(rate.allowed).unwrap_or(i64::MAX);
        let debt = i64::try_from(debt).unwrap_or(i64::MAX);
        let (unit, per_us, charged) = (rate.unit.as_str(), rate.per_us, charged.as_slice());
        one(hot::PutMeter { queue, unit, allowed, per_us, slot, charged, debt }.execute(&mut self.conn), "meter")
    }

    /// From now on the priority of a waiting task, whatever its body says.
    pub fn put_priority(&mut self, id: TaskId, priority: TaskPriority) -> Result<()> {
        use schema::tally::dsl;
        let level = i32::from(priority.get());
        let changed = diesel::update(dsl::tally.find(id.0)).set(dsl::priority.eq(level)).execute(&mut self.conn)?;
        if changed == 1 {
            return Ok(());
        }
        let since: i64 = schema::task::table.find(id.0).select(schema::task::since).get_result(&mut self.conn)?;
        let zeros = (dsl::epoch.eq(0), dsl::runs.eq(0), dsl::attempts.eq(0), dsl::crashes.eq(0), dsl::lost.eq(0));
        let values = (dsl::id.eq(id.0), zeros, dsl::since.eq(since), dsl::priority.eq(level));
        one(diesel::insert_into(dsl::tally).values(values).execute(&mut self.conn), "tally")
    }
}
