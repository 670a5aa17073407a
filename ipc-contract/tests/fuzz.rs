//! A million executions of the fuzzer, half of them on small stacks, and what keeps the fuzzer itself honest.
#![allow(clippy::unwrap_used)]

#[allow(dead_code, unused_imports, reason = "the rest is used by the program `fuzz-contract`")]
#[path = "../fuzz/mod.rs"]
mod fuzz;

use fuzz::Target;

const EXECUTIONS: u64 = 1_000_000;
const SEED: u64 = 1;
const JOBS: usize = 2;
const CORPUS_FILES_MAX: usize = 300;
const CORPUS_BYTES_MAX: u64 = 300 * 1024;

#[test]
fn a_million_inputs_are_survived_and_judged_as_the_rules_do() {
    let reports = fuzz::run(fuzz::plan(EXECUTIONS, SEED, None), JOBS).unwrap();
    let mut executions = 0;
    for report in &reports {
        println!("{report}");
        executions += report.executions;
        if let Some(failure) = &report.failure {
            let path = fuzz::write_failure(report.job.target, &failure.input).unwrap();
            panic!("{}", report.told(failure, &path));
        }
    }
    assert_eq!(executions, EXECUTIONS);
}

/// Or a seed would be worth nothing.
#[test]
fn the_same_seed_does_the_same() {
    let found = |jobs| {
        let mut reports = fuzz::run(fuzz::plan(8_000, SEED, None), jobs).unwrap();
        reports.sort_by_key(|report| (report.job.target, report.job.stack_bytes));
        reports.iter().map(|report| report.pool.inputs().to_vec()).collect::<Vec<_>>()
    };
    assert_eq!(found(1), found(JOBS));
}

#[test]
fn the_corpus_is_there_and_of_modest_size() {
    let (mut files, mut size_bytes) = (0, 0);
    for target in Target::ALL {
        for entry in std::fs::read_dir(fuzz::corpus(target)).unwrap() {
            files += 1;
            size_bytes += entry.unwrap().metadata().unwrap().len();
        }
    }
    assert!(
        (1..CORPUS_FILES_MAX).contains(&files) && size_bytes < CORPUS_BYTES_MAX,
        "{files} files, {size_bytes} bytes"
    );
}
