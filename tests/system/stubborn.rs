//! Workers that do not end when they are asked to. These tests last as long as the grace that a stop has.

use std::thread;

use serde_json::json;
use tests::harness::{Sandbox, Supervisor, Watched};

/// Enqueues a task that says when it runs; gives its id and its worker.
fn running(sandbox: &Sandbox, kind: &str) -> (i64, Watched) {
    let begun = sandbox.fifo(&format!("{kind}-begun"));
    let id = sandbox.enqueue(&[kind, &format!("tell={}", begun.path().display())]);
    (id, Watched::new(begun.pid()))
}

fn cancelled_by(sandbox: &Sandbox, id: i64, worker: &Watched, signal: i32) {
    assert!(worker.is_alive());
    sandbox.cancel(id);
    assert!(!worker.is_alive(), "cancelled is said when its process is gone");
    let task = sandbox.settled(id);
    let [attempt] = &task.attempts[..] else { panic!("{:?}", task.attempts) };
    assert_eq!((attempt.outcome.as_str(), attempt.signal), ("cancelled", Some(signal)));
    assert!(sandbox.shown(id).contains("attempt 1: cancelled"), "{}", sandbox.shown(id));
}

/// The stops are waited for side by side.
#[test]
fn a_stop_climbs_to_the_signal_that_is_obeyed() {
    let pools = ["hang", "deaf", "stopped"].map(|misdeed| Sandbox::rogue_pool(&[misdeed], ""));
    let unread = Sandbox::rogue_pool(&["unread"], "max_crashes = 1");
    let sandbox = Sandbox::with_samples(&[pools.concat(), unread].concat());
    let supervisor = sandbox.start();
    thread::scope(|scope| {
        scope.spawn(|| {
            let (id, worker) = running(&sandbox, "hang");
            cancelled_by(&sandbox, id, &worker, 15);
        });
        scope.spawn(|| {
            let (id, worker) = running(&sandbox, "deaf");
            cancelled_by(&sandbox, id, &worker, 9);
        });
        scope.spawn(|| stopped(&sandbox, &supervisor));
        scope.spawn(|| unread_stdin(&sandbox));
    });
    let other = sandbox.enqueue(&["echo", "--queue=samples", "text=unaffected"]);
    assert_eq!(sandbox.settled(other).summary.state, "completed");
    sandbox.finish(supervisor);
}

/// Without beats it is called unresponsive, and not killed for it.
fn stopped(sandbox: &Sandbox, supervisor: &Supervisor) {
    let (id, worker) = running(sandbox, "stopped");
    let said = supervisor.log().wait_for("unresponsive", |line| line.is_alert("unresponsive"));
    assert!(said.field("reason").as_str().unwrap().contains(&format!("running task {id}")), "{}", said.text);
    cancelled_by(sandbox, id, &worker, 9);
}

/// It takes more than a pipe holds to notice.
fn unread_stdin(sandbox: &Sandbox) {
    sandbox.write("long.json", &json!({"text": "x".repeat(300_000)}).to_string());
    let id = sandbox.enqueue(&["unread", "--args", "@long.json"]);
    let task = sandbox.settled(id);
    assert_eq!((task.summary.reason.as_deref(), task.attempts[0].outcome.as_str()), (Some("crashes"), "protocol"));
    assert!(task.attempts[0].detail.contains("it has read nothing for 30 s"), "{}", task.attempts[0].detail);
}
