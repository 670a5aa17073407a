//! The kit sees what is wrong: each wrong worker fails the case that is named for it, and every case can fail.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use ipc_contract::check::all_cases;
use ipc_contract::check::wrong::{GOOD, WRONG, Wrong};
use serde_json::Value;

/// Wrong workers that are played at the same time: most of them are waited for.
const PARALLEL: usize = 16;

/// Cases of one worker that are played at the same time.
const JOBS: &str = "8";

/// Wrong workers that fail much at once, and what they are played against, everything when it is empty: to see which cases can
/// fail at all.
const BROAD: &[(&str, &[&str])] = &[
    ("answers-another-task", &[]),
    ("fails-after-bye", &[]),
    ("takes-errors-for-success", &[]),
    ("leaves-well-after-reject", &["FRAME/vector/reject", "TALK/reject-kind"]),
];

/// Cases that no wrong worker fails, each with the reason.
const UNPROVEN: &[(&str, &str)] =
    &[("FRAME/vector/run/resumed", "it is played only by a worker that names the feature `save`")];

/// What became of these cases, and of those whose names begin as theirs; of all when there are none.
fn played(worker: &str, channel: &str, timeout_scale: &str, cases: &[&str]) -> Vec<Value> {
    let saved = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_contract-test"))
        .args(["--channel", channel, "--jobs", JOBS, "--timeout-scale", timeout_scale, "--format", "json", "--save"])
        .arg(saved.path())
        .args(cases)
        .args(["--", env!("CARGO_BIN_EXE_wrong-worker"), worker])
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{worker} cannot be tested: {}", String::from_utf8_lossy(&output.stderr)));
    report["cases"].as_array().unwrap().clone()
}

fn failed(reports: &[Value]) -> impl Iterator<Item = &str> {
    reports.iter().filter(|report| report["outcome"] == "failed").map(|report| report["name"].as_str().unwrap())
}

/// True when the report tells of this section: its case is about it, or what was expected is its rule, as in "(SPEC 1.2, 2.1)".
fn names(report: &Value, section: &str) -> bool {
    let expected = report["expected"].as_str().unwrap_or_default();
    let told = expected.rsplit_once("(SPEC ").and_then(|(_, rest)| rest.split_once(')')).map_or("", |(list, _)| list);
    report["section"] == section || told.split(", ").any(|one| one == section)
}

/// The complaint about this worker, if there is one.
fn complaint(wrong: &Wrong) -> Option<String> {
    let Wrong { name, section, case, .. } = wrong;
    let reports = played(name, "stdio", "0.3", &[case]);
    let report = reports.iter().find(|report| report["name"] == *case).unwrap();
    let is_seen = report["outcome"] == "failed" && names(report, section);
    (!is_seen).then(|| format!("{name}: {case} does not tell of section {section}: {report:#}"))
}

#[test]
fn the_good_one_passes_every_case() {
    for channel in ["stdio", "fd3"] {
        let reports = played(GOOD, channel, "3", &[]);
        let failed: Vec<_> = reports.iter().filter(|report| report["outcome"] == "failed").collect();
        assert!(failed.is_empty(), "{failed:#?}");
        let is_excused = |report: &&Value| {
            let reason = report["reason"].as_str().unwrap();
            reason.contains("`save`")
                || reason.contains("`park`")
                || reason.starts_with("the rule is about the channel")
        };
        let skipped: Vec<_> = reports.iter().filter(|report| report["outcome"] == "skipped").collect();
        assert!(skipped.iter().all(is_excused), "{skipped:#?}");
    }
}

#[test]
fn each_wrong_one_fails_the_case_that_is_named_for_it() {
    let (next, complaints) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..PARALLEL {
            scope.spawn(|| {
                while let Some(wrong) = WRONG.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let complaint = complaint(wrong);
                    complaints.lock().unwrap().extend(complaint);
                }
            });
        }
    });
    let complaints = complaints.into_inner().unwrap();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn every_case_can_fail() {
    let mut proven: BTreeSet<String> = WRONG.iter().map(|wrong| wrong.case.to_owned()).collect();
    for (worker, cases) in BROAD {
        proven.extend(failed(&played(worker, "stdio", "0.3", cases)).map(str::to_owned));
    }
    let unproven: Vec<_> =
        all_cases().iter().map(|case| case.name.to_string()).filter(|name| !proven.contains(name)).collect();
    for (name, reason) in UNPROVEN {
        println!("no wrong worker fails {name}: {reason}");
    }
    assert_eq!(unproven, UNPROVEN.iter().map(|(name, _)| *name).collect::<Vec<_>>());
}

#[test]
fn names_are_words_and_no_two_are_the_same() {
    let names: BTreeSet<_> = WRONG.iter().map(|wrong| wrong.name).chain([GOOD]).collect();
    assert_eq!(names.len(), WRONG.len() + 1);
    assert!(
        names
            .iter()
            .all(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-' || byte.is_ascii_digit()))
    );
    assert!(WRONG.iter().all(|wrong| !wrong.about.is_empty() && !wrong.about.ends_with('.')));
}
