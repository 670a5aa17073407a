//! The simulation: the real tick on the real store in memory, and the real process machine, in worlds of virtual time where
//! workers crash, hang and lie, and supervisors die around their commits. One seed is one world. No clock, no thread
//! and no process of its own: see `world`.
//!
//! `MUTIRAO_SEED=n` plays one seed and prints its trace, `MUTIRAO_SEEDS=n` plays so many.

#![allow(clippy::unwrap_used)]

mod enqueuers;
mod follow_ups;
mod ledger;
mod life;
mod memory;
mod model_worker;
mod operator;
mod pools;
mod rng;
mod sayings;
mod shell;
mod staffing;
mod truth;
mod waits;
mod world;
mod writer;

use std::panic::{AssertUnwindSafe, catch_unwind};

use world::World;

const FIRST_SEED: u64 = 20_260_101;
const SEEDS: u64 = 500;
const THREADS: u64 = 2;
/// Last bytes of a failing trace that are printed; alone, a seed prints all of it.
const TRACE_TAIL_BYTES: usize = 40_000;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}

/// The trace of a seed, and whether its world held.
fn play(seed: u64) -> (String, bool) {
    let mut world = World::new(seed);
    let held = catch_unwind(AssertUnwindSafe(|| world.run())).is_ok();
    (world.trace, held)
}

fn play_or_tell(seed: u64) {
    let (trace, held) = play(seed);
    if !held {
        let from = trace.ceil_char_boundary(trace.len().saturating_sub(TRACE_TAIL_BYTES));
        eprintln!("{}", &trace[from..]);
        panic!("this world broke; alone: MUTIRAO_SEED={seed} cargo test -p tests --test simulation");
    }
}

#[test]
fn every_world_keeps_its_promises() {
    if let Some(seed) = number("MUTIRAO_SEED") {
        let (trace, held) = play(seed);
        println!("{trace}");
        assert!(held, "seed {seed} broke; the last lines above say how");
        return;
    }
    let end = FIRST_SEED + number("MUTIRAO_SEEDS").unwrap_or(SEEDS);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || (FIRST_SEED + thread..end).step_by(THREADS as usize).for_each(play_or_tell));
        }
    });
}

#[test]
fn a_seed_is_a_world() {
    let (trace, _) = play(FIRST_SEED);
    assert_eq!(play(FIRST_SEED).0, trace, "the same seed gives the same bytes");
    assert_ne!(play(FIRST_SEED + 1).0, trace, "and another seed another world");
}
