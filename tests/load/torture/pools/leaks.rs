//! Workers in Python that leak with each task: they are replaced between two runs before they have too much, and no task pays.

use std::time::Instant;

use anyhow::{Result, ensure};
use serde_json::json;

use super::ended::ended;
use super::report::Report;
use crate::harness::{Sandbox, installed_package};

const WORKERS: usize = 2;
/// A worker is recycled once it has leaked so often, if it was measured, and after more at the latest. Its limit leaves room for what
/// it leaks between two measurements.
const RECYCLED_AFTER: u64 = 25;
const RECYCLED_AT_THE_LATEST_AFTER: u64 = 40;
const LIMIT_AFTER: u64 = 60;
/// Of an interpreter without leaks.
const BASE_MB: u64 = 30;
/// In one request.
const BULK: usize = 1_000;

const WORKER: &str = "import resource

from mutirao import Worker

app = Worker()
kept = []

@app.task(\"leak\")
def leak(size_bytes: int) -> int:
    kept.append(b\"x\" * size_bytes)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

app.run()
";

pub(super) fn leaks(tasks: usize, leak_mb: u64) -> Result<Report> {
    let sandbox = Sandbox::new(&config(leak_mb));
    sandbox.write("worker.py", WORKER);
    let package = installed_package().to_string_lossy();
    let supervisor = sandbox.spawn(&[("PYTHONPATH", &*package)]).await_ready();
    supervisor.await_greetings("python", 1);
    let start = Instant::now();
    let ids = enqueue(&sandbox, tasks, leak_mb)?;
    let mut report = Report::default();
    let mut peak_bytes = 0;
    for task in ended(&sandbox, ids)? {
        let (state, runs) = (&task.summary.state, task.summary.runs);
        let is_good = state == "completed" && runs == 1;
        report.claim(is_good, || format!("task {} is {state} after {runs} runs", task.summary.id));
        peak_bytes = peak_bytes.max(task.result.read::<u64>().unwrap_or(0));
    }
    let took_s = start.elapsed().as_secs_f64();
    let gone = supervisor.log().find(|line| line.is("worker gone"));
    let because = |part: &str| gone.iter().filter(|line| line.text.contains(part)).count();
    let (by_memory, by_tasks) = (because(" in memory after "), because("; it has run "));
    let limit_bytes = mb(leak_mb, LIMIT_AFTER) * 1_000_000;
    report.claim(because("over the limit") == 0, || {
        format!("{} workers were over their limit", because("over the limit"))
    });
    report.claim(peak_bytes < limit_bytes, || {
        format!("a worker had {peak_bytes} bytes in memory, over its limit of {limit_bytes}")
    });
    let least = tasks / RECYCLED_AT_THE_LATEST_AFTER as usize;
    let recycled = by_memory + by_tasks;
    report.claim(recycled + WORKERS >= least, || format!("only {recycled} workers were recycled, not {least}"));
    report.figure("tasks that leak", format!("{tasks} of {leak_mb} MB each, in {took_s:.1} s"));
    report.figure("workers recycled", format!("{by_memory} by what they had in memory, {by_tasks} by their tasks"));
    let (peak_mb, limit_mb) = (peak_bytes / 1_000_000, limit_bytes / 1_000_000);
    report.figure("most that one had in memory", format!("{peak_mb} MB, of {limit_mb} MB that it may have"));
    sandbox.finish(supervisor);
    Ok(report)
}

fn mb(leak_mb: u64, tasks: u64) -> u64 {
    BASE_MB + leak_mb * tasks
}

fn config(leak_mb: u64) -> String {
    format!(
        "[pools.python]\ncommand = [\"python3\", \"worker.py\"]\nworkers = {WORKERS}\nenv = [\"PYTHONPATH\"]\n\
         limits = {{ memory = \"{}MB\" }}\nrecycle = {{ memory = \"{}MB\", tasks = {RECYCLED_AT_THE_LATEST_AFTER} }}\n\
         [kinds.leak]\nqueue = \"python\"\nmax_attempts = 1\nmax_crashes = 1\n",
        mb(leak_mb, LIMIT_AFTER),
        mb(leak_mb, RECYCLED_AFTER)
    )
}

fn enqueue(sandbox: &Sandbox, tasks: usize, leak_mb: u64) -> Result<Vec<i64>> {
    let task = json!({ "kind": "leak", "args": { "size_bytes": leak_mb * 1_000_000 } });
    let mut ids = Vec::with_capacity(tasks);
    while ids.len() < tasks {
        let bulk = vec![task.clone(); BULK.min(tasks - ids.len())];
        let (status, answer) = sandbox.http("POST", "/v1/tasks/bulk", Some(&json!({ "tasks": bulk })));
        let answered = answer["tasks"].as_array().map(Vec::as_slice).unwrap_or_default();
        ids.extend(answered.iter().filter_map(|task| task["id"].as_i64()));
        ensure!(answered.len() == bulk.len(), "a bulk was answered with {status}");
    }
    Ok(ids)
}
