//! Single tasks and bounded lists, for people and programs that look. Every list is backed by an index and has a limit.

use diesel::prelude::*;

use super::error::StoreError;
use super::open::{Reader, Store};
use super::rows::{overrides, priority, tally};
use super::{rows, schema};
use crate::priority::TaskPriority;
use crate::state::{FailReason, TaskState};
use crate::task::{Outcome, Overrides, Tally, TaskId, WorkerId};

type Result<T> = std::result::Result<T, StoreError>;

/// Rows of one page, at most.
pub const LIST_MAX: i64 = 500;

/// Where a task's row is, with what is needed to take it away from there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    Ready { queue: String, rank: i64 },
    Later { state: TaskState },
    Running,
    Final { state: TaskState },
}

/// A task as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskView {
    pub id: TaskId,
    pub kind: String,
    pub queue: String,
    pub priority: TaskPriority,
    pub name: Option<String>,
    pub args: Vec<u8>,
    pub overrides: Overrides,
    pub created_at_us: i64,
    pub state: TaskState,
    pub reason: Option<FailReason>,
    /// It runs, and is cancelled once its processes are gone.
    pub cancelling: bool,
    pub tally: Tally,
    /// Of scheduled and retryable tasks.
    pub due_at_us: Option<i64>,
    /// Of running tasks.
    pub claimed_at_us: Option<i64>,
    /// Of final tasks, as the two that follow.
    pub finished_at_us: Option<i64>,
    pub wait_us: Option<i64>,
    pub run_us: Option<i64>,
    /// Empty when there is none.
    pub result: Vec<u8>,
    pub cut: bool,
}

/// How one run ended.
#[derive(Clone, Debug, PartialEq)]
pub struct AttemptView {
    pub epoch: i64,
    pub outcome: Outcome,
    pub detail: String,
    pub code: Option<i32>,
    pub signal: Option<i32>,
    pub peak_rss_bytes: Option<i64>,
    pub cpu_ms: Option<i64>,
    pub started_at_us: i64,
    pub ended_at_us: i64,
    pub run_us: i64,
    pub worker: Option<WorkerId>,
    pub pid: Option<i32>,
    pub output: Vec<u8>,
}

/// What statistics need of a final task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedRun {
    pub kind: String,
    pub state: TaskState,
    /// 1 when its first run was its last.
    pub epoch: i64,
    pub finished_at_us: i64,
    pub wait_us: i64,
    pub run_us: i64,
}

impl Reader {
    /// All that one look reads is of one moment, whatever the writer commits meanwhile.
    fn look<T>(&mut self, look: impl FnOnce(&mut SqliteConnection) -> Result<T>) -> Result<T> {
        self.conn.transaction(look)
    }
}

impl Store {
    /// Nobody else writes.
    fn look<T>(&mut self, look: impl FnOnce(&mut SqliteConnection) -> Result<T>) -> Result<T> {
        look(&mut self.conn)
    }
}

macro_rules! views {
    ($($who:ty),*) => { $(
        impl $who {
            pub fn task(&mut self, id: TaskId) -> Result<Option<TaskView>> {
                self.look(|conn| task(conn, id))
            }

            /// The runs of a task that ended, oldest first. A first run that succeeded is not among them.
            pub fn attempts(&mut self, id: TaskId) -> Result<Vec<AttemptView>> {
                self.look(|conn| attempts(conn, id))
            }

            /// Tasks in a state (all when `None`), without args and results: the claimable by queue and rank, the
            /// waiting by time, all others newest first.
            pub fn list(&mut self, state: Option<TaskState>, limit: i64) -> Result<Vec<TaskView>> {
                self.look(|conn| list(conn, state, limit))
            }

            /// (pool, kind): what each pool's workers said that they can run, in their last hello.
            pub fn offers(&mut self) -> Result<Vec<(String, String)>> {
                use schema::offer::dsl;
                Ok(dsl::offer.select((dsl::pool, dsl::kind)).order((dsl::pool, dsl::kind)).load(&mut self.conn)?)
            }

            /// The final tasks, at most `limit`.
            pub fn ended_runs(&mut self, limit: i64) -> Result<Vec<EndedRun>> {
                self.look(|conn| ended_runs(conn, limit))
            }
        }
    )* };
}

views!(Store, Reader);

pub(super) fn phase(conn: &mut SqliteConnection, id: TaskId) -> Result<Option<Phase>> {
    use schema::{finals, later, ready, running, tally as spent, task};
    let body = task::table
        .left_join(spent::table.on(spent::id.eq(task::id)))
        .filter(task::id.eq(id.0))
        .select((task::queue, task::rank, spent::rank.nullable()))
        .get_result::<(String, i64, Option<i64>)>(conn)
        .optional()?;
    let Some((queue, first_rank, later_rank)) = body else { return Ok(None) };
    let rank = later_rank.unwrap_or(first_rank);
    if running::table.find(id.0).select(running::id).get_result::<i64>(conn).optional()?.is_some() {
        return Ok(Some(Phase::Running));
    }
    if let Some(code) = later::table.find(id.0).select(later::state).get_result::<i32>(conn).optional()? {
        return Ok(Some(Phase::Later { state: rows::state(code)? }));
    }
    for state in TaskState::ALL.into_iter().filter(|state| state.is_final()) {
        let key = (rows::state_code(state), id.0);
        if finals::table.find(key).select(finals::id).get_result::<i64>(conn).optional()?.is_some() {
            return Ok(Some(Phase::Final { state }));
        }
    }
    let found = ready::table.find((&queue, rank, id.0)).select(ready::id).get_result::<i64>(conn).optional()?;
    Ok(found.map(|_| Phase::Ready { queue, rank }))
}

fn task(conn: &mut SqliteConnection, id: TaskId) -> Result<Option<TaskView>> {
    use schema::{later, running, tally as spent, task};
    type Body = (String, String, i32, Option<String>, Vec<u8>, Option<i64>, Option<i64>, Option<i64>, i64);
    let columns = (
        task::kind,
        task::queue,
        task::priority,
        task::name,
        task::args,
        task::timeout_ms,
        task::max_attempts,
        task::max_crashes,
        task::created_at,
    );
    let Some(found) = phase(conn, id)? else { return Ok(None) };
    let body: Body = task::table.find(id.0).select(columns).get_result(conn)?;
    let (kind, queue, level, name, args, timeout, attempts, crashes, created_at_us) = body;
    let spent: Option<(i64, i64, i64, i64, i64)> = spent::table
        .find(id.0)
        .select((spent::epoch, spent::runs, spent::attempts, spent::crashes, spent::lost))
        .get_result(conn)
        .optional()?;
    let mut view = TaskView {
        id,
        kind,
        queue,
        priority: priority(level)?,
        name,
        args,
        overrides: overrides(timeout, attempts, crashes),
        created_at_us,
        state: TaskState::Available,
        reason: None,
        cancelling: false,
        tally: spent.map(|(t0, t1, t2, t3, t4)| tally(t0, t1, t2, t3, t4)).unwrap_or_default(),
        due_at_us: None,
        claimed_at_us: None,
        finished_at_us: None,
        wait_us: None,
        run_us: None,
        result: Vec::new(),
        cut: false,
    };
    match found {
        Phase::Ready { .. } => {}
        Phase::Later { state } => {
            view.state = state;
            view.due_at_us = Some(later::table.find(id.0).select(later::due_at).get_result(conn)?);
        }
        Phase::Running => {
            let row = running::table.find(id.0).select((running::epoch, running::claimed_at, running::stop));
            let (epoch, claimed_at, stop): (i64, i64, i32) = row.get_result(conn)?;
            view.state = TaskState::Running;
            view.tally.epoch = epoch;
            view.claimed_at_us = Some(claimed_at);
            view.cancelling = stop != 0;
        }
        Phase::Final { state } => fill_final(conn, state, &mut view)?,
    }
    Ok(Some(view))
}

fn fill_final(conn: &mut SqliteConnection, state: TaskState, view: &mut TaskView) -> Result<()> {
    use schema::{finals, result};
    type Row = (Option<i32>, i64, i64, i64, i64, i32);
    let columns = (finals::reason, finals::epoch, finals::finished_at, finals::wait_us, finals::run_us, finals::cut);
    let row = finals::table.find((rows::state_code(state), view.id.0)).select(columns);
    let (reason, epoch, finished_at, wait_us, run_us, cut): Row = row.get_result(conn)?;
    view.state = state;
    view.reason = reason.map(rows::reason).transpose()?;
    if view.tally == Tally::default() && epoch == 1 {
        // A first run that succeeded has no tally.
        view.tally.runs = 1;
    }
    view.tally.epoch = epoch;
    view.finished_at_us = Some(finished_at);
    view.wait_us = Some(wait_us);
    view.run_us = Some(run_us);
    view.cut = cut != 0;
    let bytes = result::table.find(view.id.0).select(result::bytes).get_result(conn).optional()?;
    view.result = bytes.unwrap_or_default();
    Ok(())
}

fn attempts(conn: &mut SqliteConnection, id: TaskId) -> Result<Vec<AttemptView>> {
    use schema::attempt::dsl;
    type Row = (
        (i64, i32, String, Option<i32>, Option<i32>, Option<i64>, Option<i64>),
        (i64, i64, i64, Option<i64>, Option<i32>, Vec<u8>),
    );
    let found: Vec<Row> = dsl::attempt
        .filter(dsl::task.eq(id.0))
        .order(dsl::epoch)
        .limit(LIST_MAX)
        .select((
            (dsl::epoch, dsl::outcome, dsl::detail, dsl::code, dsl::signal, dsl::peak_rss_bytes, dsl::cpu_ms),
            (dsl::started_at, dsl::ended_at, dsl::run_us, dsl::worker, dsl::pid, dsl::output),
        ))
        .load(conn)?;
    let view =
        |((epoch, outcome, detail, code, signal, peak, cpu), (started, ended, run_us, worker, pid, output)): Row| {
            Ok(AttemptView {
                epoch,
                outcome: rows::outcome(outcome)?,
                detail,
                code,
                signal,
                peak_rss_bytes: peak,
                cpu_ms: cpu,
                started_at_us: started,
                ended_at_us: ended,
                run_us,
                worker: worker.map(WorkerId),
                pid,
                output,
            })
        };
    found.into_iter().map(view).collect()
}

fn list(conn: &mut SqliteConnection, state: Option<TaskState>, limit: i64) -> Result<Vec<TaskView>> {
    use schema::{finals, later, ready, running, task};
    let limit = limit.clamp(1, LIST_MAX);
    let ids: Vec<i64> = match state {
        None => task::table.select(task::id).order(task::id.desc()).limit(limit).load(conn)?,
        Some(TaskState::Available) => {
            ready::table.select(ready::id).order((ready::queue, ready::rank, ready::id)).limit(limit).load(conn)?
        }
        Some(waiting @ (TaskState::Scheduled | TaskState::Retryable)) => later::table
            .filter(later::state.eq(rows::state_code(waiting)))
            .select(later::id)
            .order((later::due_at, later::id))
            .limit(limit)
            .load(conn)?,
        Some(TaskState::Running) => {
            running::table.select(running::id).order(running::id.desc()).limit(limit).load(conn)?
        }
        Some(ended @ (TaskState::Completed | TaskState::Failed | TaskState::Cancelled)) => finals::table
            .filter(finals::state.eq(rows::state_code(ended)))
            .select(finals::id)
            .order(finals::id.desc())
            .limit(limit)
            .load(conn)?,
    };
    let mut views = Vec::with_capacity(ids.len());
    for id in ids {
        views.extend(self::task(conn, TaskId(id))?.map(|view| TaskView {
            args: Vec::new(),
            result: Vec::new(),
            ..view
        }));
    }
    Ok(views)
}

fn ended_runs(conn: &mut SqliteConnection, limit: i64) -> Result<Vec<EndedRun>> {
    use schema::{finals, task};
    let found: Vec<(String, i32, i64, i64, i64, i64)> = finals::table
        .inner_join(task::table.on(task::id.eq(finals::id)))
        .select((task::kind, finals::state, finals::epoch, finals::finished_at, finals::wait_us, finals::run_us))
        .order((finals::state, finals::id))
        .limit(limit)
        .load(conn)?;
    let ended = |(kind, state, epoch, finished_at_us, wait_us, run_us)| {
        Ok(EndedRun { kind, state: rows::state(state)?, epoch, finished_at_us, wait_us, run_us })
    };
    found.into_iter().map(ended).collect()
}
