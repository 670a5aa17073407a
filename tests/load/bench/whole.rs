//! The whole path: a real supervisor, real workers, callers at its socket. Rates are taken from the rows that it leaves.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use ipc_contract::{Payload, TaskSpec};
use queue_core::store::{EndedRun, Reader};
use queue_core::task::TaskId;
use serde_json::json;
use supervisor::cli::client::{Client, ClientError};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::ticks::Ticks;
use super::worker::{CLOCK, NOOP};
use crate::harness::{HANG_GUARD_S, Sandbox, Supervisor};
use crate::load::monotonic::monotonic_us;

/// Tasks of one turn when a queue is filled beforehand.
const FILL_TASKS: usize = 1_000;
/// A caller that waits for each answer is slower by that much.
const ALONE_TASKS_DIVISOR: usize = 10;
const PICK_UPS: usize = 100;
/// From one task that is to be picked up to the next.
const PICK_UP_INTERVAL: Duration = Duration::from_millis(20);
/// One wait for the end of a task.
const WAIT: Duration = Duration::from_secs(30);
const WAITS_MAX: u64 = HANG_GUARD_S / WAIT.as_secs();

/// What is the same in all measurements.
pub(super) struct Setup {
    pub(super) program: PathBuf,
    pub(super) tasks: usize,
    pub(super) clients: usize,
    pub(super) args: Payload,
}

pub(super) struct Whole<'a> {
    setup: &'a Setup,
    sandbox: Sandbox,
    supervisor: Supervisor,
    runtime: Runtime,
    /// All ids up to here were given.
    last_id: i64,
    /// Final rows that were looked at.
    seen: usize,
}

impl<'a> Whole<'a> {
    /// Starts a supervisor whose queue is full already.
    pub(super) fn start(setup: &'a Setup, workers: u32) -> Result<Whole<'a>> {
        let command = json!([setup.program, "worker"]);
        let sandbox = Sandbox::new(&format!("[pools.{NOOP}]\ncommand = {command}\nworkers = {workers}\n"));
        let mut ticks = Ticks::open(&sandbox.db(), setup.args.0.clone(), Vec::new())?;
        for filled in (0..setup.tasks).step_by(FILL_TASKS) {
            ticks.enqueue(FILL_TASKS.min(setup.tasks - filled))?;
        }
        drop(ticks);
        let supervisor = sandbox.start();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Whole { setup, sandbox, supervisor, runtime, last_id: i64::try_from(setup.tasks)?, seen: 0 })
    }

    /// Life cycles a second of the tasks that were there at the start, from the first start to the last end.
    pub(super) fn drain(&mut self) -> Result<f64> {
        let ended = self.settle()?;
        let first_us = ended.iter().map(|run| run.finished_at_us - run.run_us).min();
        rate(&ended, first_us.context("nothing was drained")?)
    }

    /// Answers a second, and life cycles a second from the first question to the last end.
    pub(super) fn end_to_end(&mut self, clients: usize) -> Result<(f64, f64)> {
        let tasks = if clients == 1 { self.setup.tasks.div_ceil(ALONE_TASKS_DIVISOR) } else { self.setup.tasks };
        let share = tasks.div_ceil(clients);
        let wall = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let start = Instant::now();
        let db = self.sandbox.db();
        let spec = self.spec(NOOP);
        self.last_id = self.runtime.block_on(async {
            let mut crowd = JoinSet::new();
            for _ in 0..clients {
                let (db, spec) = (db.clone(), spec.clone());
                crowd.spawn(async move {
                    let mut client = Client::connect(&db).await?;
                    let mut last_id = 0;
                    for _ in 0..share {
                        last_id = client.enqueue(&spec).await?.id;
                    }
                    Ok::<_, ClientError>(last_id)
                });
            }
            let last_ids = crowd.join_all().await.into_iter().collect::<Result<Vec<_>, _>>()?;
            last_ids.into_iter().max().context("there is no client")
        })?;
        let answered_s = start.elapsed().as_secs_f64();
        let ended = self.settle()?;
        Ok(((share * clients) as f64 / answered_s, rate(&ended, i64::try_from(wall.as_micros())?)?))
    }

    /// From the call that enqueues to the first line of the handler, when nothing else is to be done.
    pub(super) fn pick_up_ms(&mut self) -> Result<Vec<f64>> {
        let (db, spec) = (self.sandbox.db(), self.spec(CLOCK));
        let asked: Vec<(i64, i64)> = self.runtime.block_on(async {
            let mut client = Client::connect(&db).await?;
            let mut pace = interval(PICK_UP_INTERVAL);
            pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut asked = Vec::with_capacity(PICK_UPS);
            for _ in 0..PICK_UPS {
                pace.tick().await;
                let asked_at_us = monotonic_us()?;
                asked.push((client.enqueue(&spec).await?.id, asked_at_us));
            }
            anyhow::Ok(asked)
        })?;
        self.last_id = asked.last().map_or(self.last_id, |(id, _)| *id);
        self.settle()?;
        let mut reader = Reader::open(&db)?;
        let mut took_ms = |(id, asked_at_us): (i64, i64)| {
            let view = reader.task(TaskId(id))?.context("a task is not there any more")?;
            let started_at_us: i64 = Payload(view.result).read()?;
            Ok((started_at_us - asked_at_us) as f64 / 1e3)
        };
        asked.into_iter().map(&mut took_ms).collect()
    }

    pub(super) fn finish(self) {
        self.sandbox.finish(self.supervisor);
    }

    fn spec(&self, kind: &str) -> TaskSpec {
        let queue = Some(NOOP.to_owned());
        TaskSpec { kind: kind.to_owned(), queue, args: self.setup.args.clone(), ..TaskSpec::default() }
    }

    /// Waits until everything is final; the runs that ended since the last look.
    fn settle(&mut self) -> Result<Vec<EndedRun>> {
        let mut reader = Reader::open(&self.sandbox.db())?;
        let count = usize::try_from(self.last_id)?;
        self.runtime.block_on(async {
            let mut client = Client::connect(&self.sandbox.db()).await?;
            // The last one first, since then nearly all others have ended as well.
            for id in (1..=self.last_id).rev() {
                let is_final = |reader: &mut Reader| {
                    anyhow::Ok(reader.task(TaskId(id))?.is_some_and(|view| view.state.is_final()))
                };
                let mut waits_left = WAITS_MAX;
                while !is_final(&mut reader)? {
                    ensure!(waits_left > 0, "task {id} does not end");
                    waits_left -= 1;
                    client.task(id, WAIT).await?;
                }
                if reader.ended_runs(i64::MAX)?.len() == count {
                    break;
                }
            }
            anyhow::Ok(())
        })?;
        let mut ended = reader.ended_runs(i64::MAX)?;
        ensure!(ended.len() == count, "{} of {count} tasks ended", ended.len());
        ensure!(ended.iter().all(|run| run.state.name() == "completed"), "a task that does nothing has failed");
        let fresh = ended.split_off(self.seen);
        self.seen = count;
        Ok(fresh)
    }
}

/// Ends a second, from a moment of the wall clock to the last end.
fn rate(ended: &[EndedRun], from_us: i64) -> Result<f64> {
    let last_us = ended.iter().map(|run| run.finished_at_us).max().context("nothing has ended")?;
    Ok(ended.len() as f64 / ((last_us - from_us).max(1) as f64 / 1e6))
}
