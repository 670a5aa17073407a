//! What tasks take and do not give back: descriptors, a core, the output of a worker. It costs them, and nobody else.

use std::collections::BTreeMap;
use std::fs;

use tests::harness::{Sandbox, Watched, installed_package, python_pool};

const OPEN_FILES_MAX: usize = 64;
/// Four such runs would need more than there are.
const FILES: usize = 15;
const RECYCLED_AFTER: usize = 3;

#[test]
fn who_leaks_descriptors_is_recycled_in_time_and_who_takes_too_many_fails_alone() {
    let recycle = format!("recycle = {{ tasks = {RECYCLED_AFTER} }}\nlimits = {{ open_files = {OPEN_FILES_MAX} }}");
    let pool = python_pool("leaking.py").replace("workers = 1", &format!("workers = 1\n{recycle}"));
    let kind = "[kinds.opens]\nqueue = \"python\"\nmax_attempts = 1\nmax_crashes = 1\n";
    let sandbox = Sandbox::new(&(pool + kind));
    let gate = sandbox.fifo("gate");
    let package = installed_package().to_string_lossy();
    let supervisor = sandbox.spawn(&[("PYTHONPATH", &*package)]).await_ready();
    supervisor.await_greetings("python", 1);
    let neighbour = sandbox.add(&["sh", "-c", "read go < gate"]);
    let files = format!("files:={FILES}");
    let ids = Vec::from_iter((0..4 * RECYCLED_AFTER).map(|_| sandbox.enqueue(&["opens", &files])));
    let mut runs: BTreeMap<i32, usize> = BTreeMap::new();
    for id in ids {
        let task = sandbox.settled(id);
        assert_eq!(task.summary.state, "completed", "{}", sandbox.shown(id));
        *runs.entry(task.result.read().unwrap()).or_default() += 1;
    }
    assert!(runs.values().all(|runs| *runs == RECYCLED_AFTER), "{runs:?}");
    let glutton = sandbox.settled(sandbox.enqueue(&["opens", &format!("files:={OPEN_FILES_MAX}")]));
    let [attempt] = &glutton.attempts[..] else { panic!("{:?}", glutton.attempts) };
    assert_eq!((glutton.summary.state.as_str(), attempt.outcome.as_str()), ("failed", "error"), "{attempt:?}");
    assert!(attempt.detail.contains("Too many open files"), "{attempt:?}");
    gate.open_gate();
    assert_eq!(sandbox.settled(neighbour).summary.runs, 1);
    sandbox.finish(supervisor);
}

/// Cores are on for the supervisor, as on a machine of a developer; the kernel writes them where the process is, unless it was
/// told otherwise.
#[test]
fn who_aborts_leaves_no_core() {
    let sandbox = Sandbox::new(&Sandbox::rogue_pool(&["abort"], "max_crashes = 1"));
    let supervisor = sandbox.spawn_after("ulimit -S -c $(ulimit -H -c)", &[]).await_ready();
    let task = sandbox.settled(sandbox.enqueue(&["abort"]));
    assert_eq!(task.attempts[0].signal_name.as_deref(), Some("SIGABRT"));
    let files = fs::read_dir(sandbox.path("")).unwrap().map(|entry| entry.unwrap().file_name());
    let cores = Vec::from_iter(files.filter(|name| name.to_string_lossy().starts_with("core")));
    assert!(cores.is_empty(), "{cores:?}");
    sandbox.finish(supervisor);
}

/// Neither the end of a command nor that of a worker is awaited on its output.
#[test]
fn who_holds_the_output_of_a_run_holds_up_nobody() {
    let sandbox = Sandbox::new(&Sandbox::rogue_pool(&["grandchild-exit"], "max_crashes = 2"));
    let pids = sandbox.fifo("pids");
    let supervisor = sandbox.start();
    let holds = "setsid sleep 1000 & echo $! > pids; echo whole";
    for _ in 0..2 {
        let id = sandbox.add(&["sh", "-c", holds]);
        let holder = Watched::new(pids.pid());
        let task = sandbox.settled(id);
        let result: String = task.result.read().unwrap();
        assert_eq!((task.summary.state.as_str(), result.trim()), ("completed", "whole"));
        assert!(!holder.is_alive());
    }
    let dying = sandbox.settled(sandbox.enqueue(&["grandchild-exit"]));
    let outcomes = Vec::from_iter(dying.attempts.iter().map(|attempt| (attempt.outcome.as_str(), attempt.exit_code)));
    assert_eq!(outcomes, [("exit", Some(0)); 2], "the second run did not wait for the output of the first");
    sandbox.finish(supervisor);
}
