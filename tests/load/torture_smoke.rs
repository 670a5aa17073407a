//! The torture in small, with every change.

use std::path::Path;

use tests::load::torture::{Options, run};

/// By the seed it is always the same plan.
const SEED: u64 = 1;

#[test]
fn five_kills_lose_nothing() {
    let options = Options { enqueues: 1_000, clients: 8, kills: 5, worker_kills: 20, seed: Some(SEED) };
    let outcome = run(&options, Path::new(env!("CARGO_BIN_EXE_torture"))).expect("the torture can be carried out");
    assert!(outcome.violations.is_empty(), "{outcome}");
}
