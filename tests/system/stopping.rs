//! Ends that are nobody's fault: the supervisor is told to stop, or somebody kills a worker.

use nix::sys::signal::Signal;
use serde_json::json;
use tests::harness::{Sandbox, Supervisor, Watched};

/// The workers that have nothing to do leave at once: that is how a stop shows that it has begun.
fn stop_has_begun(supervisor: &Supervisor) {
    supervisor.signal(Signal::SIGTERM);
    let idle = |line: &tests::harness::Line| line.is("worker gone") && line.field("pool") == "samples";
    supervisor.log().wait_for("the idle worker gone", idle);
}

#[test]
fn a_stop_lets_short_runs_end_and_gives_long_ones_back() {
    let sandbox = Sandbox::with_samples("[pools.commands]\nstock = true\nworkers = 2\n");
    let (begun, gate) = (sandbox.fifo("begun"), sandbox.fifo("gate"));
    let mut supervisor = sandbox.start();
    supervisor.await_greetings("samples", 1);
    let short = sandbox.add(&["sh", "-c", "echo $$ > begun; read go < gate; echo whole"]);
    let long = sandbox.add(&["sh", "-c", "echo $$ > begun; exec sleep 1000"]);
    let running = [(); 2].map(|()| Watched::new(begun.pid()));
    stop_has_begun(&supervisor);
    gate.open_gate();
    assert!(supervisor.wait().success(), "{}", supervisor.log().end());
    assert!(!running.iter().any(Watched::is_alive));
    sandbox.examine();
    sandbox.cli(&["show", &short.to_string()]).ok().says("completed").says("whole");
    let shown = sandbox.cli(&["show", &long.to_string()]).ok();
    let shown = shown.says("available").says("attempt 1: given back, which spends nothing");
    shown.says("spent 0 of 5 attempts (errors, timeouts) and 0 of 3 crashes, in 0 runs");
    let supervisor = sandbox.start();
    assert!(Watched::new(begun.pid()).is_alive(), "it is run again");
    sandbox.cancel(long);
    sandbox.finish(supervisor);
}

#[test]
fn a_second_stop_waits_for_nobody() {
    let sandbox = Sandbox::with_samples("");
    let begun = sandbox.fifo("begun");
    let mut supervisor = sandbox.start();
    supervisor.await_greetings("samples", 1);
    let id = sandbox.add(&["sh", "-c", "trap '' TERM; echo $$ > begun; while :; do sleep 1000; done"]);
    let running = Watched::new(begun.pid());
    stop_has_begun(&supervisor);
    assert!(running.is_alive());
    supervisor.stop();
    assert!(!running.is_alive());
    sandbox.examine();
    sandbox.cli(&["show", &id.to_string()]).ok().says("available").says("and 0 of 3 crashes");
}

#[test]
fn a_third_stop_ends_it_here_and_now() {
    let sandbox = Sandbox::with_samples("");
    let begun = sandbox.fifo("begun");
    let mut supervisor = sandbox.start();
    supervisor.await_greetings("samples", 1);
    let id = sandbox.add(&["sh", "-c", "trap '' TERM; echo $$ > begun; while :; do sleep 1000; done"]);
    let running = Watched::new(begun.pid());
    let workers = supervisor.workers();
    stop_has_begun(&supervisor);
    // It hears them only when it goes on, all at once.
    supervisor.signal(Signal::SIGSTOP);
    supervisor.signal(Signal::SIGTERM);
    supervisor.signal(Signal::SIGINT);
    supervisor.signal(Signal::SIGCONT);
    let code = supervisor.wait().code();
    assert!(matches!(code, Some(130 | 143)), "{code:?}: it ended by the signal that came last");
    workers.iter().for_each(Watched::await_death);
    let supervisor = sandbox.start();
    assert!(!running.is_alive(), "what was left is killed before it is run again");
    assert!(Watched::new(begun.pid()).is_alive());
    sandbox.cancel(id);
    sandbox.finish(supervisor);
}

#[test]
fn what_is_being_stopped_takes_no_new_work() {
    let sandbox = Sandbox::with_samples("");
    let (begun, gate) = (sandbox.fifo("begun"), sandbox.fifo("gate"));
    let mut supervisor = sandbox.start();
    supervisor.await_greetings("samples", 1);
    let done = sandbox.add(&["true"]);
    assert_eq!(sandbox.settled(done).summary.state, "completed");
    let last = sandbox.add(&["sh", "-c", "echo $$ > begun; read go < gate"]);
    begun.pid();
    stop_has_begun(&supervisor);
    let task = json!({"kind": "echo"});
    let asked = [
        ("/v1/tasks".to_owned(), Some(&task)),
        ("/v1/tasks/bulk".to_owned(), Some(&json!({"tasks": [task]}))),
        (format!("/v1/tasks/{done}/retry"), None),
    ];
    for (path, body) in asked {
        let (status, refusal) = sandbox.http("POST", &path, body);
        assert_eq!((status, &refusal["code"]), (503, &json!("stopping")), "{path}: {refusal}");
    }
    gate.open_gate();
    assert!(supervisor.wait().success(), "{}", supervisor.log().end());
    sandbox.examine();
    sandbox.cli(&["list", "-o", "id"]).ok().says(&format!("{last}\n{done}\n"));
    sandbox.cli(&["show", &done.to_string()]).ok().says("completed");
}

#[test]
fn a_worker_that_is_killed_from_outside_is_replaced() {
    let sandbox = Sandbox::new("");
    let (begun, gate) = (sandbox.fifo("begun"), sandbox.fifo("gate"));
    let supervisor = sandbox.start();
    let id = sandbox.add(&["sh", "-c", "echo $PPID > begun; echo $$ > begun; read go < gate; echo whole"]);
    let [worker, command] = [(); 2].map(|()| Watched::new(begun.pid()));
    worker.signal(Signal::SIGKILL);
    let [other, again] = [(); 2].map(|()| Watched::new(begun.pid()));
    assert!(!worker.is_alive() && !command.is_alive(), "no two runs of one task live");
    assert!(other.is_alive() && again.is_alive());
    gate.open_gate();
    let task = sandbox.settled(id);
    assert_eq!((task.summary.state.as_str(), task.summary.crashes_spent), ("completed", 1));
    let shown = sandbox.shown(id);
    assert!(shown.contains("attempt 1: died by signal 9 (SIGKILL)"), "{shown}");
    sandbox.finish(supervisor);
}
