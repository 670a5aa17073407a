//! What the tick asks of the rows, in domain words. Each verb is one or two statements; none decides anything.

use std::collections::BTreeMap;
use std::ops::Range;

use diesel::prelude::*;

use super::error::{StoreError, StoreErrorKind};
use super::open::Store;
use super::read::Phase;
use super::rows::{overrides, priority, tally};
use super::{hot, rows, schema};
use crate::op::{RunKey, WorkerRow};
use crate::priority::TaskPriority;
use crate::state::{FailReason, TaskState};
use crate::task::{Ending, NewTask, Overrides, Progress, Tally, TaskId, WorkerId};

/// The most that is counted of one unit: whole numbers stay exact in JSON up to here.
pub const SPENT_MAX: i64 = 1 << 53;

type Result<T> = std::result::Result<T, StoreError>;

/// The best claimable task of a queue, with what a claim needs of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    pub id: TaskId,
    /// Where it stands in `ready`.
    pub rank: i64,
    /// The key of the lane that admitted it.
    pub lane: Option<String>,
    /// When it became available, by the queue clock.
    pub since_us: i64,
    pub kind: String,
    pub args: Vec<u8>,
    pub priority: TaskPriority,
    pub overrides: Overrides,
    pub tally: Tally,
}

/// A task whose time has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    pub id: TaskId,
    pub state: TaskState,
    pub queue: String,
    pub key: Option<String>,
    pub priority: TaskPriority,
    pub tally: Tally,
}

/// The fields of a final row beside the key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FinalFacts {
    pub epoch: i64,
    pub finished_at_us: i64,
    pub wait_us: i64,
    pub run_us: i64,
    pub cut: bool,
}

/// A final task, with what a retry needs of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    pub queue: String,
    pub key: Option<String>,
    pub priority: TaskPriority,
    /// What it has spent, under the epoch of its last run.
    pub tally: Tally,
    pub facts: FinalFacts,
}

impl Store {
    pub fn insert_task(&mut self, id: TaskId, new: &NewTask, since_us: i64, created_at: i64) -> Result<()> {
        let statement = hot::InsertTask {
            id: id.0,
            kind: &new.kind,
            queue: &new.queue,
            priority: new.priority.get().into(),
            since: since_us,
            args: &new.args,
            name: new.name.as_deref(),
            timeout_ms: new.overrides.timeout_ms,
            max_attempts: new.overrides.max_attempts.map(i64::from),
            max_crashes: new.overrides.max_crashes.map(i64::from),
            created_at,
            key: new.key.as_deref(),
        };
        one(statement.execute(&mut self.conn), "task")?;
        for (unit, amount) in &new.cost {
            let done = hot::PutCost { task: id.0, unit, amount: i64::from(*amount) }.execute(&mut self.conn);
            one(done, "cost")?;
        }
        for (unit, amount) in &new.budget {
            let amount = (*amount).clamp(0, SPENT_MAX);
            one(hot::PutBudget { task: id.0, unit, amount }.execute(&mut self.conn), "budget")?;
        }
        Ok(())
    }

    /// The task that has the name, with its kind and args.
    pub fn find_name(&mut self, name: &str) -> Result<Option<(TaskId, String, Vec<u8>)>> {
        let found = hot::FindName { name }.get_result::<(i64, String, Vec<u8>)>(&mut self.conn).optional()?;
        Ok(found.map(|(id, kind, args)| (TaskId(id), kind, args)))
    }

    pub fn put_name(&mut self, name: &str, id: TaskId) -> Result<()> {
        let done = hot::PutName { name, id: id.0 }.execute(&mut self.conn);
        one(done, "name")
    }

    /// `lane` is the key of the lane that admits it, if one does.
    pub fn put_ready(&mut self, queue: &str, rank: i64, id: TaskId, lane: Option<&str>) -> Result<()> {
        let done = hot::PutReady { queue, rank, id: id.0, key: lane }.execute(&mut self.conn);
        one(done, "ready")
    }

    pub fn take_ready(&mut self, queue: &str, rank: i64, id: TaskId) -> Result<()> {
        let done = hot::TakeReady { queue, rank, id: id.0 }.execute(&mut self.conn);
        one(done, "ready")
    }

    /// The first `count` claimable tasks of a queue, best rank first.
    pub fn head(&mut self, queue: &str, count: u64) -> Result<Vec<Head>> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let found = hot::Head { queue, count }.load_iter(&mut self.conn)?;
        let head = |row: QueryResult<_>| {
            let (id, rank, lane, since_us, kind, args, level, timeout, attempts, crashes, t0, t1, t2, t3, t4) = row?;
            Ok(Head {
                id: TaskId(id),
                rank,
                lane,
                since_us,
                kind,
                args,
                priority: priority(level)?,
                overrides: overrides(timeout, attempts, crashes),
                tally: tally(t0, t1, t2, t3, t4),
            })
        };
        found.map(head).collect()
    }

    /// What the starts of the first `count` claimable tasks of a queue cost by their own word, in the order of [`Store::head`].
    pub fn head_costs(&mut self, queue: &str, count: u64) -> Result<Vec<BTreeMap<String, u32>>> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let found: Vec<(i64, Option<String>, Option<i64>)> = hot::HeadCosts { queue, count }.load(&mut self.conn)?;
        let mut costs: Vec<(i64, BTreeMap<String, u32>)> = Vec::new();
        for (id, unit, amount) in found {
            if costs.last().is_none_or(|(last, _)| *last != id) {
                costs.push((id, BTreeMap::new()));
            }
            if let (Some((_, of_task)), Some(unit), Some(amount)) = (costs.last_mut(), unit, amount) {
                of_task.insert(unit, u32::try_from(amount).unwrap_or(u32::MAX));
            }
        }
        Ok(costs.into_iter().map(|(_, of_task)| of_task).collect())
    }

    /// Of which kinds the first claimable tasks of a queue are, as many as `count`.
    pub fn head_kinds(&mut self, queue: &str, count: u64) -> Result<BTreeMap<String, u64>> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let found: Vec<(String, i64)> = hot::HeadKinds { queue, count }.load(&mut self.conn)?;
        Ok(found.into_iter().map(|(kind, count)| (kind, count.unsigned_abs())).collect())
    }

    /// Takes away what [`Store::head`] showed, by its last entry.
    pub fn take_head(&mut self, queue: &str, last: &Head, count: usize) -> Result<()> {
        let gone = hot::TakeHead { queue, rank: last.rank, id: last.id.0 }.execute(&mut self.conn)?;
        if gone == count { Ok(()) } else { Err(wrong_count("ready", count, gone)) }
    }

    pub fn put_later(&mut self, id: TaskId, due_at: i64, state: TaskState) -> Result<()> {
        let done = hot::PutLater { id: id.0, due_at, state: rows::state_code(state) }.execute(&mut self.conn);
        one(done, "later")
    }

    pub fn take_later(&mut self, id: TaskId) -> Result<()> {
        let done = hot::TakeLater { id: id.0 }.execute(&mut self.conn);
        one(done, "later")
    }

    /// Tasks that are due at `now`, at most `count`, the longest overdue first.
    pub fn due(&mut self, now: i64, count: u64) -> Result<Vec<Due>> {
        type Row = (i64, i32, String, Option<String>, i32, i64, i64, i64, i64, i64);
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let found: Vec<Row> = hot::DueTasks { until: now, count }.load(&mut self.conn)?;
        let due = |(id, state, queue, key, level, t0, t1, t2, t3, t4): Row| {
            let (state, priority) = (rows::state(state)?, priority(level)?);
            Ok(Due { id: TaskId(id), state, queue, key, priority, tally: tally(t0, t1, t2, t3, t4) })
        };
        found.into_iter().map(due).collect()
    }

    /// When the next scheduled or retryable task is due.
    pub fn next_due(&mut self) -> Result<Option<i64>> {
        Ok(hot::NextDue {}.get_result::<(i64,)>(&mut self.conn).optional()?.map(|(at,)| at))
    }

    pub fn put_running(&mut self, run: RunKey, since_us: i64, wait_us: i64, claimed_at: i64) -> Result<()> {
        let statement = hot::PutRunning { id: run.task.0, epoch: run.epoch, since: since_us, wait_us, claimed_at };
        one(statement.execute(&mut self.conn), "running")
    }

    /// False when no such run is live: the caller is stale.
    pub fn take_running(&mut self, run: RunKey) -> Result<bool> {
        Ok(hot::TakeRunning { id: run.task.0, epoch: run.epoch }.execute(&mut self.conn)? == 1)
    }

    /// Makes a cancel durable: recovery turns a run with this mark into `cancelled`.
    pub fn mark_stop(&mut self, id: TaskId) -> Result<()> {
        use schema::running::dsl;
        let done = diesel::update(dsl::running.find(id.0)).set(dsl::stop.eq(1)).execute(&mut self.conn);
        one(done, "running")
    }

    pub fn put_final(
        &mut self,
        id: TaskId,
        state: TaskState,
        reason: Option<FailReason>,
        facts: FinalFacts,
    ) -> Result<()> {
        let statement = hot::PutFinal {
            state: rows::state_code(state),
            id: id.0,
            reason: reason.map(rows::reason_code),
            epoch: facts.epoch,
            finished_at: facts.finished_at_us,
            wait_us: facts.wait_us,
            run_us: facts.run_us,
            cut: facts.cut.into(),
        };
        one(statement.execute(&mut self.conn), "final")
    }

    pub fn put_result(&mut self, id: TaskId, bytes: &[u8]) -> Result<()> {
        let done = hot::PutResult { id: id.0, bytes }.execute(&mut self.conn);
        one(done, "result")
    }

    pub fn put_tally(&mut self, id: TaskId, spent: Tally, since_us: i64) -> Result<()> {
        let statement = hot::PutTally {
            id: id.0,
            epoch: spent.epoch,
            runs: spent.runs.into(),
            attempts: spent.attempts.into(),
            crashes: spent.crashes.into(),
            lost: spent.lost.into(),
            since: since_us,
        };
        one(statement.execute(&mut self.conn), "tally")
    }

    pub fn put_attempt(&mut self, run: RunKey, ending: &Ending, started_at: i64, ended_at: i64) -> Result<()> {
        let statement = hot::PutAttempt {
            task: run.task.0,
            epoch: run.epoch,
            outcome: rows::outcome_code(ending.outcome),
            detail: &ending.detail,
            code: ending.code,
            signal: ending.signal,
            peak_rss_bytes: ending.peak_rss_bytes,
            cpu_ms: ending.cpu_ms,
            started_at,
            ended_at,
            run_us: ending.run_us,
            worker: ending.worker.map(|worker| worker.0),
            pid: ending.pid,
            output: &ending.output,
        };
        one(statement.execute(&mut self.conn), "attempt")
    }

    pub fn put_progress(&mut self, run: RunKey, progress: &Progress, noted_at: i64) -> Result<()> {
        let Progress { done, total, message } = progress;
        let (done, total, message) = (*done, *total, message.as_deref());
        let statement = hot::PutProgress { id: run.task.0, epoch: run.epoch, done, total, message, noted_at };
        one(statement.execute(&mut self.conn), "progress")
    }

    /// Adds to what the task has spent of the unit; what cannot be counted stays at [`SPENT_MAX`].
    pub fn add_spend(&mut self, task: TaskId, unit: &str, amount: i64) -> Result<()> {
        let amount = amount.clamp(0, SPENT_MAX);
        one(hot::AddSpend { task: task.0, unit, amount, most: SPENT_MAX }.execute(&mut self.conn), "spend")
    }

    /// As it stands after this: spent since the task was enqueued or tried again, and allowed. `None` without a budget.
    pub fn spend_budget(&mut self, task: TaskId, unit: &str, amount: i64) -> Result<Option<(i64, i64)>> {
        let spent = amount.clamp(0, SPENT_MAX);
        let statement = hot::SpendBudget { spent, most: SPENT_MAX, task: task.0, unit };
        Ok(statement.get_result(&mut self.conn).optional()?)
    }

    pub fn put_log(&mut self, run: RunKey, part: i64, bytes: &[u8]) -> Result<()> {
        let statement = hot::PutLog { task: run.task.0, epoch: run.epoch, part, bytes };
        one(statement.execute(&mut self.conn), "log")
    }

    pub fn drop_log(&mut self, run: RunKey, parts: Range<i64>) -> Result<()> {
        use schema::log::dsl;
        let of_run = dsl::log.filter(dsl::task.eq(run.task.0)).filter(dsl::epoch.eq(run.epoch));
        let gone = of_run.filter(dsl::part.ge(parts.start)).filter(dsl::part.lt(parts.end));
        diesel::delete(gone).execute(&mut self.conn)?;
        Ok(())
    }

    pub fn ended(&mut self, id: TaskId, state: TaskState) -> Result<Ended> {
        use schema::finals::dsl;
        let columns = (dsl::epoch, dsl::finished_at, dsl::wait_us, dsl::run_us, dsl::cut);
        let row = dsl::finals.find((rows::state_code(state), id.0)).select(columns);
        let (epoch, finished_at_us, wait_us, run_us, cut): (i64, i64, i64, i64, i32) =
            row.get_result(&mut self.conn)?;
        let body = schema::task::table.find(id.0);
        let body = body.select((schema::task::queue, schema::task::key, schema::task::priority));
        let (queue, key, level): (String, Option<String>, i32) = body.get_result(&mut self.conn)?;
        let changed = schema::tally::table.find(id.0).select(schema::tally::priority);
        let changed: Option<Option<i32>> = changed.get_result(&mut self.conn).optional()?;
        let level = changed.flatten().unwrap_or(level);
        let tally = Tally { epoch, ..self.tally(id)? };
        let facts = FinalFacts { epoch, finished_at_us, wait_us, run_us, cut: cut != 0 };
        Ok(Ended { queue, key, priority: priority(level)?, tally, facts })
    }

    /// Takes the final row away, and the result with it.
    pub fn take_final(&mut self, id: TaskId, state: TaskState) -> Result<()> {
        diesel::delete(schema::result::table.find(id.0)).execute(&mut self.conn)?;
        let key = (rows::state_code(state), id.0);
        one(diesel::delete(schema::finals::table.find(key)).execute(&mut self.conn), "final")
    }

    /// Notes that the budgets of a task count the runs after this one.
    pub fn put_retry(&mut self, last: RunKey, retried_at: i64) -> Result<()> {
        use schema::retry::dsl;
        let values = (dsl::task.eq(last.task.0), dsl::epoch.eq(last.epoch), dsl::retried_at.eq(retried_at));
        // A task that was cancelled before it ran again is retried at the same epoch.
        diesel::replace_into(dsl::retry).values(values).execute(&mut self.conn)?;
        let of_task = schema::budget::table.filter(schema::budget::task.eq(last.task.0));
        diesel::update(of_task).set(schema::budget::spent.eq(0)).execute(&mut self.conn)?;
        Ok(())
    }

    /// Which phase table has the task; `None` when there is no such task.
    pub fn phase(&mut self, id: TaskId) -> Result<Option<Phase>> {
        super::read::phase(&mut self.conn, id)
    }

    /// What a task has spent; zeros for one that never ran.
    pub fn tally(&mut self, id: TaskId) -> Result<Tally> {
        use schema::tally::dsl;
        let columns = (dsl::epoch, dsl::runs, dsl::attempts, dsl::crashes, dsl::lost);
        let found: Option<(i64, i64, i64, i64, i64)> =
            dsl::tally.find(id.0).select(columns).get_result(&mut self.conn).optional()?;
        Ok(found.map(|(t0, t1, t2, t3, t4)| tally(t0, t1, t2, t3, t4)).unwrap_or_default())
    }

    pub fn put_worker(&mut self, row: &WorkerRow, started_at: i64) -> Result<()> {
        use schema::worker::dsl;
        let values = (
            dsl::id.eq(row.id.0),
            dsl::pool.eq(&row.pool),
            dsl::pid.eq(row.pid),
            dsl::start_time.eq(row.start_time),
            dsl::boot_id.eq(&row.boot_id),
            dsl::tag.eq(&row.tag),
            dsl::started_at.eq(started_at),
        );
        let done = diesel::insert_into(dsl::worker).values(values).execute(&mut self.conn);
        one(done, "worker")
    }

    pub fn drop_worker(&mut self, id: WorkerId) -> Result<()> {
        diesel::delete(schema::worker::dsl::worker.find(id.0)).execute(&mut self.conn)?;
        Ok(())
    }

    /// Replaces what the pool offered before.
    pub fn put_offer(&mut self, pool: &str, kinds: &[String]) -> Result<()> {
        use schema::offer::dsl;
        diesel::delete(dsl::offer.filter(dsl::pool.eq(pool))).execute(&mut self.conn)?;
        for kind in kinds {
            let values = (dsl::pool.eq(pool), dsl::kind.eq(kind));
            diesel::insert_or_ignore_into(dsl::offer).values(values).execute(&mut self.conn)?;
        }
        Ok(())
    }

    pub fn save_counters(&mut self, next_task: i64, next_worker: i64, clock_us: i64) -> Result<()> {
        let done = hot::SaveCounters { next_task, next_worker, clock_us }.execute(&mut self.conn);
        one(done, "store")
    }
}

/// A statement that must have touched exactly one row.
pub(super) fn one(done: QueryResult<usize>, table: &str) -> Result<()> {
    match done? {
        1 => Ok(()),
        other => Err(wrong_count(table, 1, other)),
    }
}

fn wrong_count(table: &str, want: usize, got: usize) -> StoreError {
    StoreError::new(StoreErrorKind::Invariant, format!("{got} rows of {table} changed where {want} had to"))
}
