//! Random lives of a queue: whatever is asked, in whatever order, with clocks that step and supervisors that die, the real
//! tick and the real store agree with a model that knows only what was said.

#![allow(clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

mod known;
mod life;
mod model;
mod order;
mod script;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use life::live;
use queue_core::meter::Rate;
use queue_core::policy::{Order, Policies, QueuePolicy};
use queue_core::priority::AGING_OFF_US;
use support::border::SECOND;
use support::rig::Rig;
use support::values::policies;

/// Policies that differ in all that can be said of queues `q`, `a` and `b`.
fn sets() -> Vec<Policies> {
    let set = |queues: [(&str, QueuePolicy); 3]| {
        let queues = queues.map(|(name, policy)| (name.to_owned(), policy));
        Policies { queues: queues.into(), ..policies() }
    };
    let limited = QueuePolicy { limit: Some(3), limit_per_key: Some(1), ..QueuePolicy::default() };
    let fair = QueuePolicy { order: Order::Fair, weights: [("x".to_owned(), 3)].into(), ..QueuePolicy::default() };
    let rate = |unit: &str, cost| Rate { unit: unit.into(), allowed: 5, per_us: 10 * SECOND, cost };
    let strict = QueuePolicy { aging_step_us: AGING_OFF_US, ..QueuePolicy::default() };
    let metered = QueuePolicy { rates: vec![rate("tasks", 1), rate("tokens", 0)], ..strict.clone() };
    let both = QueuePolicy { limit_per_key: Some(2), ..fair.clone() };
    vec![
        set([("q", limited.clone()), ("a", fair.clone()), ("b", metered.clone())]),
        policies(),
        set([("q", both), ("a", metered), ("b", strict)]),
        set([("q", fair), ("a", limited.clone()), ("b", limited)]),
    ]
}

fn config(cases: u32) -> ProptestConfig {
    // A fixed seed: what is red stays red. Shrunk cases become tests of the tick, so none are kept in files.
    ProptestConfig { cases, rng_seed: RngSeed::Fixed(2), failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn a_queue_in_memory_keeps_its_word(script in script::script(200)) {
        live(Rig::memory(), &script, &[policies()]);
    }

    #[test]
    fn whatever_the_policies_become_limits_hold_and_nothing_is_lost(script in script::script(200)) {
        live(Rig::memory(), &script, &sets());
    }
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn the_best_rank_starts_first_and_nobody_starves(moves in order::moves(120)) {
        let (arrivals, played) = order::play(&moves, Order::Rank, true);
        order::best_rank_first(&arrivals, &played);
    }

    #[test]
    fn the_keys_of_a_fair_queue_take_turns_and_none_starves(moves in order::moves(120)) {
        let (arrivals, played) = order::play(&moves, Order::Fair, true);
        order::keys_take_turns(&arrivals, &played);
    }

    #[test]
    fn steps_of_the_wall_clock_reorder_nothing(moves in order::moves(80)) {
        for order in Order::ALL {
            prop_assert_eq!(order::play(&moves, order, true).1, order::play(&moves, order, false).1);
        }
    }
}

proptest! {
    #![proptest_config(config(8))]

    #[test]
    fn the_same_inputs_say_the_same_in_memory_and_on_a_file(script in script::script(100)) {
        let said = live(Rig::memory(), &script, &sets());
        prop_assert_eq!(&live(Rig::memory(), &script, &sets()), &said);
        prop_assert_eq!(&live(Rig::file(), &script, &sets()), &said);
    }
}
