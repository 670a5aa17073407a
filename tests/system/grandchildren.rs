//! A double-forked grandchild in a session of its own, which holds the worker's channel: it never outlives the run, unless
//! that went well, and never its worker.

use supervisor::http::dto::Attempt;
use tests::harness::{Sandbox, Watched};

fn pid_in(text: &str) -> Watched {
    Watched::new(text.trim().parse().unwrap_or_else(|_| panic!("no pid: {text:?}")))
}

/// The rogue prints its number when it cannot say it otherwise.
fn printed(attempt: &Attempt) -> Watched {
    pid_in(attempt.output.lines().find_map(|line| line.strip_prefix("grandchild ")).unwrap_or_default())
}

#[test]
fn a_grandchild_dies_before_the_end_is_told() {
    let pools = ["grandchild-fail", "grandchild-exit", "grandchild-hang"]
        .map(|misdeed| Sandbox::rogue_pool(&[misdeed], "max_attempts = 2\nmax_crashes = 2\n"));
    let sandbox = Sandbox::new(&pools.concat());
    let supervisor = sandbox.start();
    let failing = sandbox.settled(sandbox.enqueue(&["grandchild-fail"]));
    assert_eq!((failing.summary.reason.as_deref(), failing.attempts.len()), (Some("attempts"), 2));
    assert!(failing.attempts.iter().all(|attempt| !pid_in(&attempt.detail).is_alive()), "{:?}", failing.attempts);
    let leaving = sandbox.settled(sandbox.enqueue(&["grandchild-exit"]));
    assert_eq!((leaving.summary.reason.as_deref(), leaving.attempts.len()), (Some("crashes"), 2));
    assert!(leaving.attempts.iter().all(|attempt| attempt.outcome == "exit"), "{:?}", leaving.attempts);
    assert!(leaving.attempts.iter().all(|attempt| !printed(attempt).is_alive()), "{:?}", leaving.attempts);
    let begun = sandbox.fifo("begun");
    let id = sandbox.enqueue(&["grandchild-hang", &format!("tell={}", begun.path().display())]);
    begun.line();
    sandbox.cancel(id);
    let cancelled = sandbox.settled(id);
    assert!(!printed(&cancelled.attempts[0]).is_alive());
    sandbox.finish(supervisor);
}

#[test]
fn a_grandchild_of_a_good_run_ends_with_its_worker() {
    let sandbox = Sandbox::new(&Sandbox::rogue_pool(&["grandchild-done"], ""));
    let supervisor = sandbox.start();
    let task = sandbox.settled(sandbox.enqueue(&["grandchild-done"]));
    let grandchild = pid_in(&task.result.read::<String>().unwrap());
    assert!(grandchild.is_alive(), "the run ended well, and its worker lives");
    sandbox.finish(supervisor);
    assert!(!grandchild.is_alive());
}
