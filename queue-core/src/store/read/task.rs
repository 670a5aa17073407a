//! Single tasks as they stand, and how their runs ended. What lies in which table is put together here; nothing is decided.

use std::collections::BTreeMap;

use diesel::prelude::*;

use crate::priority::TaskPriority;
use crate::state::{FailReason, TaskState};
use crate::store::error::StoreError;
use crate::store::rows::{overrides, priority, tally};
use crate::store::{rows, schema};
use crate::task::{Outcome, Overrides, Progress, Tally, TaskId, WorkerId};

type Result<T> = std::result::Result<T, StoreError>;

/// Attempts of one task that are shown, at most: the last ones.
pub const ATTEMPTS_MAX: i64 = 500;

/// Where a task's row is, with what is needed to take it away from there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    Available(LinePlace),
    Later { state: TaskState },
    Running,
    Final { state: TaskState },
}

impl Phase {
    pub fn state(&self) -> TaskState {
        match self {
            Phase::Available(_) => TaskState::Available,
            Phase::Running => TaskState::Running,
            Phase::Later { state } | Phase::Final { state } => *state,
        }
    }
}

/// What the place of an available task depends on. Whether that is in `ready` or in a lane, the book knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinePlace {
    pub queue: String,
    pub key: Option<String>,
    pub priority: TaskPriority,
    /// By the queue clock.
    pub since_us: i64,
}

/// How much of a task is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// Without args, result, spend, cost and budget.
    Summary,
    Whole,
}

/// What a run has said last of how far it is.
#[derive(Clone, Debug, PartialEq)]
pub struct ProgressView {
    /// Of the run that said it.
    pub epoch: i64,
    pub progress: Progress,
    pub noted_at_us: i64,
}

/// What the runs of a task may spend of a unit, and have spent since it was enqueued or tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetView {
    pub unit: String,
    pub amount: i64,
    pub spent: i64,
}

/// A task as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskView {
    pub id: TaskId,
    pub kind: String,
    pub queue: String,
    pub priority: TaskPriority,
    pub name: Option<String>,
    pub key: Option<String>,
    pub cost: BTreeMap<String, u32>,
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
    pub progress: Option<ProgressView>,
    /// By unit, in all its runs.
    pub spent: Vec<(String, i64)>,
    pub budget: Vec<BudgetView>,
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

pub(in crate::store) fn phase(conn: &mut SqliteConnection, id: TaskId) -> Result<Option<Phase>> {
    use schema::{finals, later, running, tally as spent, task};
    type Body = (String, Option<String>, i32, i64, Option<(Option<i32>, i64)>);
    let body: Option<Body> = task::table
        .left_join(spent::table.on(spent::id.eq(task::id)))
        .filter(task::id.eq(id.0))
        .select((task::queue, task::key, task::priority, task::since, (spent::priority, spent::since).nullable()))
        .get_result(conn)
        .optional()?;
    let Some((queue, key, level, since, again)) = body else { return Ok(None) };
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
    // In none of the others: it stands in line.
    let (changed, since_us) = again.map_or((None, since), |(level, since)| (level, since));
    Ok(Some(Phase::Available(LinePlace { queue, key, priority: priority(changed.unwrap_or(level))?, since_us })))
}

pub(super) fn task(conn: &mut SqliteConnection, id: TaskId, depth: Depth) -> Result<Option<TaskView>> {
    use schema::{later, running, tally as spent, task};
    type Body = ((String, String, i32, Option<String>, Option<String>), (Option<i64>, Option<i64>, Option<i64>, i64));
    let columns = (
        (task::kind, task::queue, task::priority, task::name, task::key),
        (task::timeout_ms, task::max_attempts, task::max_crashes, task::created_at),
    );
    let Some(found) = phase(conn, id)? else { return Ok(None) };
    let body: Body = task::table.find(id.0).select(columns).get_result(conn)?;
    let ((kind, queue, level, name, key), (timeout, attempts, crashes, created_at_us)) = body;
    let spent: Option<(i64, i64, i64, i64, i64, Option<i32>)> = spent::table
        .find(id.0)
        .select((spent::epoch, spent::runs, spent::attempts, spent::crashes, spent::lost, spent::priority))
        .get_result(conn)
        .optional()?;
    let mut view = TaskView {
        id,
        kind,
        queue,
        priority: priority(spent.and_then(|spent| spent.5).unwrap_or(level))?,
        name,
        key,
        cost: BTreeMap::new(),
        args: Vec::new(),
        overrides: overrides(timeout, attempts, crashes),
        created_at_us,
        state: TaskState::Available,
        reason: None,
        cancelling: false,
        tally: spent.map(|(t0, t1, t2, t3, t4, _)| tally(t0, t1, t2, t3, t4)).unwrap_or_default(),
        due_at_us: None,
        claimed_at_us: None,
        finished_at_us: None,
        wait_us: None,
        run_us: None,
        result: Vec::new(),
        cut: false,
        progress: progress(conn, id)?,
        spent: Vec::new(),
        budget: Vec::new(),
    };
    match found {
        Phase::Available(_) => {}
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
    if depth == Depth::Whole {
        use schema::{result, spend};
        view.args = task::table.find(id.0).select(task::args).get_result(conn)?;
        let bytes = result::table.find(id.0).select(result::bytes).get_result(conn).optional()?;
        view.result = bytes.unwrap_or_default();
        let of_task = spend::table.filter(spend::task.eq(id.0)).order(spend::unit);
        view.spent = of_task.select((spend::unit, spend::amount)).load(conn)?;
        (view.cost, view.budget) = (cost(conn, id)?, budget(conn, id)?);
    }
    Ok(Some(view))
}

pub(super) fn cost(conn: &mut SqliteConnection, id: TaskId) -> Result<BTreeMap<String, u32>> {
    use schema::cost::dsl;
    let found: Vec<(String, i64)> = dsl::cost.filter(dsl::task.eq(id.0)).select((dsl::unit, dsl::amount)).load(conn)?;
    let small = |(unit, amount)| (unit, u32::try_from(amount).unwrap_or(u32::MAX));
    Ok(found.into_iter().map(small).collect())
}

fn budget(conn: &mut SqliteConnection, id: TaskId) -> Result<Vec<BudgetView>> {
    use schema::budget::dsl;
    let of_task = dsl::budget.filter(dsl::task.eq(id.0)).order(dsl::unit);
    let found: Vec<(String, i64, i64)> = of_task.select((dsl::unit, dsl::amount, dsl::spent)).load(conn)?;
    Ok(found.into_iter().map(|(unit, amount, spent)| BudgetView { unit, amount, spent }).collect())
}

fn progress(conn: &mut SqliteConnection, id: TaskId) -> Result<Option<ProgressView>> {
    use schema::progress::dsl;
    type Row = (i64, Option<f64>, Option<f64>, Option<String>, i64);
    let columns = (dsl::epoch, dsl::done, dsl::total, dsl::message, dsl::noted_at);
    let row: Option<Row> = dsl::progress.find(id.0).select(columns).get_result(conn).optional()?;
    Ok(row.map(|(epoch, done, total, message, noted_at_us)| ProgressView {
        epoch,
        progress: Progress { done, total, message },
        noted_at_us,
    }))
}

fn fill_final(conn: &mut SqliteConnection, state: TaskState, view: &mut TaskView) -> Result<()> {
    use schema::finals;
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
    Ok(())
}

pub(super) fn attempts(conn: &mut SqliteConnection, id: TaskId) -> Result<Vec<AttemptView>> {
    use schema::attempt::dsl;
    type Row = (
        (i64, i32, String, Option<i32>, Option<i32>, Option<i64>, Option<i64>),
        (i64, i64, i64, Option<i64>, Option<i32>, Vec<u8>),
    );
    let found: Vec<Row> = dsl::attempt
        .filter(dsl::task.eq(id.0))
        .order(dsl::epoch.desc())
        .limit(ATTEMPTS_MAX)
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
    found.into_iter().rev().map(view).collect()
}

pub(super) fn ended_runs(conn: &mut SqliteConnection, limit: i64) -> Result<Vec<EndedRun>> {
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
