//! Priorities, delays, time limits and budgets, as users meet them.

use tests::harness::Sandbox;

const ONE_WORKER: &str = "[pools.commands]\nstock = true\nworkers = 1\n\
    [kinds.note]\nrun = [\"sh\", \"-c\", \"echo $0 >> order\", \"{word}\"]\n\
    [kinds.gate]\nrun = [\"sh\", \"-c\", \"echo begun > begun; read go < gate\"]\n";

#[test]
fn lower_priority_runs_first() {
    let sandbox = Sandbox::new(ONE_WORKER);
    let (begun, gate) = (sandbox.fifo("begun"), sandbox.fifo("gate"));
    let supervisor = sandbox.start();
    let first = sandbox.enqueue(&["gate"]);
    begun.line();
    let order = ["low", "normal", "-3", "critical"];
    let ids = order.map(|priority| sandbox.enqueue(&["note", "--priority", priority, &format!("word={priority}")]));
    gate.open_gate();
    for id in [&[first], &ids[..]].concat() {
        assert_eq!(sandbox.settled(id).summary.state, "completed");
    }
    assert_eq!(std::fs::read_to_string(sandbox.path("order")).unwrap(), "critical\n-3\nnormal\nlow\n");
    sandbox.finish(supervisor);
}

#[test]
fn a_delayed_task_waits_for_its_time() {
    let sandbox = Sandbox::new(ONE_WORKER);
    let supervisor = sandbox.start();
    let late = sandbox.enqueue(&["note", "--in", "1h", "word=late"]);
    let soon = sandbox.enqueue(&["note", "--in", "200ms", "word=soon"]);
    assert_eq!(sandbox.settled(soon).summary.state, "completed");
    assert!(sandbox.shown(late).contains("scheduled: becomes available at"), "{}", sandbox.shown(late));
    sandbox.cancel(late);
    assert_eq!(std::fs::read_to_string(sandbox.path("order")).unwrap(), "soon\n");
    sandbox.finish(supervisor);
}

#[test]
fn a_run_that_takes_too_long_is_stopped() {
    let kinds = "[kinds.slow]\nrun = [\"sleep\", \"1000\"]\ntimeout = \"200ms\"\nmax_attempts = 2\n\
        backoff = { base = \"1ms\" }\n";
    let sandbox = Sandbox::with_samples(kinds);
    let supervisor = sandbox.start();
    let by_kind = sandbox.enqueue(&["slow"]);
    let of_task = ["--queue=samples", "--timeout", "150ms", "--max-attempts", "1"];
    let by_task = sandbox.enqueue(&[&["sleep", "ms:=1000000"], &of_task[..]].concat());
    for (id, runs, limit) in [(by_kind, 2, "200 ms"), (by_task, 1, "150 ms")] {
        let task = sandbox.settled(id);
        assert_eq!(task.summary.reason.as_deref(), Some("attempts"));
        assert_eq!(task.attempts.len(), runs);
        assert!(task.attempts.iter().all(|attempt| attempt.outcome == "timeout"), "{:?}", task.attempts);
        let sentence = format!("ran longer than its timeout of {limit}");
        assert!(sandbox.shown(id).contains(&sentence), "{}", sandbox.shown(id));
    }
    sandbox.finish(supervisor);
}

#[test]
fn errors_are_retried_to_the_end_of_their_budget() {
    let kinds = "[kinds.fail]\nmax_attempts = 3\nbackoff = { base = \"1ms\", cap = \"2ms\" }\n";
    let sandbox = Sandbox::with_samples(kinds);
    let supervisor = sandbox.start();
    let table: [(&[&str], &str, usize, &str); 4] = [
        (&["error=no luck"], "attempts", 3, "failed: its last allowed attempt failed"),
        (&["error=x", "--max-attempts", "1"], "attempts", 1, "spent 1 of 1 attempts"),
        (&["retry:=\"never\""], "rejected", 1, "failed: not to be tried again, by the word of its handler"),
        (&["retry:={\"after_ms\":1}"], "attempts", 3, "spent 3 of 3 attempts"),
    ];
    for (args, reason, runs, sentence) in table {
        let id = sandbox.enqueue(&[&["fail", "--queue", "samples"], args].concat());
        let task = sandbox.settled(id);
        assert_eq!((task.summary.reason.as_deref(), task.attempts.len()), (Some(reason), runs), "{args:?}");
        assert!(task.attempts.iter().all(|attempt| attempt.outcome == "error"), "{args:?}");
        assert!(sandbox.shown(id).contains(sentence), "{}", sandbox.shown(id));
    }
    // Its own word goes before the back-off: it does not become available again within a test.
    let id = sandbox.enqueue(&["fail", "--queue=samples", "retry:={\"after_ms\":3600000}", "--name", "patient"]);
    let next = sandbox.enqueue(&["echo", "--queue=samples"]);
    sandbox.settled(next);
    assert!(sandbox.shown(id).contains("retryable: failed, and is tried again at"), "{}", sandbox.shown(id));
    sandbox.finish(supervisor);
}

#[test]
fn a_poison_task_stops_at_its_budget() {
    let kinds = "[kinds.crash]\nmax_crashes = 3\nbackoff = { base = \"1ms\", cap = \"2ms\" }\n";
    let sandbox = Sandbox::with_samples(kinds);
    let supervisor = sandbox.start();
    let poison = sandbox.enqueue(&["crash", "--queue=samples", "signal:=11"]);
    let task = sandbox.settled(poison);
    assert_eq!((task.summary.reason.as_deref(), task.summary.crashes_spent), (Some("crashes"), 3));
    assert_eq!(task.attempts.iter().filter(|attempt| attempt.signal == Some(11)).count(), 3, "{:?}", task.attempts);
    supervisor.log().wait_for("poison", |line| line.is_alert("poison"));
    let once = sandbox.enqueue(&["crash", "--queue=samples", "on_attempt:=1"]);
    let task = sandbox.settled(once);
    assert_eq!((task.summary.state.as_str(), task.summary.crashes_spent), ("completed", 1));
    assert!(sandbox.shown(once).contains("attempt 1: died by signal 11 (SIGSEGV)"), "{}", sandbox.shown(once));
    sandbox.finish(supervisor);
}
