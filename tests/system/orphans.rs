//! Kill before requeue: what a command started is dead before its task is called cancelled or given out again.

use nix::sys::signal::Signal;
use tests::harness::{Fifo, Sandbox, Supervisor, Watched};

/// The shell, a child in its group, and one in a session of its own.
const FAMILY: &str = "echo $$ > pids; sleep 1000 & echo $! > pids; setsid sleep 1000 & echo $! > pids; wait";

fn family(pids: &Fifo) -> [Watched; 3] {
    let family = [(); 3].map(|()| Watched::new(pids.pid()));
    assert!(family.iter().all(Watched::is_alive));
    family
}

/// What had been running was killed and given back before the first worker of this life was there.
fn assert_recovered(supervisor: &Supervisor, requeued: i64) {
    let log = supervisor.log();
    let recovered = log.wait_for("recovered", |line| line.is("recovered"));
    let greeted = log.find(|line| line.is("worker greeted"));
    assert!(greeted.iter().all(|greeted| recovered.number < greeted.number));
    assert_eq!(recovered.field("requeued"), requeued, "{}", recovered.text);
}

#[test]
fn cancelled_is_said_when_no_descendant_lives() {
    let sandbox = Sandbox::new("");
    let pids = sandbox.fifo("pids");
    let supervisor = sandbox.start();
    let id = sandbox.add(&["sh", "-c", FAMILY]);
    let family = family(&pids);
    sandbox.cancel(id);
    assert!(!family.iter().any(Watched::is_alive));
    let task = sandbox.settled(id);
    assert_eq!((task.summary.state.as_str(), task.attempts[0].outcome.as_str()), ("cancelled", "cancelled"));
    sandbox.finish(supervisor);
}

#[test]
fn what_outlived_a_killed_supervisor_dies_before_its_task_runs_again() {
    let sandbox = Sandbox::new("");
    let pids = sandbox.fifo("pids");
    let supervisor = sandbox.start();
    let id = sandbox.add(&["sh", "-c", FAMILY]);
    let former = family(&pids);
    // It would see the end of its input a moment before its own death, and might kill what it started in between.
    supervisor.workers().iter().for_each(|worker| worker.signal(Signal::SIGSTOP));
    sandbox.kill9(supervisor);
    assert!(former[2].is_alive(), "its worker is gone, and nobody has killed it: else this test shows nothing");
    let supervisor = sandbox.start();
    assert!(!former.iter().any(Watched::is_alive));
    assert_recovered(&supervisor, 1);
    let again = family(&pids);
    let shown = sandbox.shown(id);
    assert!(shown.contains("attempt 1: lost, which is not its fault, after"), "{shown}");
    sandbox.cancel(id);
    assert!(!again.iter().any(Watched::is_alive));
    sandbox.finish(supervisor);
}

#[test]
fn a_task_that_was_being_cancelled_does_not_run_again() {
    let sandbox = Sandbox::new("");
    let pids = sandbox.fifo("pids");
    let supervisor = sandbox.start();
    let id = sandbox.add(&["sh", "-c", "trap '' TERM; echo $$ > pids; while :; do sleep 1000; done"]);
    let command = Watched::new(pids.pid());
    let (status, answer) = sandbox.http("POST", &format!("/v1/tasks/{id}/cancel"), None);
    assert_eq!((status, &answer["outcome"]), (200, &"stopping".into()));
    assert!(sandbox.shown(id).contains("is being cancelled"), "{}", sandbox.shown(id));
    sandbox.kill9(supervisor);
    let supervisor = sandbox.start();
    assert!(!command.is_alive());
    assert_recovered(&supervisor, 1);
    let task = sandbox.settled(id);
    assert_eq!((task.summary.state.as_str(), task.epoch), ("cancelled", 1));
    sandbox.finish(supervisor);
}

#[test]
fn many_runs_are_given_back_once_each() {
    let sandbox = Sandbox::new("[pools.commands]\nstock = true\nworkers = 6\n");
    let pids = sandbox.fifo("pids");
    let mut supervisor = sandbox.start();
    let ids: Vec<i64> = (0..8).map(|_| sandbox.add(&["sh", "-c", "echo $$ > pids; exec sleep 1000"])).collect();
    for _ in 0..3 {
        let running: Vec<Watched> = (0..6).map(|_| Watched::new(pids.pid())).collect();
        sandbox.kill9(supervisor);
        supervisor = sandbox.start();
        assert!(!running.iter().any(Watched::is_alive));
        assert_recovered(&supervisor, 6);
    }
    let last: Vec<Watched> = (0..6).map(|_| Watched::new(pids.pid())).collect();
    // Those that wait first: each that ends would let one of them begin.
    for id in ids.iter().rev() {
        sandbox.cancel(*id);
    }
    assert!(!last.iter().any(Watched::is_alive));
    let lost = ids.iter().map(|id| sandbox.settled(*id).attempts.iter().filter(|end| end.outcome == "lost").count());
    assert_eq!(lost.sum::<usize>(), 3 * 6);
    sandbox.finish(supervisor);
}
