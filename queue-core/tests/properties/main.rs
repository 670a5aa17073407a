//! Random lives of a queue: whatever is asked, in whatever order, with clocks that step and supervisors that die, the real
//! tick and the real store agree with a model that knows only what was said.

#![allow(clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

mod known;
mod life;
mod model;
mod script;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use life::live;
use support::rig::Rig;

fn config(cases: u32) -> ProptestConfig {
    // A fixed seed: what is red stays red. Shrunk cases become tests of the tick, so none are kept in files.
    ProptestConfig { cases, rng_seed: RngSeed::Fixed(2), failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn a_queue_in_memory_keeps_its_word(script in script::script(200)) {
        live(Rig::memory(), &script);
    }
}

proptest! {
    #![proptest_config(config(8))]

    #[test]
    fn the_same_inputs_say_the_same_in_memory_and_on_a_file(script in script::script(100)) {
        let said = live(Rig::memory(), &script);
        prop_assert_eq!(&live(Rig::memory(), &script), &said);
        prop_assert_eq!(&live(Rig::file(), &script), &said);
    }
}
