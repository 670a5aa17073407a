//! The examples, run as their readers run them: each shows what it promises, leaves a sound queue, and nothing that lives.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tests::harness::{Sandbox, Supervisor, installed_package, programs};

/// Runs `FILE FOLDER` with an interpreter, in a folder that becomes the sandbox, and gives what it printed.
fn run(interpreter: &str, file: &str) -> (Sandbox, String) {
    let sandbox = Sandbox::new("");
    let example = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../supervisor/examples").join(file);
    let output = Command::new(interpreter)
        .arg(example)
        .arg(sandbox.path(""))
        .env("SUPERVISOR", &programs().supervisor)
        .env("PYTHONPATH", installed_package())
        .env("TMPDIR", sandbox.path("tmp"))
        .output()
        .unwrap_or_else(|error| panic!("{interpreter}: {error}"));
    let [said, noted] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(output.status.success(), "{file} ended with {}\n{said}\n{noted}", output.status);
    (sandbox, said)
}

/// Nothing is wrong and nothing waits; then a supervisor for the questions of the test.
fn again(sandbox: &Sandbox) -> Supervisor {
    sandbox.examine();
    sandbox.cli(&["list", "--state", "available"]).exits(4);
    let package = installed_package().to_string_lossy();
    sandbox.spawn(&[("PYTHONPATH", &*package)]).await_ready()
}

#[track_caller]
fn says(said: &str, part: &str) {
    assert!(said.contains(part), "no {part:?} in\n{said}");
}

#[test]
fn thumbnails_are_made_by_a_plain_command() {
    let (sandbox, said) = run("sh", "thumbnails/run.sh");
    says(&said, "6 thumbnails of 160x120");
    assert_eq!(fs::read_dir(sandbox.path("thumbnails")).unwrap().count(), 6);
    let supervisor = again(&sandbox);
    let task = sandbox.settled(1);
    assert_eq!((task.summary.state.as_str(), task.summary.queue.as_str()), ("completed", "commands"));
    sandbox.finish(supervisor);
}

#[test]
fn a_backup_has_a_name_and_a_failed_one_says_why() {
    let (sandbox, said) = run("sh", "backup/run.sh");
    says(&said, "two backups, each with the letters");
    says(&said, "spent 2 of 2 attempts");
    let supervisor = again(&sandbox);
    let task = sandbox.settled(1);
    assert_eq!((task.summary.name.as_deref(), task.summary.state.as_str()), (Some("nightly"), "completed"));
    assert_eq!(sandbox.settled(3).summary.state, "failed");
    sandbox.finish(supervisor);
}

#[test]
fn texts_are_indexed_in_python() {
    let (sandbox, said) = run("sh", "text/run.sh");
    says(&said, "52 words of 3 texts");
    says(&said, "mutirão: barn.txt:2, harvest.txt:3, well.txt:2");
    says(&said, "argument path: expected str, got int 7");
    let supervisor = again(&sandbox);
    let first = sandbox.settled(1);
    assert!(first.summary.attempts_spent >= 1, "it was never tried again later: {}", sandbox.shown(1));
    assert!(first.attempts[0].detail.contains("is still being written"), "{}", sandbox.shown(1));
    sandbox.finish(supervisor);
}

#[test]
fn an_application_brings_its_own_supervisor() {
    let (sandbox, said) = run("python3", "embed/app.py");
    says(&said, "5133 primes below 50000, counted in 10 tasks");
    says(&said, "task 1 (crash) failed (crashes)");
    assert!(!sandbox.path("queue.db.sock").exists(), "its door is still open");
    let supervisor = again(&sandbox);
    sandbox.finish(supervisor);
}
