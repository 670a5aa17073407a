//! The rounds of a bench: everything is measured in each of them, and what is compared takes turns in going first.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use ipc_contract::Payload;
use serde_json::json;

use super::disk::sync_ms;
use super::raw::Raw;
use super::report::Report;
use super::ticks::Ticks;
use super::whole::{Setup, Whole};
use crate::load::percentile;

const PER_S: &str = "life cycles/s";
/// Tasks in one transaction, and transactions of each sort in one round.
const SIZES: [(usize, usize); 4] = [(1, 200), (16, 200), (100, 100), (1000, 20)];
/// How often two that are compared take turns within a round: a disk that others use is not the same for long.
const SLICES: usize = 10;
/// What the whole path is compared with: the most that plain SQLite does.
const YARDSTICK: &str = "raw SQLite, 1000 a transaction";
/// What callers that wait for each commit are compared with.
const YARDSTICK_ALONE: &str = "raw SQLite, 1 a transaction";
const DISK: &str = "disk: append 4 KiB and sync, p50";
/// Bytes of text in the args of each task.
const ARGS_BYTES: usize = 88;

/// What to measure.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Tasks of one drain, and of one measurement end to end
    #[arg(long, default_value_t = 3_000)]
    tasks: usize,
    /// Rounds; the more there are, the surer is the median
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Worker processes of the whole path; each number is measured by itself
    #[arg(long, value_delimiter = ',', default_value = "2,16")]
    workers: Vec<u32>,
    /// Clients that enqueue at the same time, each waiting for its answer
    #[arg(long, default_value_t = 16)]
    clients: usize,
    /// Write every figure of every round to this file as well
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Measures, in the folder for temporary files. `program` is this program, whose subcommand `worker` plays the workers.
///
/// # Errors
/// Those of the system and the database; rows that the doctor complains of; a JSON file that cannot be written.
pub fn run(options: &Options, program: PathBuf) -> Result<Report> {
    ensure!(options.tasks > 0 && options.clients > 0, "there must be at least one task and one client");
    let setup = Setup {
        program,
        tasks: options.tasks,
        clients: options.clients,
        args: Payload::of(&json!({ "text": "x".repeat(ARGS_BYTES) }))?,
    };
    let mut report = Report::default();
    for round in 0..options.runs {
        eprintln!("round {} of {}", round + 1, options.runs);
        below(&mut report, &setup, round)?;
        for workers in &options.workers {
            whole(&mut report, &setup, *workers)?;
        }
    }
    if let Some(file) = &options.json {
        std::fs::write(file, report.to_json()?)?;
    }
    Ok(report)
}

/// What the whole path stands on: disk, SQLite, tick.
fn below(report: &mut Report, setup: &Setup, round: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let result = Payload::of(&())?.0;
    let mut raw = Raw::open(folder.path(), setup.args.0.clone(), result.clone())?;
    let mut ticks = Ticks::open(&folder.path().join("tick.db"), setup.args.0.clone(), result)?;
    report.note(DISK, "ms", sync_ms(folder.path())?, None);
    for (size, count) in SIZES {
        let (mut raw_s, mut tick_s) = (0.0, 0.0);
        for turn in round..round + 2 * SLICES {
            for _ in 0..count / SLICES {
                match turn % 2 {
                    0 => raw_s += raw.cycle(size)?.as_secs_f64(),
                    _ => tick_s += ticks.cycle(size)?.as_secs_f64(),
                }
            }
        }
        let tasks = (size * count) as f64;
        let name = format!("raw SQLite, {size} a transaction");
        report.note(&name, PER_S, tasks / raw_s, None);
        report.note(&format!("tick, {size} a turn"), PER_S, tasks / tick_s, Some(&name));
    }
    raw.check()?;
    ticks.check()
}

fn whole(report: &mut Report, setup: &Setup, workers: u32) -> Result<()> {
    let mut whole = Whole::start(setup, workers)?;
    let (clients, named) = (setup.clients, |what: &str| format!("{what}, {workers} workers"));
    report.note(&named("drain"), PER_S, whole.drain()?, Some(YARDSTICK));
    let (enqueued_per_s, ended_per_s) = whole.end_to_end(clients)?;
    report.note(&named(&format!("enqueue, {clients} clients")), "answers/s", enqueued_per_s, Some(YARDSTICK_ALONE));
    report.note(&named(&format!("end to end, {clients} clients")), PER_S, ended_per_s, Some(YARDSTICK));
    let (enqueued_per_s, ended_per_s) = whole.end_to_end(1)?;
    report.note(&named("enqueue, 1 client"), "answers/s", enqueued_per_s, Some(YARDSTICK_ALONE));
    report.note(&named("end to end, 1 client"), PER_S, ended_per_s, Some(YARDSTICK_ALONE));
    let mut pick_up_ms = whole.pick_up_ms()?;
    report.note(&named("pick-up p50"), "ms", percentile(&mut pick_up_ms, 50), Some(DISK));
    report.note(&named("pick-up p99"), "ms", percentile(&mut pick_up_ms, 99), Some(DISK));
    whole.finish();
    Ok(())
}
