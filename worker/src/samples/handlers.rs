//! The worker made of all samples, and the ones that are short.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::PathBuf;
use std::time::Duration;

use ipc_contract::Retry;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::context::Context;
use crate::failure::Failure;
use crate::handler::Output;
use crate::worker::Worker;

use super::text_stats::{Counter, Counts};
use super::{crash, print};

/// What is read from a file at once.
const READ_CHUNK_BYTES: usize = 64 * 1024;

/// A worker with the kinds `crash`, `echo`, `fail`, `noop`, `print`, `sleep` and `text_stats`.
pub fn samples() -> Worker {
    Worker::new()
        .add("echo", Box::new(|_, args| Ok(Output::whole(args.clone()))))
        .task("noop", |_: &Context, _: IgnoredAny| Ok::<_, Failure>(()))
        .task("sleep", sleep)
        .task("fail", fail)
        .task("print", print::print)
        .task("crash", crash::crash)
        .task("text_stats", text_stats)
}

#[derive(Deserialize)]
struct Sleep {
    ms: u64,
}

/// Sleeps and returns for how long; told to stop, it fails at once.
fn sleep(context: &Context, args: Sleep) -> Result<u64, Failure> {
    match context.wait_stop(Duration::from_millis(args.ms)) {
        None => Ok(args.ms),
        Some(reason) => Err(Failure::new(format!("told to stop while asleep ({reason:?})"))),
    }
}

#[derive(Deserialize)]
struct Fail {
    #[serde(default = "Fail::error")]
    error: String,
    #[serde(default)]
    retry: Retry,
}

impl Fail {
    fn error() -> String {
        "failed, as asked".to_owned()
    }
}

fn fail(_: &Context, args: Fail) -> Result<(), Failure> {
    Err(Failure::new(args.error).with_retry(args.retry))
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
            return Err(Failure::new(format!("told to stop while reading ({reason:?})")));
        }
        match file.read(&mut chunk) {
            Ok(0) => return Ok(counter.finish()),
            Ok(size_bytes) => counter.push(&chunk[..size_bytes]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(named(error)),
        }
    }
}
