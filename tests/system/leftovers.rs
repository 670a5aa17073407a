//! What a run leaves behind in sessions of its own, for each reason of a stop: none of it lives when its task is seen in the
//! next state, and what a good run left never outlives its worker. These tests last as long as the grace that a stop has.

use std::fs;
use std::thread;

use nix::sys::signal::Signal;
use serde_json::Value;
use supervisor::http::dto::Pool;
use tests::harness::{Fifo, Line, Sandbox, Supervisor, Watched};

/// Long runs are not over before a second signal.
const LONG_GRACE: [&str; 2] = ["--shutdown-grace", "1h"];
const SHORT_GRACE: [&str; 2] = ["--shutdown-grace", "1s"];

/// What the host gives, and what there is everywhere: without groups what is left is found by its parent.
const GROUPS: [&str; 2] = ["auto", "off"];

/// A pool whose runs leave two daemons and hang; the second attempt is good.
fn strays(groups: &str) -> String {
    let kind = format!("max_attempts = 2\nmax_crashes = 2\n[host]\ncgroup = \"{groups}\"\n");
    Sandbox::rogue_pool(&["strays"], &kind).replace("workers = 1", "workers = 4")
}

/// A run that has left what it leaves: its worker, and the two daemons.
struct Strayed {
    id: i64,
    tell: Fifo,
    worker: Watched,
    daemons: [Watched; 2],
}

impl Strayed {
    fn begin(sandbox: &Sandbox, name: &str, more: &[&str]) -> Strayed {
        let tell = sandbox.fifo(name);
        let id = sandbox.enqueue(&[&["strays", &format!("tell={}", tell.path().display())], more].concat());
        let worker = Watched::new(tell.pid());
        let daemons = [(); 2].map(|()| Watched::new(tell.pid()));
        let strayed = Strayed { id, tell, worker, daemons };
        assert!(strayed.is_any_alive(), "else this shows nothing");
        strayed
    }

    fn is_any_alive(&self) -> bool {
        self.daemons.iter().any(Watched::is_alive)
    }

    /// The task runs again, which shows that it was handed back.
    fn await_next_run(&self, sandbox: &Sandbox, outcome: &str) {
        assert_ne!(self.tell.pid(), self.worker.pid, "by another worker");
        assert!(!self.is_any_alive(), "{outcome}: a second run while something of the first lived");
        let task = sandbox.settled(self.id);
        let outcomes: Vec<&str> = task.attempts.iter().map(|attempt| attempt.outcome.as_str()).collect();
        assert_eq!((task.summary.state.as_str(), outcomes), ("completed", vec![outcome, "ok"]));
    }
}

#[test]
fn what_a_stopped_run_left_is_dead_before_its_task_is_seen_again() {
    thread::scope(|scope| GROUPS.map(|groups| scope.spawn(move || stopped_runs(groups))).map(drop));
}

fn stopped_runs(groups: &str) {
    let commands =
        "[pools.commands]\nstock = true\nlimits = { memory = \"150MiB\" }\n[kinds.command]\nmax_crashes = 1\n";
    let sandbox = Sandbox::new(&(strays(groups) + commands));
    let supervisor = sandbox.spawn_with(&SHORT_GRACE).await_ready();
    thread::scope(|scope| {
        scope.spawn(|| {
            let run = Strayed::begin(&sandbox, "cancelled", &[]);
            sandbox.cancel(run.id);
            assert!(!run.is_any_alive(), "cancelled is said when nothing of it is left");
        });
        scope.spawn(|| {
            Strayed::begin(&sandbox, "timeout", &["--timeout", "1s"]).await_next_run(&sandbox, "timeout");
        });
        scope.spawn(|| {
            let run = Strayed::begin(&sandbox, "killed", &[]);
            run.worker.signal(Signal::SIGKILL);
            run.await_next_run(&sandbox, "signal");
        });
        scope.spawn(|| stopped_by_an_operator(&sandbox));
        scope.spawn(|| over_memory(&sandbox));
    });
    let run = Strayed::begin(&sandbox, "stopped", &[]);
    supervisor.signal(Signal::SIGTERM);
    assert_given_back(&sandbox, supervisor, &run);
}

/// A command that leaves a daemon and then takes more memory than it may.
fn over_memory(sandbox: &Sandbox) {
    let tell = sandbox.fifo("memory");
    let script = "setsid sleep 1000 & echo $! > memory; exec python3 -c 'import time; x = b\"x\" * 300_000_000; time.sleep(1000)'";
    let id = sandbox.add(&["sh", "-c", script]);
    let daemon = Watched::new(tell.pid());
    let task = sandbox.settled(id);
    assert!(!daemon.is_alive(), "oom: it ended while something of it lived");
    assert_eq!(task.attempts[0].outcome, "oom", "{:?}", task.attempts);
}

fn stopped_by_an_operator(sandbox: &Sandbox) {
    let run = Strayed::begin(sandbox, "operator", &[]);
    let pool: Pool = sandbox.cli(&["pool", "show", "strays", "-o", "json"]).ok().json();
    let worker = pool.workers.iter().find(|worker| worker.pid == Some(run.worker.pid)).expect("it works");
    sandbox.cli(&["worker", "stop", &worker.id.to_string(), "--now"]).ok();
    assert_ne!(run.tell.pid(), run.worker.pid, "by another worker");
    assert!(!run.is_any_alive(), "a second run while something of the first lived");
    sandbox.cancel(run.id);
}

#[test]
fn what_a_run_left_does_not_outlive_a_second_stop_of_the_supervisor() {
    let sandbox = Sandbox::with_samples(&strays("off"));
    let supervisor = sandbox.spawn_with(&LONG_GRACE).await_ready();
    supervisor.await_greetings("samples", 1);
    let run = Strayed::begin(&sandbox, "stopped", &[]);
    supervisor.signal(Signal::SIGTERM);
    // What has nothing to do leaves at once: the first signal was understood.
    await_gone(&supervisor, 0, "samples");
    assert!(run.worker.is_alive() && run.is_any_alive(), "it has an hour");
    supervisor.signal(Signal::SIGTERM);
    assert_given_back(&sandbox, supervisor, &run);
}

/// The supervisor has been told to stop: it ends well, and nothing of the run is left, which is nobody's fault.
fn assert_given_back(sandbox: &Sandbox, supervisor: Supervisor, run: &Strayed) {
    sandbox.ended(supervisor);
    assert!(!run.is_any_alive(), "the supervisor has ended");
    let task: Value = sandbox.cli(&["show", "-o", "json", &run.id.to_string()]).ok().json();
    let seen = (&task["state"], &task["attempts_spent"], &task["crashes_spent"]);
    assert_eq!(seen, (&"available".into(), &0.into(), &0.into()), "{task}");
}

fn await_gone(supervisor: &Supervisor, from: usize, pool: &str) {
    let gone = |line: &Line| line.is("worker gone") && line.field("pool") == pool;
    supervisor.log().wait_for_from(from, &format!("a worker of {pool} is gone"), gone);
}

#[test]
fn what_a_good_run_left_goes_with_its_worker_for_whatever_reason() {
    const POOL: &str = "grandchild-done";
    let config = |lines: &str| Sandbox::rogue_pool_with(&[POOL], lines, "[host]\ncgroup = \"off\"\n");
    let sandbox = Sandbox::new(&config(""));
    let supervisor = sandbox.spawn_with(&["--no-watch"]).await_ready();
    let recycle = config("recycle = { tasks = 1 }");
    let changed = config("").replace("\"grandchild-done\"]", "\"grandchild-done\", \"again\"]");
    let reload = |config: &str| {
        fs::write(sandbox.path("supervisor.toml"), config).unwrap();
        sandbox.cli(&["reload"]).ok();
    };
    let command = |args: &[&str]| drop(sandbox.cli(args).ok());
    let reasons: [(&str, &dyn Fn()); 4] = [
        ("another command", &|| reload(&changed)),
        ("an operator", &|| command(&["pool", "recycle", POOL])),
        ("no need", &|| command(&["pool", "scale", POOL, "0"])),
        // Back to one; the worker that comes is worn after its first run.
        ("wear", &|| reload(&recycle)),
    ];
    for (reason, bring_about) in reasons {
        if reason == "wear" {
            bring_about();
            command(&["pool", "scale", POOL, "1"]);
        }
        let from = supervisor.log().mark();
        let task = sandbox.settled(sandbox.enqueue(&[POOL]));
        let grandchild = Watched::new(task.result.read::<String>().unwrap().trim().parse().unwrap());
        if reason != "wear" {
            assert!(grandchild.is_alive(), "{reason}: its worker lives");
            bring_about();
        }
        await_gone(&supervisor, from, POOL);
        assert!(!grandchild.is_alive(), "{reason}: it outlived its worker");
    }
    sandbox.finish(supervisor);
}
