//! Every worker that the project ships, against every case of the contract, as an author of a worker runs them.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;
use tests::harness::{installed_package, node_samples, programs};

/// What this version of the libraries does not name yet: the cases of these features are skipped.
const LATER: [&str; 2] = ["`save`", "`park`"];
/// What a worker of a few lines leaves out, beside that.
const OPTIONAL: [&str; 9] = [
    "`beat`",
    "`note`",
    "`enqueue`",
    "`busy`",
    "`progress`",
    "`spend`",
    "SAMPLE_BOOTING",
    "SAMPLE_CONCURRENCY",
    // Perl forks, where others start a program.
    "a copy of the worker",
];

/// Runs the kit through the one program that users install.
fn contract_test(args: &[&str], command: &[PathBuf]) -> Output {
    Command::new(&programs().supervisor)
        .args(["contract-test", "--format", "json", "--jobs", "4"])
        .args(args)
        .arg("--")
        .args(command)
        .env("PYTHONPATH", installed_package())
        .output()
        .expect("the supervisor can be started")
}

/// All cases pass on both channels; what is skipped is about one of these features or kinds.
fn passes(command: &[PathBuf], may_lack: &[&str]) {
    let output = contract_test(&[], command);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("no report ({error}): {}", String::from_utf8_lossy(&output.stderr));
    });
    let cases = report["cases"].as_array().expect("a report has cases");
    for case in cases {
        match case["outcome"].as_str() {
            Some("passed") => {}
            Some("skipped") => {
                let reason = case["reason"].as_str().unwrap_or_default();
                let is_known = reason.contains("the rule is about the channel")
                    || may_lack.iter().any(|name| reason.contains(name));
                assert!(is_known, "{} was skipped: {reason}", case["name"]);
            }
            _ => panic!("{case:#}"),
        }
    }
    assert!(report["channels"].as_array().is_some_and(|channels| channels.len() == 2));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn the_rust_library_keeps_the_contract() {
    passes(&[programs().supervisor.clone(), "worker".into(), "--samples".into()], &LATER);
}

#[test]
fn the_python_library_keeps_the_contract() {
    passes(&["python3".into(), "-m".into(), "mutirao.samples".into()], &LATER);
}

#[test]
fn the_node_library_keeps_the_contract() {
    passes(&["node".into(), node_samples()], &LATER);
}

#[test]
fn a_worker_written_from_the_specification_alone_keeps_the_contract() {
    let sample = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../ipc-contract/samples/worker.pl");
    passes(&["perl".into(), sample], &[LATER.as_slice(), &OPTIONAL].concat());
}
