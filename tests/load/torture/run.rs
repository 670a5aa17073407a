//! A torture from beginning to end: a fresh queue, clients and killer at the same time, then quiet, then the proof.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use queue_core::store::Reader;
use queue_core::task::TaskId;
use serde_json::json;
use supervisor::cli::client::{Client, blocking};

use super::clients::enqueue_all;
use super::killer::{Killer, Toll};
use super::mark::{MARK, MARK_COMMAND, MARKS, prepare};
use super::outcome::Outcome;
use super::plan::plan;
use super::progress::Progress;
use super::verdict::judge;
use crate::harness::{HANG_GUARD_S, Sandbox, Supervisor};

/// Of each pool. More than there are cores, so that runs are cut off at each point of their way.
const WORKERS: u32 = 8;
/// Far above what the kills of one torture can cost a task, and at most what the configuration takes.
const BUDGET_RUNS: u32 = 1_000;
/// One wait for the end of a task.
const WAIT: Duration = Duration::from_secs(30);
const WAITS_MAX: u64 = HANG_GUARD_S / WAIT.as_secs();

/// How much of what.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Named tasks to enqueue
    #[arg(long, default_value_t = 20_000)]
    pub enqueues: usize,
    /// Clients that share them, each repeating an enqueue until it is answered
    #[arg(long, default_value_t = 8)]
    pub clients: usize,
    /// Kills of the supervisor, SIGKILL
    #[arg(long, default_value_t = 50)]
    pub kills: usize,
    /// Kills of a process in the middle of a run, SIGKILL
    #[arg(long, default_value_t = 200)]
    pub worker_kills: usize,
    /// Draws the moments of all kills and the work of all tasks; by chance when left out
    #[arg(long)]
    pub seed: Option<u64>,
}

/// `program` is the one whose subcommands `worker` and `mark` play the tasks.
///
/// # Errors
/// Those of the system. What the product does wrong is in the outcome.
///
/// # Panics
/// The supervisor hangs, leaves a process behind, ends badly, or its doctor finds something.
pub fn run(options: &Options, program: &Path) -> Result<Outcome> {
    ensure!(options.clients > 0, "a torture needs at least one client");
    let seed = options.seed.unwrap_or_else(|| fastrand::u64(..));
    eprintln!("torture with --seed {seed}");
    let sandbox = Sandbox::new("");
    sandbox.write("supervisor.toml", &config(program, sandbox.as_ref()));
    prepare(sandbox.as_ref())?;
    let marks = sandbox.fifo(MARKS);
    // Both ways, so that the pipe never ends while a run may still write.
    let pipe = File::options().read(true).write(true).open(marks.path())?;
    let progress = Progress::new(options.enqueues);
    let start = Instant::now();
    let Played { supervisor, toll, answered_after } = thread::scope(|scope| {
        scope.spawn(|| progress.read(&pipe));
        let _end = EndOfMarks(&pipe);
        let played = play(options, seed, &sandbox, &progress)?;
        settle(&sandbox.db(), &progress)?;
        anyhow::Ok(played)
    })?;
    sandbox.finish(supervisor);

    let mut facts = progress.facts();
    for violation in judge(&sandbox.db(), seed, &facts.ids)? {
        facts.violated(violation);
    }
    if (toll.supervisor_kills, toll.worker_kills) != (options.kills, options.worker_kills) {
        facts.violated("the work was over before all kills were done; enqueue more".to_owned());
    }
    Ok(Outcome {
        violations: facts.violations.clone(),
        violations_in_all: facts.violations_in_all,
        seed,
        tasks: options.enqueues,
        clients: options.clients,
        runs: facts.begun,
        answered_after,
        ended_after: facts.ended_at.unwrap_or(start).duration_since(start),
        toll,
    })
}

struct Played {
    supervisor: Supervisor,
    toll: Toll,
    answered_after: Duration,
}

/// Clients and killer, until every enqueue is answered and every kill is done.
fn play(options: &Options, seed: u64, sandbox: &Sandbox, progress: &Progress) -> Result<Played> {
    let mut random = fastrand::Rng::with_seed(seed);
    let strikes = plan(2 * options.enqueues, options.kills, options.worker_kills, &mut random);
    let killer = Killer::new(sandbox, progress, random);
    let (db, start) = (sandbox.db(), Instant::now());
    thread::scope(|scope| {
        // Whatever ends this scope, also a panic of the killer, nobody waits any more.
        let _over = Over(progress);
        let clients: Vec<_> = (0..options.clients)
            .map(|first| {
                scope.spawn({
                    let db = &db;
                    move || enqueue_all(db, seed, first, options.clients, progress).map(|()| start.elapsed())
                })
            })
            .collect();
        let (supervisor, toll) = killer.strike_all(&strikes);
        let mut answered_after = Duration::ZERO;
        for client in clients {
            let Ok(ended) = client.join() else { anyhow::bail!("a client panicked") };
            answered_after = answered_after.max(ended?);
        }
        Ok(Played { supervisor, toll, answered_after })
    })
}

/// Ends the reader of the marks, whatever happens.
struct EndOfMarks<'a>(&'a File);

impl Drop for EndOfMarks<'_> {
    fn drop(&mut self) {
        // An empty line is shorter than what any pipe has room for.
        let _ = self.0.write_all(b"\n");
    }
}

/// Lets nobody wait any more when one of those who take part panics.
struct Over<'a>(&'a Progress);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.change(|facts| facts.is_over |= thread::panicking());
    }
}

/// Waits until every answered task is final; one that does not become so is left to the verdict.
fn settle(db: &Path, progress: &Progress) -> Result<()> {
    let ids: Vec<i64> = progress.facts().ids.iter().flatten().copied().collect();
    let mut reader = Reader::open(db)?;
    blocking(async {
        let mut client = Client::connect(db).await?;
        let mut waits_left = WAITS_MAX;
        for id in &ids {
            while waits_left > 0 && reader.task(TaskId(*id))?.is_some_and(|view| !view.state.is_final()) {
                let task = client.task(*id, WAIT).await?;
                waits_left -= u64::from(!task.summary.is_final());
            }
        }
        Ok(())
    })?
}

fn config(program: &Path, folder: &Path) -> String {
    let role = |name: &str| json!([program, name, folder]);
    let budget = format!("max_crashes = {BUDGET_RUNS}\nbackoff = {{ base = \"10ms\", cap = \"100ms\" }}\n");
    // JSON text is text in TOML as well.
    format!(
        "[pools.{MARK}]\ncommand = {}\nworkers = {WORKERS}\n\
         [pools.commands]\nstock = true\nworkers = {WORKERS}\n\
         [kinds.{MARK}]\nqueue = \"{MARK}\"\n{budget}\
         [kinds.{MARK_COMMAND}]\nrun = {}\n{budget}",
        role("worker"),
        json!([program, "mark", folder, "{task}", "{rounds}", "{idle_ms}"]),
    )
}
