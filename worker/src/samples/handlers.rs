//! The samples that return, fail, wait or compute.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use ipc_contract::{MAX_FRAME_BYTES, Retry, Scope};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::failure::Failure;
use crate::handler::{Handler, Output};
use crate::stop;
use crate::worker::Worker;

use super::text_stats::{Counter, Counts};

/// What is read from a file at once.
const READ_CHUNK_BYTES: usize = 64 * 1024;

pub(super) fn add(worker: Worker) -> Worker {
    worker
        .add("echo", Handler::raw(|_, args| Ok(Output::whole(args.clone()))))
        .task("noop", |_: &Context, _: IgnoredAny| Ok::<_, Failure>(()))
        .task("sleep", sleep)
        .task("stubborn", stubborn)
        .task("busy", busy)
        .task("fail", fail)
        .task("raise", raise)
        .task("context", context)
        .task("blob", blob)
        .task("text_stats", text_stats)
}

#[derive(Deserialize)]
struct Time {
    ms: u64,
}

/// Sleeps and returns for how long; told to stop, it fails at once.
fn sleep(context: &Context, args: Time) -> Result<u64, Failure> {
    match context.wait_stop(Duration::from_millis(args.ms)) {
        None => Ok(args.ms),
        Some(reason) => Err(Failure::new(format!("told to stop while asleep ({})", stop::name(reason)))),
    }
}

/// Sleeps, whatever it is told.
fn stubborn(_: &Context, args: Time) -> Result<u64, Failure> {
    thread::sleep(Duration::from_millis(args.ms));
    Ok(args.ms)
}

/// Computes, without giving way.
fn busy(_: &Context, args: Time) -> Result<u64, Failure> {
    let (started, time) = (Instant::now(), Duration::from_millis(args.ms));
    while started.elapsed() < time {
        std::hint::spin_loop();
    }
    Ok(args.ms)
}

#[derive(Deserialize)]
struct Raise {
    #[serde(default = "Fail::error")]
    error: String,
}

fn raise(_: &Context, args: Raise) -> Result<(), Failure> {
    panic!("{}", args.error)
}

/// What a run knows of itself.
#[derive(Serialize)]
struct Facts {
    task: u64,
    epoch: u64,
    attempt: u32,
    kind: String,
    effect_key: String,
    time_left_ms: Option<u64>,
}

fn context(context: &Context, _: IgnoredAny) -> Result<Facts, Failure> {
    Ok(Facts {
        task: context.task(),
        epoch: context.epoch(),
        attempt: context.attempt(),
        kind: context.kind().to_owned(),
        effect_key: context.effect_key().to_owned(),
        time_left_ms: context.time_left().map(|left| u64::try_from(left.as_millis()).unwrap_or(u64::MAX)),
    })
}

#[derive(Deserialize)]
struct Blob {
    bytes: u64,
}

/// A text of that length; one over what a frame can hold need not be made to be refused.
fn blob(_: &Context, args: Blob) -> Result<String, Failure> {
    Ok("x".repeat(usize::try_from(args.bytes)?.min(MAX_FRAME_BYTES)))
}

#[derive(Deserialize)]
struct Fail {
    #[serde(default = "Fail::error")]
    error: String,
    #[serde(default)]
    retry: Retry,
    #[serde(default)]
    scope: Scope,
}

impl Fail {
    fn error() -> String {
        "failed, as asked".to_owned()
    }
}

fn fail(_: &Context, args: Fail) -> Result<(), Failure> {
    Err(Failure::new(args.error).with_retry(args.retry).with_scope(args.scope))
}

#[derive(Deserialize)]
struct TextStats {
    path: PathBuf,
}

fn text_stats(context: &Context, args: TextStats) -> Result<Counts, Failure> {
    let named = |error: std::io::Error| Failure::new(format!("{}: {error}", args.path.display()));
    let mut file = File::open(&args.path).map_err(named)?;
    let mut counter = Counter::new();
    let mut chunk = vec![0; READ_CHUNK_BYTES];
    loop {
        if let Some(reason) = context.stop_reason() {
            return Err(Failure::new(format!("told to stop while reading ({})", stop::name(reason))));
        }
        match file.read(&mut chunk) {
            Ok(0) => return Ok(counter.finish()),
            Ok(size_bytes) => counter.push(&chunk[..size_bytes]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(named(error)),
        }
    }
}
