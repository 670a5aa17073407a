//! A client: enqueues its share of the tasks under their names, each again and again until it is answered, and some once
//! more after that.

use std::path::Path;

use ipc_contract::{Payload, TaskSpec};
use supervisor::cli::client::{Client, ClientError};
use tokio::runtime::Runtime;

use super::mark::{MARK, MARK_COMMAND, Work};
use super::progress::Progress;

/// One in so many tasks is a plain command: a process of its own, and so the slower one.
const COMMAND_ODDS: usize = 16;
/// One in so many names is enqueued again after its answer.
const AGAIN_ODDS: usize = 16;
/// One in so many runs of a kind is not over at once, so that its processes are there to be hit, or to be left behind.
const IDLE_ODDS: usize = 64;
const IDLE_COMMAND_ODDS: usize = 4;
const IDLE_MS_MAX: u64 = 100;
const ROUNDS_MAX: u64 = 1_000;
/// Failures in a row of one enqueue while the supervisor is up.
const FAILURES_MAX: u32 = 100;

/// Task number `task` as it is enqueued; by the seed it is always the same.
pub(super) fn task_of(seed: u64, task: usize) -> (&'static str, Work) {
    let mut random = fastrand::Rng::with_seed(seed ^ (task as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let is_command = random.usize(..COMMAND_ODDS) == 0;
    let (kind, idle_odds) = if is_command { (MARK_COMMAND, IDLE_COMMAND_ODDS) } else { (MARK, IDLE_ODDS) };
    let idle_ms = if random.usize(..idle_odds) == 0 { random.u64(..IDLE_MS_MAX) } else { 0 };
    (kind, Work { task, rounds: random.u64(..ROUNDS_MAX), idle_ms })
}

/// Enqueues every `step`th task from `first` on.
///
/// # Errors
/// No runtime can be made. What the supervisor does wrong becomes a violation.
pub(super) fn enqueue_all(db: &Path, seed: u64, first: usize, step: usize, progress: &Progress) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut random = fastrand::Rng::with_seed(seed.wrapping_add(first as u64));
    let mut caller = Caller { db, runtime, client: None, progress };
    let tasks = progress.facts().ids.len();
    for task in (first..tasks).step_by(step) {
        let (kind, work) = task_of(seed, task);
        let name = Some(format!("torture-{task}"));
        let spec = TaskSpec { kind: kind.to_owned(), name, args: Payload::of(&work)?, ..TaskSpec::default() };
        for _ in 0..if random.usize(..AGAIN_ODDS) == 0 { 2 } else { 1 } {
            if !caller.enqueue(task, &spec) {
                return Ok(());
            }
        }
    }
    Ok(())
}

struct Caller<'a> {
    db: &'a Path,
    runtime: Runtime,
    client: Option<Client>,
    progress: &'a Progress,
}

impl Caller<'_> {
    /// False when there is no more hope.
    fn enqueue(&mut self, task: usize, spec: &TaskSpec) -> bool {
        let (mut failures, mut failed_in) = (0, 0);
        loop {
            let facts = self.progress.wait(|facts| facts.is_up);
            let (is_over, life) = (facts.is_over, facts.life);
            drop(facts);
            if is_over {
                return false;
            }
            let error = match self.runtime.block_on(ask(&mut self.client, self.db, spec)) {
                Ok(id) => {
                    self.progress.change(|facts| facts.answered(task, id));
                    return true;
                }
                Err(error) => error,
            };
            self.client = None;
            failures = if failed_in == life { failures + 1 } else { 1 };
            failed_in = life;
            if is_refusal(&error) || failures > FAILURES_MAX {
                let text = format!("task {task} cannot be enqueued, with the supervisor up: {error}");
                self.progress.change(|facts| {
                    facts.violated(text);
                    facts.is_over = true;
                });
                return false;
            }
        }
    }
}

async fn ask(client: &mut Option<Client>, db: &Path, spec: &TaskSpec) -> Result<i64, ClientError> {
    let connected = match client.take() {
        Some(client) => client,
        None => Client::connect(db).await?,
    };
    Ok(client.insert(connected).enqueue(spec).await?.id)
}

/// An answer other than "later".
fn is_refusal(error: &ClientError) -> bool {
    matches!(error, ClientError::Refused(refusal) if refusal.status.as_u16() != 503)
}
