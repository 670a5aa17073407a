//! Prepares a queue whose order was configured anew: in slices, its available tasks go to `relay`, from where the next turns
//! put them in line. The rows say how far this is, so that a death in the middle loses nothing.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;

use super::error::StoreError;
use super::open::Store;
use super::schema;
use crate::policy::{Order, Policies, QueuePolicy};
use crate::priority::AGING_STEP_US;
use crate::task::TaskId;

/// Tasks of one transaction.
pub(crate) const SLICE: i64 = 1_000;

type Result<T> = std::result::Result<T, StoreError>;

/// How the tasks of a queue stand in line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Layout {
    is_fair: bool,
    aging_step_us: i64,
}

impl Layout {
    const BUILT_IN: Layout = Layout { is_fair: false, aging_step_us: AGING_STEP_US };

    fn of(policy: &QueuePolicy) -> Layout {
        Layout { is_fair: policy.order == Order::Fair, aging_step_us: policy.aging_step_us }
    }
}

impl Store {
    /// Takes out of line what stands there by another order than that of the policies.
    pub(super) fn leave_old_lines(&mut self, policies: &Policies) -> Result<()> {
        while self.leave_old_slice(policies)? {}
        Ok(())
    }

    /// A slice of it; false when nothing stands there any more.
    pub(crate) fn leave_old_slice(&mut self, policies: &Policies) -> Result<bool> {
        let kept = self.layouts()?;
        let queues: BTreeSet<&String> = kept.keys().chain(policies.queues.keys()).collect();
        for queue in queues {
            let (was, is) = (kept.get(queue).copied().unwrap_or(Layout::BUILT_IN), Layout::of(policies.queue(queue)));
            if was != is {
                if self.in_turn(|store| store.leave_slice(queue))? == 0 {
                    self.in_turn(|store| store.put_layout(queue, is))?;
                }
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn layouts(&mut self) -> Result<BTreeMap<String, Layout>> {
        use schema::layout::dsl;
        let found: Vec<(String, i32, i64)> =
            dsl::layout.select((dsl::queue, dsl::is_fair, dsl::aging_step)).load(&mut self.conn)?;
        let layout = |(queue, is_fair, aging_step_us)| (queue, Layout { is_fair: is_fair != 0, aging_step_us });
        Ok(found.into_iter().map(layout).collect())
    }

    fn put_layout(&mut self, queue: &str, Layout { is_fair, aging_step_us }: Layout) -> Result<()> {
        use schema::layout::dsl;
        let values = (dsl::queue.eq(queue), dsl::is_fair.eq(i32::from(is_fair)), dsl::aging_step.eq(aging_step_us));
        diesel::replace_into(dsl::layout).values(values).execute(&mut self.conn)?;
        Ok(())
    }

    fn leave_slice(&mut self, queue: &str) -> Result<usize> {
        use schema::{lane, ready, relay};
        let of_ready = ready::table.filter(ready::queue.eq(queue)).order((ready::rank, ready::id)).limit(SLICE);
        let ready: Vec<(i64, i64)> = of_ready.select((ready::rank, ready::id)).load(&mut self.conn)?;
        let of_lanes = lane::table.filter(lane::queue.eq(queue)).order((lane::key, lane::rank, lane::id)).limit(SLICE);
        let lanes: Vec<(String, i64, i64)> = of_lanes.select((lane::key, lane::rank, lane::id)).load(&mut self.conn)?;
        let ids: Vec<i64> = ready.iter().map(|(_, id)| *id).chain(lanes.iter().map(|(.., id)| *id)).collect();
        for (rank, id) in ready {
            diesel::delete(ready::table.find((queue, rank, id))).execute(&mut self.conn)?;
        }
        for (key, rank, id) in lanes {
            diesel::delete(lane::table.find((queue, key, rank, id))).execute(&mut self.conn)?;
        }
        for id in &ids {
            diesel::insert_into(relay::table).values(relay::id.eq(id)).execute(&mut self.conn)?;
        }
        Ok(ids.len())
    }

    /// The next tasks that are to be put in line.
    pub(crate) fn relay(&mut self, count: i64) -> Result<Vec<TaskId>> {
        use schema::relay::dsl;
        let ids: Vec<i64> = dsl::relay.order(dsl::id).limit(count).select(dsl::id).load(&mut self.conn)?;
        Ok(ids.into_iter().map(TaskId).collect())
    }

    pub(crate) fn take_relay(&mut self, id: TaskId) -> Result<()> {
        diesel::delete(schema::relay::table.find(id.0)).execute(&mut self.conn)?;
        Ok(())
    }

    /// In a transaction of its own.
    fn in_turn<T>(&mut self, work: impl FnOnce(&mut Store) -> Result<T>) -> Result<T> {
        self.begin()?;
        let done = work(self).and_then(|value| self.commit().map(|()| value));
        if let Err(error) = &done {
            self.abandon(Some(error));
        }
        done
    }
}
