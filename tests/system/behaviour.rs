//! What a worker does to itself in the middle of a run: each death is told by its cause, each flood stays within bounds.

use tests::harness::Sandbox;

/// Much more than the supervisor may keep of it.
const FLOOD_BYTES: u64 = 64 * 1024 * 1024;
const OUTPUT_TAIL_BYTES: usize = 64 * 1024;

#[test]
fn each_death_is_told_by_its_cause() {
    let table = [
        ("exit-0", "exit", Some(0), None, "its worker left in the middle of the run with exit code 0"),
        ("exit-7", "exit", Some(7), None, "its worker left in the middle of the run with exit code 7"),
        ("segfault", "signal", None, Some(11), "died by signal 11 (SIGSEGV)"),
        ("abort", "signal", None, Some(6), "died by signal 6 (SIGABRT)"),
        ("mute", "protocol", None, Some(9), "it closed its channel and still lived"),
    ];
    let pools: String = table.iter().map(|(misdeed, ..)| Sandbox::rogue_pool(&[misdeed], "")).collect();
    let sandbox = Sandbox::with_samples(&pools);
    let supervisor = sandbox.start();
    let ids = table.map(|(misdeed, ..)| sandbox.enqueue(&[misdeed]));
    for ((misdeed, outcome, code, signal, sentence), id) in table.into_iter().zip(ids) {
        let task = sandbox.settled(id);
        assert_eq!((task.summary.reason.as_deref(), task.summary.crashes_spent), (Some("crashes"), 3), "{misdeed}");
        for attempt in &task.attempts {
            let end = (attempt.outcome.as_str(), attempt.exit_code, attempt.signal);
            assert_eq!(end, (outcome, code, signal), "{misdeed}");
            assert!(attempt.peak_rss_bytes.is_some() && attempt.cpu_ms.is_some(), "{misdeed}");
        }
        let shown = sandbox.shown(id);
        for part in [sentence, "| attempt 3 of task"] {
            assert!(shown.contains(part), "{misdeed}: no {part:?} in\n{shown}");
        }
    }
    let other = sandbox.enqueue(&["echo", "--queue=samples", "text=unaffected"]);
    assert_eq!(sandbox.settled(other).summary.state, "completed");
    sandbox.finish(supervisor);
}

#[test]
fn a_flood_is_kept_to_its_last_part() {
    let flood = ["flood", &FLOOD_BYTES.to_string()];
    let sandbox = Sandbox::with_samples(&Sandbox::rogue_pool(&flood, "max_attempts = 1"));
    let supervisor = sandbox.start();
    let task = sandbox.settled(sandbox.enqueue(&["flood"]));
    assert_eq!((task.summary.reason.as_deref(), task.attempts[0].detail.as_str()), (Some("attempts"), "flooded"));
    assert_eq!(task.attempts[0].output, "x".repeat(OUTPUT_TAIL_BYTES));
    let peak_bytes = supervisor.peak_rss_bytes();
    assert!(peak_bytes < FLOOD_BYTES, "the supervisor took {peak_bytes} bytes");
    sandbox.finish(supervisor);
}

#[test]
fn workers_that_leave_by_themselves_cost_no_task() {
    let sandbox = Sandbox::new(&Sandbox::rogue_pool(&["retires"], "max_crashes = 1"));
    let supervisor = sandbox.start();
    let ids: Vec<i64> = (0..6).map(|_| sandbox.enqueue(&["retires"])).collect();
    for id in ids {
        let task = sandbox.settled(id);
        let spent = (task.summary.state.as_str(), task.summary.attempts_spent, task.summary.crashes_spent);
        assert_eq!(spent, ("completed", 0, 0), "{}", sandbox.shown(id));
        let outcomes = task.attempts.iter().map(|attempt| attempt.outcome.as_str());
        let charged = outcomes.filter(|outcome| !["lost", "recalled", "ok"].contains(outcome));
        assert_eq!(charged.count(), 0, "{}", sandbox.shown(id));
    }
    sandbox.finish(supervisor);
}
