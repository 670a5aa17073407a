//! The samples of what a run can tell: lines, progress, what it spends, what shall come after it, that it wants to leave.

use std::time::Duration;

use ipc_contract::{Level, TaskSpec};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::context::Context;
use crate::failure::Failure;
use crate::stop;
use crate::worker::Worker;

pub(super) fn add(worker: Worker) -> Worker {
    worker
        .task("log", log)
        .task("progress", progress)
        .task("spend", spend)
        .task("enqueue", enqueue)
        .task("retire", retire)
}

fn retire(context: &Context, _: IgnoredAny) -> Result<(), Failure> {
    context.retire();
    Ok(())
}

#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    level: Level,
    message: String,
}

fn log(context: &Context, line: Line) -> Result<(), Failure> {
    context.log(line.level, &line.message);
    Ok(())
}

#[derive(Deserialize)]
struct Progress {
    done: f64,
    total: Option<f64>,
    message: Option<String>,
}

fn progress(context: &Context, args: Progress) -> Result<(), Failure> {
    context.progress(args.done, args.total, args.message.as_deref());
    Ok(())
}

#[derive(Deserialize)]
struct Spend {
    unit: String,
    amount: u64,
    #[serde(default = "Spend::times")]
    times: u32,
}

impl Spend {
    fn times() -> u32 {
        1
    }
}

fn spend(context: &Context, args: Spend) -> Result<u32, Failure> {
    for _ in 0..args.times {
        if let Some(reason) = context.stop_reason() {
            return Err(Failure::new(format!("told to stop while spending ({})", stop::name(reason))));
        }
        if !context.spend(&args.unit, args.amount)?.wait(Duration::MAX) {
            return Err(Failure::new("nobody is left to store what was spent"));
        }
    }
    Ok(args.times)
}

#[derive(Deserialize)]
struct Enqueue {
    tasks: Vec<serde_json::Value>,
}

fn enqueue(context: &Context, args: Enqueue) -> Result<usize, Failure> {
    let count = args.tasks.len();
    for task in args.tasks {
        // In JSON, args stand as plain values.
        let task: TaskSpec = serde_json::from_value(task).map_err(|error| Failure::from(error).never())?;
        context.enqueue(task);
    }
    Ok(count)
}
