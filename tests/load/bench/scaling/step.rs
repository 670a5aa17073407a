//! A load that steps from nothing to full and back to nothing, through a real supervisor with a pool that scales from zero.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use queue_core::store::Reader;
use serde_json::{Value, json};
use supervisor::cli::client::Client;
use tokio::time::{MissedTickBehavior, interval};

use super::super::channel::SAMPLES;
use super::ScalingOptions;
use super::seen::{Sample, Seen};
use crate::harness::{HANG_GUARD_S, Sandbox};

const POOL: &str = "load";
/// Callers put their tasks together.
const BULK_EVERY: Duration = Duration::from_millis(50);
const LOOK_EVERY: Duration = Duration::from_millis(100);

pub(super) fn play(options: &ScalingOptions, program: &Path) -> Result<Seen> {
    let command = json!([program, SAMPLES]);
    let sandbox = Sandbox::new(&format!(
        "[pools.{POOL}]\ncommand = {command}\nworkers = {{ min = 0, max = {} }}\n\
         scale = {{ target_wait = \"1s\", cooldown = \"1s\" }}\n",
        options.max
    ));
    let supervisor = sandbox.start();
    let db = sandbox.db();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut seen = runtime.block_on(async {
        let (load, samples) = tokio::join!(feed(&db, options), watch(&db));
        let (samples, decisions) = samples?;
        anyhow::Ok(Seen { load_us: load?, samples, decisions, waits: Vec::new() })
    })?;
    seen.waits = Reader::open(&db)?
        .ended_runs(i64::MAX)?
        .into_iter()
        .map(|run| (run.finished_at_us - run.run_us, run.wait_us))
        .collect();
    sandbox.finish(supervisor);
    Ok(seen)
}

/// Enqueues at the rate; when that began and ended.
async fn feed(db: &Path, options: &ScalingOptions) -> Result<(i64, i64)> {
    let task = json!({ "kind": "sleep", "queue": POOL, "args": { "ms": options.task_ms } });
    let mut client = Client::connect(db).await?;
    let mut pace = interval(BULK_EVERY);
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let bulks = options.seconds * 1_000 / BULK_EVERY.as_millis() as u64;
    let began_us = wall_us()?;
    let mut sent = 0;
    for bulk in 1..=bulks {
        pace.tick().await;
        let due = bulk * u64::from(options.rate) * BULK_EVERY.as_millis() as u64 / 1_000;
        let bulk = json!({ "tasks": vec![&task; (due - sent) as usize] });
        client.enqueue_all(serde_json::to_vec(&bulk)?).await?;
        sent = due;
    }
    Ok((began_us, wall_us()?))
}

/// Looks until the load has come and the pool is back at its least; with the decisions.
async fn watch(db: &Path) -> Result<(Vec<Sample>, Vec<String>)> {
    let mut client = Client::connect(db).await?;
    let mut pace = interval(LOOK_EVERY);
    let mut samples: Vec<Sample> = Vec::new();
    for _ in 0..HANG_GUARD_S * 1_000 / LOOK_EVERY.as_millis() as u64 {
        pace.tick().await;
        let (status, pool) = client.request("GET".parse()?, &format!("/v1/pools/{POOL}"), None).await?;
        ensure!(status.is_success(), "the pool cannot be looked at: {pool}");
        let workers = pool["workers"].as_array().map_or(0, Vec::len);
        samples.push(Sample { at_us: wall_us()?, workers, waiting: pool["waiting"].as_u64().unwrap_or(0) });
        if workers == 0 && samples.iter().any(|sample| sample.workers > 0) {
            let decisions = pool["decisions"].as_array().into_iter().flatten();
            return Ok((samples, decisions.map(sentence).collect()));
        }
    }
    Err(anyhow::anyhow!("the pool does not come to rest"))
}

fn sentence(decision: &Value) -> String {
    let text = |name: &str| decision[name].as_str().unwrap_or_default().to_owned();
    format!("{}  {} -> {}  {}", text("at"), decision["from"], decision["to"], text("why"))
}

fn wall_us() -> Result<i64> {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH)?;
    i64::try_from(since_1970.as_micros()).context("the clock is far in the future")
}
