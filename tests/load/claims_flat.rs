//! That a claim costs the same however many tasks there are, in small; `bench claims` counts it at a million.

use tests::load::bench::{Shape, compare};

const SMALL: usize = 1_000;
const LARGE: usize = 20_000;
const CYCLES: usize = 80;

#[test]
fn a_claim_costs_the_same_whatever_waits_behind_it() {
    for shape in Shape::ALL {
        let compared = compare(shape, SMALL, LARGE, CYCLES).expect("a queue of this shape");
        assert!(compared.is_flat(), "{}: {:.2} times the steps", shape.name(), compared.growth());
    }
}
