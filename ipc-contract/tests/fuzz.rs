//! A million executions of the fuzzer, half of them on small stacks, and what keeps the fuzzer itself honest.
#![allow(clippy::unwrap_used)]

#[path = "../fuzz/mod.rs"]
mod fuzz;

use fuzz::Target;

const EXECUTIONS: u64 = 1_000_000;
const SEED: u64 = 1;
const JOBS: usize = 2;

#[test]
fn a_million_inputs_are_survived_and_judged_as_the_rules_do() {
    let reports = fuzz::run(fuzz::plan(EXECUTIONS, SEED, None), JOBS).unwrap();
    let mut executions = 0;
    for report in &reports {
        println!("{report}");
        executions += report.executions;
        if let Some(failure) = &report.failure {
            let path = fuzz::write_failure(report.job.target, &failure.input).unwrap();
            panic!("{}", failure.told(report.job.target, SEED, &path));
        }
    }
    assert_eq!(executions, EXECUTIONS);
}
