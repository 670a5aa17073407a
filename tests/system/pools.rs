//! How many workers there are: load and operators bring and take them, memory and quiet hold them back, and each decision can
//! be read.

use serde_json::{Value, json};
use supervisor::http::dto::{Pool, PoolList, Stats};
use tests::harness::{Line, Sandbox, Supervisor, Watched};

/// A kind whose runs tell the pid of their worker, and wait.
const HOLD: &str = "[kinds.hold]\nrun = [\"sh\", \"-c\", \"echo $PPID > begun; read go < gate\"]\n";

/// The pool of plain commands with these workers, and little patience.
fn sandbox(workers: &str) -> Sandbox {
    let scale = "scale = { target_wait = \"100ms\", cooldown = \"100ms\" }";
    Sandbox::new(&format!("[pools.commands]\nstock = true\nworkers = {workers}\n{scale}\n{HOLD}"))
}

fn shown(sandbox: &Sandbox) -> Pool {
    sandbox.cli(&["pool", "show", "commands", "-o", "json"]).ok().json()
}

fn why(sandbox: &Sandbox, id: i64) -> Value {
    sandbox.cli(&["explain", &id.to_string(), "-o", "json"]).ok().json()
}

/// Waits for the next line about a worker of a pool, from this one on; gives the place behind it.
fn told(supervisor: &Supervisor, from: usize, message: &str, pool: &str) -> usize {
    let fits = |line: &Line| line.is(message) && line.field("pool") == pool;
    supervisor.log().wait_for_from(from, &format!("{message} (pool {pool})"), fits).number + 1
}

#[test]
fn load_brings_workers_and_they_leave_when_it_is_over() {
    let sandbox = sandbox("{ min = 0, max = 3 }");
    let (begun, gate) = (sandbox.fifo("begun"), sandbox.fifo("gate"));
    let supervisor = sandbox.start();
    assert_eq!((shown(&sandbox).summary.wanted, shown(&sandbox).workers.len()), (0, 0), "nothing to do, nobody there");
    let ids = [(); 3].map(|()| sandbox.enqueue(&["hold"]));
    // Each is long, by what is known: the next one does not wait for its end.
    let mut workers = ids.map(|_| begun.pid());
    workers.sort_unstable();
    let pool = shown(&sandbox);
    let mut pids: Vec<i32> = pool.workers.iter().filter_map(|worker| worker.pid).collect();
    pids.sort_unstable();
    assert_eq!((pids.as_slice(), pool.summary.wanted), (&workers[..], 3));
    assert_eq!(pool.summary.workers_by_state["working"], 3);
    assert!(pool.workers.iter().all(|worker| worker.task.is_some() && worker.task_since.is_some()), "{pool:?}");
    ids.iter().for_each(|_| gate.open_gate());
    for id in ids {
        assert_eq!(sandbox.settled(id).summary.state, "completed");
    }
    ids.iter().fold(0, |from, _| told(&supervisor, from, "worker gone", "commands"));
    let pool = shown(&sandbox);
    assert_eq!((pool.summary.wanted, pool.summary.state.as_str()), (0, "serving"));
    assert!(pool.decisions.iter().all(|decision| decision.to <= 3), "{:?}", pool.decisions);
    let decided = |from, to, part: &str| {
        let fits = |decision: &&supervisor::http::dto::Decision| (decision.from, decision.to) == (from, to);
        let found = pool.decisions.iter().filter(fits).any(|decision| decision.why.contains(part));
        assert!(found, "no {from} -> {to} with {part:?} in {:?}", pool.decisions);
    };
    decided(0, 1, "1 task waits");
    decided(3, 2, "for 100ms one less would have done: ");
    decided(1, 0, "nothing waits");
    let text = sandbox.cli(&["pool", "show", "commands"]).ok().says("kind  runs  each takes").says("hold  3");
    text.says("  scales so that none waits over 100ms; one less at a time, after 100ms without need").says(" (UTC)\n");
    sandbox.finish(supervisor);
}

#[test]
fn operators_scale_quieten_resume_and_recycle() {
    let sandbox = sandbox("1");
    let supervisor = sandbox.start();
    let up = told(&supervisor, 0, "worker greeted", "commands");
    sandbox.cli(&["pool", "scale", "commands", "2"]).ok().says("pool commands: serving, 2 of 2 workers wanted");
    told(&supervisor, up, "worker greeted", "commands");
    sandbox.cli(&["pool", "scale", "commands", "0..1"]).ok().says(" of 0..1 workers wanted");
    let down = told(&supervisor, 0, "worker gone", "commands");
    sandbox.cli(&["pool", "scale", "commands", "0"]).ok().says("may have no workers until `supervisor pool scale");
    let id = sandbox.add(&["true"]);
    assert_eq!(why(&sandbox, id)["holds"][0]["by"], "no_workers");
    sandbox.cli(&["pool", "scale", "commands", "1"]).ok();
    let up = told(&supervisor, down, "worker greeted", "commands");
    assert_eq!(sandbox.settled(id).summary.state, "completed");
    sandbox.cli(&["pool", "quiet", "commands"]).ok().says("pool commands: quiet, 1 of 1 workers wanted");
    let id = sandbox.add(&["true"]);
    let told_why = why(&sandbox, id);
    assert_eq!(told_why["holds"][0]["by"], "quiet");
    let sentence = "waits for a free worker: pool commands is quiet until `supervisor pool resume commands`";
    assert_eq!(told_why["sentence"], sentence);
    let stats: Stats = sandbox.cli(&["stats", "-o", "json"]).ok().json();
    assert_eq!(stats.pools[0].held_by.as_deref(), Some("quiet"));
    sandbox.cli(&["stats"]).ok().says("is quiet until");
    sandbox.cli(&["pool", "resume", "commands"]).ok().says("pool commands: serving, 1 of 1 workers wanted");
    assert_eq!(sandbox.settled(id).summary.state, "completed");
    let old = shown(&sandbox).workers[0].id;
    sandbox.cli(&["pool", "recycle", "commands"]).ok();
    told(&supervisor, up, "worker greeted", "commands");
    assert!(shown(&sandbox).workers.iter().all(|worker| worker.id > old));
    let list: PoolList = sandbox.cli(&["pool", "list", "-o", "json"]).ok().json();
    assert_eq!(list.pools.iter().map(|pool| pool.name.as_str()).collect::<Vec<_>>(), ["commands"]);
    let text = sandbox.cli(&["pool", "show", "commands"]).ok();
    let says = ["an operator says 2 workers", "an operator made it quiet", "an operator has its workers replaced"];
    says.into_iter().fold(text, |text, part| text.says(part));
    sandbox.finish(supervisor);
}

#[test]
fn a_worker_is_stopped_after_its_run_or_now_and_its_task_is_not_charged() {
    let sandbox = sandbox("1");
    let (begun, gate) = (sandbox.fifo("begun"), sandbox.fifo("gate"));
    let supervisor = sandbox.start();
    let stop = |options: &[&str]| {
        let worker = shown(&sandbox).workers[0].id.to_string();
        sandbox.cli(&[&["worker", "stop", &worker], options].concat()).ok()
    };
    let first = sandbox.enqueue(&["hold"]);
    let worker = Watched::new(begun.pid());
    stop(&[]).says(&format!("of pool commands leaves once its run of task {first} is over"));
    assert_eq!(shown(&sandbox).workers[0].state, "draining");
    gate.open_gate();
    assert_eq!(sandbox.settled(first).summary.runs, 1);
    worker.await_death();
    let second = sandbox.enqueue(&["hold"]);
    let worker = Watched::new(begun.pid());
    stop(&["--now"]).says("leaves");
    let other = Watched::new(begun.pid());
    assert!(!worker.is_alive() && other.is_alive() && other.pid != worker.pid, "another one runs it");
    gate.open_gate();
    let task = sandbox.settled(second);
    assert_eq!(
        (task.summary.state.as_str(), task.summary.attempts_spent, task.summary.crashes_spent),
        ("completed", 0, 0)
    );
    let outcomes: Vec<&str> = task.attempts.iter().map(|attempt| attempt.outcome.as_str()).collect();
    assert_eq!(outcomes, ["recalled", "ok"]);
    assert!(sandbox.shown(second).contains("its worker was stopped by an operator"), "{}", sandbox.shown(second));
    sandbox.finish(supervisor);
}

#[test]
fn two_pools_that_do_not_fit_beside_each_other_take_turns() {
    let pool = |name: &str| {
        format!(
            "[pools.{name}]\nstock = true\nworkers = {{ min = 0, max = 2 }}\nlimits = {{ memory = \"600MB\" }}\n\
             [kinds.{name}]\nqueue = \"{name}\"\nrun = [\"sh\", \"-c\", \"echo {name} > begun; read go < gate\"]\n"
        )
    };
    let sandbox = Sandbox::new(&format!("{}{}[host]\nmemory = \"1GB\"\n", pool("a"), pool("b")));
    let (begun, gate) = (sandbox.fifo("begun"), sandbox.fifo("gate"));
    let supervisor = sandbox.start();
    let first = sandbox.enqueue(&["a"]);
    assert_eq!(begun.line(), "a");
    let second = sandbox.enqueue(&["b"]);
    let told_why = why(&sandbox, second);
    let text = "a free worker: pool b waits for memory: a worker may need 572.2 MiB, and of the budget of 953.7 MiB \
                381.5 MiB are free";
    assert_eq!(told_why["holds"], json!([{ "by": "memory", "text": text, "until": null }]));
    let list = sandbox.cli(&["pool", "list"]).ok().says("memory: 572.2 MiB of 953.7 MiB are taken");
    list.says("waits for memory: a worker may need 572.2 MiB");
    gate.open_gate();
    assert_eq!(sandbox.settled(first).summary.state, "completed");
    assert_eq!(begun.line(), "b");
    let left = told(&supervisor, 0, "worker gone", "a");
    assert!(told(&supervisor, 0, "worker greeted", "b") > left, "one after the other");
    let reason = "makes room for a worker of pool b, which waits for memory";
    sandbox.cli(&["pool", "show", "a"]).ok().says(reason);
    gate.open_gate();
    assert_eq!(sandbox.settled(second).summary.state, "completed");
    sandbox.finish(supervisor);
}

#[test]
fn what_is_not_there_or_makes_no_sense_is_refused_with_the_way_out() {
    let sandbox = sandbox("1");
    let supervisor = sandbox.start();
    for args in [&["show", "comands"][..], &["quiet", "comands"], &["scale", "comands", "2"]] {
        let output = sandbox.cli(&[&["pool"], args].concat()).exits(4);
        output.complains("there is no pool \"comands\"").complains("did you mean commands?");
    }
    sandbox.cli(&["worker", "stop", "99"]).exits(4).complains("there is no worker 99").complains("pool show");
    let table = [
        ("POST", "/v1/pools/commands/scale", Some(json!({"workers": 2, "typo": 1})), 400, "invalid_body"),
        ("POST", "/v1/pools/commands/scale", Some(json!({"min": 2})), 400, "invalid_body"),
        ("POST", "/v1/pools/commands/scale", Some(json!({"min": 2, "max": 1})), 400, "limit"),
        ("POST", "/v1/pools/commands/scale", Some(json!({"workers": 1000})), 400, "limit"),
        ("POST", "/v1/pools/commands/scale", None, 415, "not_json"),
        ("POST", "/v1/pools/none/recycle", None, 404, "no_such_pool"),
        ("GET", "/v1/pools/none", None, 404, "no_such_pool"),
        ("GET", "/v1/pools?all=1", None, 400, "invalid_query"),
        ("POST", "/v1/workers/x/stop", Some(json!({})), 400, "invalid_id"),
        ("POST", "/v1/workers/99/stop", Some(json!({"now": true})), 404, "no_such_worker"),
        ("POST", "/v1/workers/1/stop", Some(json!({"now": "yes"})), 400, "invalid_body"),
    ];
    for (method, path, body, status, code) in table {
        let (answered, refusal) = sandbox.http(method, path, body.as_ref());
        assert_eq!((answered, &refusal["code"]), (status, &json!(code)), "{method} {path} {refusal}");
    }
    sandbox
        .cli(&["worker", "--samples", "stop", "1"])
        .exits(2)
        .complains("--samples and --stock are for being a worker");
    sandbox.finish(supervisor);
    sandbox.cli(&["pool", "list"]).exits(5).complains("no supervisor is up");
}

#[test]
fn check_shows_how_pools_scale_and_tells_what_does_not_fit() {
    let pool = |lines: &str| format!("[pools.a]\nstock = true\nworkers = {{ min = 2, max = 4 }}\n{lines}\n");
    let budget = "[host]\nmemory = \"1GiB\"\n";
    let sandbox = Sandbox::new(&(pool("limits = { memory = \"600MiB\" }\nrecycle = { tasks = 9 }") + budget));
    let output = sandbox.cli(&["check"]).ok().says("memory of all workers together 1.0 GiB");
    let output = output.says("a         2..4     2s, 10s         600.0 MiB  9 tasks");
    output.complains("warning: ").complains("the least workers of all pools may need 1.2 GiB").complains("toml:7:10\n");
    let told: Value = sandbox.cli(&["check", "-o", "json"]).ok().json();
    assert_eq!(
        (&told["host"]["memory"], &told["pools"][0]["limits"]["memory_bytes"]),
        (&json!({"bytes": 1 << 30}), &json!(600 << 20))
    );
    let limits = pool("limits = { memory = \"2GiB\" }\nrecycle = { memory = \"3GiB\" }");
    sandbox.write("supervisor.toml", &(limits + budget));
    let output = sandbox
        .cli(&["check"])
        .exits(3)
        .complains("pools.a.limits.memory: is 2.0 GiB, above the 1.0 GiB of host.memory");
    output
        .complains("pools.a.recycle.memory: is 3.0 GiB, above limits.memory, which is 2.0 GiB")
        .complains("toml:5:22\n");
}
