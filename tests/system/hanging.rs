//! Runs that come to no end: by whose limit they are stopped, and what tells where they hung. These tests last as long as the
//! ladder of a stop.

use std::thread;

use nix::sys::signal::Signal;
use supervisor::http::dto::{Attempt, Task};
use tests::harness::{Sandbox, Watched, installed_package, python_pool};

fn kind(name: &str, lines: &str) -> String {
    format!("[kinds.{name}]\nqueue = \"python\"\nmax_attempts = 1\n{lines}\n")
}

/// Its only run.
fn only(task: &Task) -> &Attempt {
    let [attempt] = &task.attempts[..] else { panic!("{:?}", task.attempts) };
    attempt
}

fn assert_timed_out(task: &Task, detail: &str, signal: Signal) {
    let attempt = only(task);
    assert_eq!((attempt.outcome.as_str(), attempt.signal), ("timeout", Some(signal as i32)), "{attempt:?}");
    assert!(attempt.detail.starts_with(detail), "{attempt:?}");
    assert_eq!((task.summary.attempts_spent, task.summary.crashes_spent), (1, 0), "it is no crash");
}

#[test]
fn who_hangs_or_stands_still_says_where() {
    let kinds = [
        kind("hangs", "timeout = \"1s\""),
        kind("stalls", "progress_timeout = \"2s\""),
        kind("creeps", "progress_timeout = \"2s\""),
    ];
    let pool = python_pool("hanging.py").replace("workers = 1", "workers = 3\ndump_on_hang = true");
    let sandbox = Sandbox::new(&(pool + &kinds.concat()));
    let package = installed_package().to_string_lossy();
    let supervisor = sandbox.spawn(&[("PYTHONPATH", &*package)]).await_ready();
    supervisor.await_greetings("python", 1);
    let [hangs, stalls] = ["hangs", "stalls"].map(|kind| sandbox.enqueue(&[kind]));
    let creeps = sandbox.enqueue(&["creeps", "steps:=30", "step_ms:=100"]);
    let creeping = sandbox.settled(creeps);
    assert_eq!((creeping.summary.state.as_str(), creeping.summary.runs), ("completed", 1), "each word counts");
    let details = ["ran longer than its timeout of 1000 ms", "said nothing of its progress for 2000 ms"];
    for (id, kind, detail) in [(hangs, "hangs", details[0]), (stalls, "stalls", details[1])] {
        assert_timed_out(&sandbox.settled(id), detail, Signal::SIGABRT);
        let log = sandbox.cli(&["logs", &id.to_string()]).ok().says("Fatal Python error: Aborted");
        log.says(" in stand_still").says(&format!(" in {kind}"));
    }
    let progress = sandbox.http("GET", &format!("/v1/tasks/{stalls}"), None).1["progress"].clone();
    assert_eq!((&progress["done"], &progress["message"]), (&2.0.into(), &"second page".into()));
    sandbox.finish(supervisor);
}

/// The two are waited for side by side.
#[test]
fn a_timeout_is_that_of_the_queue_and_reaches_who_is_stopped() {
    let rogue = Sandbox::rogue_pool(&["hang"], "max_attempts = 1\ntimeout = \"1s\"");
    let queue = "[queues.commands]\ntimeout = \"200ms\"\n[kinds.command]\nmax_attempts = 1\n";
    let sandbox = Sandbox::new(&format!("{rogue}{queue}"));
    let begun = sandbox.fifo("begun");
    let supervisor = sandbox.start();
    thread::scope(|scope| {
        scope.spawn(|| {
            let id = sandbox.add(&["sleep", "1000"]);
            assert_timed_out(&sandbox.settled(id), "ran longer than its timeout of 200 ms", Signal::SIGTERM);
        });
        scope.spawn(|| {
            let id = sandbox.enqueue(&["hang", &format!("tell={}", begun.path().display())]);
            let worker = Watched::new(begun.pid());
            worker.signal(Signal::SIGSTOP);
            assert_timed_out(&sandbox.settled(id), "ran longer than its timeout of 1000 ms", Signal::SIGKILL);
            assert!(!worker.is_alive());
        });
    });
    sandbox.finish(supervisor);
}
