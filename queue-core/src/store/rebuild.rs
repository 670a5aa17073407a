//! The book from rows, at start and when the policies change. The only place that counts by scanning.

use std::collections::BTreeMap;

use diesel::dsl::count_star;
use diesel::prelude::*;

use super::error::StoreError;
use super::open::Store;
use super::rows::{overrides, priority, tally};
use super::{rows, schema};
use crate::book::{Book, Counts, Mirror, Running};
use crate::op::WorkerRow;
use crate::policy::Policies;
use crate::state::TaskState;
use crate::task::{Now, TaskId, WorkerId};

type Result<T> = std::result::Result<T, StoreError>;

impl Store {
    /// Of this database; every worker's tag begins with it.
    pub fn uid(&mut self) -> Result<Vec<u8>> {
        Ok(schema::store::table.select(schema::store::uid).get_result(&mut self.conn)?)
    }

    /// The processes that a former life started and never saw end.
    pub fn workers(&mut self) -> Result<Vec<WorkerRow>> {
        use schema::worker::dsl;
        let columns = (dsl::id, dsl::pool, dsl::pid, dsl::start_time, dsl::boot_id, dsl::tag);
        let found: Vec<(i64, String, i32, i64, String, String)> =
            dsl::worker.select(columns).order(dsl::id).load(&mut self.conn)?;
        let row = |(id, pool, pid, start_time, boot_id, tag)| WorkerRow {
            id: WorkerId(id),
            pool,
            pid,
            start_time,
            boot_id,
            tag,
        };
        Ok(found.into_iter().map(row).collect())
    }

    /// Rows that stand in line by another order than that of `policies` are taken out of it first: [`crate::recover`] puts
    /// them back.
    pub fn book(&mut self, policies: Policies, now: Now) -> Result<Book> {
        self.leave_old_lines(&policies)?;
        let (mirror, clock_us) = self.mirror(&policies)?;
        let meters_us = self.meters_us(&policies)?;
        Ok(Book::new(policies, mirror, clock_us, meters_us, now))
    }

    /// The same book under other policies, of which no row stands in line by another order any more.
    pub(crate) fn book_under(&mut self, book: &Book, policies: Policies, now: Now) -> Result<Book> {
        let (standing, _) = self.standing(&policies)?;
        let meters_us = self.meters_us(&policies)?;
        Ok(book.under(policies, standing, meters_us, now))
    }

    pub(super) fn mirror(&mut self, policies: &Policies) -> Result<(Mirror, i64)> {
        let (mut mirror, clock_us) = self.standing(policies)?;
        let later: Vec<(i32, i64)> = schema::later::table
            .group_by(schema::later::state)
            .select((schema::later::state, count_star()))
            .load(&mut self.conn)?;
        let finals: Vec<(i32, i64)> = schema::finals::table
            .group_by(schema::finals::state)
            .select((schema::finals::state, count_star()))
            .load(&mut self.conn)?;
        for (code, count) in later.into_iter().chain(finals) {
            mirror.counts.add(rows::state(code)?, count);
        }
        Ok((mirror, clock_us))
    }

    /// All that depends on policies: tasks that wait for their time, or are final, are not counted.
    fn standing(&mut self, policies: &Policies) -> Result<(Mirror, i64)> {
        let counters = (schema::store::next_task, schema::store::next_worker, schema::store::clock_us);
        let (next_task, next_worker, clock_us): (i64, i64, i64) =
            schema::store::table.select(counters).get_result(&mut self.conn)?;
        let ready = self.ready_by_queue()?;
        let running = self.running(policies)?;
        let mut counts = Counts::default();
        let between: i64 = schema::relay::table.count().get_result(&mut self.conn)?;
        counts.add(TaskState::Available, between + ready.values().map(|count| *count as i64).sum::<i64>());
        counts.add(TaskState::Running, running.len() as i64);
        let mut mirror = Mirror { next_task, next_worker, counts, ready, running, ..Mirror::default() };
        let (queues, lanes) = self.lines(policies, &mirror.running)?;
        for (queue, line) in queues {
            mirror.counts.add(TaskState::Available, line.waiting as i64);
            mirror.put_queue(queue, line);
        }
        for (key, lane) in lanes {
            mirror.put_lane(policies, key, lane);
        }
        Ok((mirror, clock_us))
    }

    fn ready_by_queue(&mut self) -> Result<BTreeMap<String, u64>> {
        use schema::ready::dsl;
        let found: Vec<(String, i64)> =
            dsl::ready.group_by(dsl::queue).select((dsl::queue, count_star())).load(&mut self.conn)?;
        Ok(found.into_iter().map(|(queue, count)| (queue, count.unsigned_abs())).collect())
    }

    fn running(&mut self, policies: &Policies) -> Result<BTreeMap<TaskId, Running>> {
        use schema::{running, tally as spent, task};
        type Row = (
            (i64, i64, i64, i64, i64, i32),
            (String, String, Option<String>, i32, Option<i64>, Option<i64>, Option<i64>),
            Option<(i64, i64, i64, i64, Option<i32>)>,
        );
        let found: Vec<Row> = running::table
            .inner_join(task::table.on(task::id.eq(running::id)))
            .left_join(spent::table.on(spent::id.eq(running::id)))
            .select((
                (running::id, running::epoch, running::since, running::wait_us, running::claimed_at, running::stop),
                (
                    task::kind,
                    task::queue,
                    task::key,
                    task::priority,
                    task::timeout_ms,
                    task::max_attempts,
                    task::max_crashes,
                ),
                (spent::runs, spent::attempts, spent::crashes, spent::lost, spent::priority).nullable(),
            ))
            .load(&mut self.conn)?;
        let entry = |((id, epoch, since_us, wait_us, claimed_at_us, stop), body, spent): Row| {
            let (kind, queue, key, level, timeout, max_attempts, max_crashes) = body;
            let (runs, attempts, crashes, lost, changed) = spent.unwrap_or_default();
            let limits = policies.limits(&queue, &kind, overrides(timeout, max_attempts, max_crashes));
            let running = Running {
                lane: policies.queue(&queue).lane_of(key.as_deref()).map(str::to_owned),
                queue,
                priority: priority(changed.unwrap_or(level))?,
                since_us,
                tally: tally(epoch, runs, attempts, crashes, lost),
                limits,
                wait_us,
                claimed_at_us,
                cancelling: stop != 0,
            };
            Ok((TaskId(id), running))
        };
        found.into_iter().map(entry).collect()
    }
}
