//! The worker made of all samples, and the variables that change how it starts.

use std::env;
use std::str::FromStr;

use ipc_contract::Level;

use crate::failure::Failure;
use crate::worker::Worker;

use super::{crash, handlers, print, tell};

/// So often it says `booting` before `hello`; and after `welcome` again so often, and one line of log.
const BOOTING_VARIABLE: &str = "SAMPLE_BOOTING";

/// Its concurrency.
const CONCURRENCY_VARIABLE: &str = "SAMPLE_CONCURRENCY";

/// A worker with the kinds that the contract asks of a worker under test, and `text_stats`.
pub fn samples() -> Worker {
    let worker = tell::add(handlers::add(Worker::new()))
        .task("print", print::print)
        .task("crash", crash::crash)
        .concurrency(number(CONCURRENCY_VARIABLE).unwrap_or(1));
    match number(BOOTING_VARIABLE) {
        Some(times) => boot_slowly(worker, times),
        None => worker,
    }
}

fn boot_slowly(worker: Worker, times: u32) -> Worker {
    (0..times).for_each(|_| worker.booting());
    worker.start(move |start| {
        (0..times).for_each(|_| start.booting());
        start.log(Level::Info, "the samples are put together");
        Ok::<_, Failure>(())
    })
}

fn number<N: FromStr>(variable: &str) -> Option<N> {
    env::var(variable).ok()?.parse().ok()
}
