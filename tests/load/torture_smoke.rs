//! The torture in small, with every change.

use std::path::Path;

use tests::load::torture::{Options, Pools, pools, run};

/// By the seed it is always the same plan.
const SEED: u64 = 1;

#[test]
fn five_kills_lose_nothing() {
    let options = Options { enqueues: 1_000, clients: 8, kills: 5, worker_kills: 20, seed: Some(SEED) };
    let outcome = run(&options, Path::new(env!("CARGO_BIN_EXE_torture"))).expect("the torture can be carried out");
    assert!(outcome.violations.is_empty(), "{outcome}");
}

/// No time is judged here.
#[test]
fn pools_keep_what_they_promise_in_small() {
    let options = Pools { kills: 20, again_p99_ms: f64::INFINITY, leaks: 120, leak_mb: 10, task_mb: 200 };
    let report = pools(&options).expect("it can be carried out");
    assert!(report.violations.is_empty(), "{report}");
}
