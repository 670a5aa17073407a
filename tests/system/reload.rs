//! Another configuration while the supervisor runs: by signal, by command, because the file has changed; and one that cannot be
//! used.

use std::fs;

use nix::sys::signal::Signal;
use serde_json::json;
use tests::harness::{Line, Sandbox, Supervisor};

const DIGEST: &str = "[kinds.digest]\nrun = [\"sha256sum\", \"{path}\"]\n";
const BAD: &str = "[pools.commands]\nstock = true\nworkers = 0\n";

/// So that what a command tells was not told before.
fn unwatched(sandbox: &Sandbox) -> Supervisor {
    sandbox.spawn_with(&["--no-watch"]).await_ready()
}

fn reloaded(supervisor: &Supervisor, from: usize, changes: usize) -> Line {
    supervisor.log().wait_for_from(from, "reloaded", |line| line.is("reloaded") && line.field("changes") == changes)
}

#[test]
fn a_command_tells_what_has_changed_by_it() {
    let sandbox = Sandbox::new("");
    let supervisor = unwatched(&sandbox);
    sandbox.cli(&["enqueue", "digest", "path=a"]).exits(6).complains("no pool offers kind \"digest\"");
    sandbox.write("supervisor.toml", DIGEST);
    let output = sandbox.cli(&["reload"]).ok();
    assert_eq!(output.stdout, "kinds.digest: added\n");
    sandbox.cli(&["reload"]).ok().says("nothing has changed");
    sandbox.write("supervisor.toml", &format!("{DIGEST}[kinds.command]\ntimeout = \"2m\"\n[host]\nmemory = \"50%\"\n"));
    let output = sandbox.cli(&["reload", "-o", "json"]).ok();
    let changes = ["host.memory: 80% -> 50% (takes effect at the next start)", "kinds.command.timeout: none -> 2m"];
    let told: serde_json::Value = output.json();
    let mut told: Vec<&str> = told["changes"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    told.sort_unstable();
    assert_eq!(told, changes);
    sandbox.finish(supervisor);
    sandbox.cli(&["reload"]).exits(5).complains("no supervisor is up");
}

#[test]
fn a_hangup_is_no_stop_however_often_it_comes() {
    let sandbox = Sandbox::new("");
    let supervisor = unwatched(&sandbox);
    let (begun, gate) = (sandbox.fifo("begun"), sandbox.fifo("gate"));
    let id = sandbox.add(&["sh", "-c", "echo $$ > begun; read go < gate; echo whole"]);
    begun.pid();
    sandbox.write("supervisor.toml", DIGEST);
    for _ in 0..1_000 {
        supervisor.signal(Signal::SIGHUP);
    }
    reloaded(&supervisor, 0, 1);
    gate.open_gate();
    assert_eq!(sandbox.settled(id).summary.state, "completed", "what ran came to its end");
    sandbox.finish(supervisor);
}

#[test]
fn a_file_that_was_changed_or_replaced_is_followed() {
    let sandbox = Sandbox::new("");
    let supervisor = sandbox.start();
    sandbox.write("supervisor.toml", DIGEST);
    let first = reloaded(&supervisor, 0, 1);
    sandbox.write("new.toml", "");
    fs::rename(sandbox.path("new.toml"), sandbox.path("supervisor.toml")).unwrap();
    reloaded(&supervisor, first.number + 1, 1);
    let removed = supervisor.log().find(|line| line.field("change") == "kinds.digest: removed");
    assert_eq!(removed.len(), 1);
    sandbox.finish(supervisor);
}

#[test]
fn a_configuration_that_cannot_be_used_changes_nothing_and_says_why() {
    let sandbox = Sandbox::new(DIGEST);
    let supervisor = sandbox.start();
    sandbox.write("supervisor.toml", BAD);
    let told = |line: &Line| {
        line.is_alert("config_refused") && line.field("reason").as_str().is_some_and(|why| why.contains("toml:3:"))
    };
    let by_file = supervisor.log().wait_for("the file is refused", told);
    let (status, refusal) = sandbox.http("POST", "/v1/reload", None);
    assert_eq!((status, &refusal["code"]), (422, &json!("config_refused")));
    assert!(refusal["message"].as_str().unwrap().contains("pools.commands.workers: must be 1 to 256"), "{refusal}");
    let mark = supervisor.log().wait_for_from(by_file.number + 1, "the command is refused", told);
    supervisor.signal(Signal::SIGHUP);
    supervisor.log().wait_for_from(mark.number + 1, "the signal is refused", told);
    sandbox.cli(&["reload"]).exits(3).complains("must be 1 to 256");
    // What only a supervisor needs, only it can miss.
    sandbox.write("supervisor.toml", "[pools.a]\ncommand = [\"./no-such-program\"]\n");
    sandbox.cli(&["reload"]).exits(3).complains("./no-such-program").complains("stays in force");
    sandbox.write("supervisor.toml", DIGEST);
    sandbox.write("a", "abc");
    sandbox.cli(&["enqueue", "digest", "path=a", "--wait"]).ok().says("ba7816bf8f01cfea");
    sandbox.finish(supervisor);
}

#[test]
fn who_was_started_without_a_file_says_so() {
    let sandbox = Sandbox::new("");
    let supervisor = sandbox.start_on_db();
    sandbox.cli(&["reload"]).exits(6).complains("--db alone").complains("start it with --config FILE");
    supervisor.signal(Signal::SIGHUP);
    let told = |line: &Line| line.is_alert("config_refused");
    supervisor.log().wait_for("there is no file", told);
    sandbox.finish(supervisor);
}

#[test]
fn limits_and_orders_change_under_load() {
    let with = |queue: &str| format!("[pools.commands]\nstock = true\nworkers = 4\n{queue}");
    let sandbox = Sandbox::new(&with("[queues.commands]\nlimit = 1\n"));
    let supervisor = unwatched(&sandbox);
    let (begun, gate) = (sandbox.fifo("begun"), sandbox.fifo("gate"));
    let ids: Vec<i64> =
        (0..6).map(|_| sandbox.add(&["sh", "-c", "echo $$ > begun; read go < gate; echo whole"])).collect();
    begun.pid();
    sandbox.write("supervisor.toml", &with("[queues.commands]\nlimit = 3\norder = \"fair\"\n"));
    let changes = "queues.commands.limit: 1 -> 3\nqueues.commands.order: rank -> fair\n";
    assert_eq!(sandbox.cli(&["reload"]).ok().stdout, changes);
    begun.pid();
    begun.pid();
    let stats: serde_json::Value = sandbox.cli(&["stats", "-o", "json"]).ok().json();
    assert_eq!((&stats["tasks"]["running"], &stats["tasks"]["available"]), (&json!(3), &json!(3)));
    sandbox.examine();
    for _ in 0..3 {
        gate.open_gate();
        begun.pid();
    }
    (0..3).for_each(|_| gate.open_gate());
    for id in ids {
        assert_eq!(sandbox.settled(id).summary.state, "completed");
    }
    sandbox.finish(supervisor);
}

/// Of which a step takes a thousand.
const HELD: usize = 3_500;

#[test]
fn a_long_queue_comes_into_another_order_while_it_is_added_to_and_worked_on() {
    let pool = "[pools.commands]\nstock = true\nworkers = 2\n[queues.commands]\n";
    let sandbox = Sandbox::new(&format!("{pool}limit = 9\n"));
    let supervisor = unwatched(&sandbox);
    sandbox.cli(&["pause", "commands", "--key", "held"]).ok();
    let held = "{\"kind\": \"command\", \"key\": \"held\", \"args\": {\"argv\": [\"true\"]}}\n".repeat(HELD);
    sandbox.cli_with_input(&["enqueue", "--bulk", "-"], held.as_bytes()).ok();
    let others: Vec<i64> = std::thread::scope(|threads| {
        let adding = threads.spawn(|| (0..40).map(|_| sandbox.add(&["true"])).collect());
        for order in ["fair", "rank", "fair"] {
            sandbox.write("supervisor.toml", &format!("{pool}limit = 9\norder = \"{order}\"\n"));
            sandbox.cli(&["reload"]).ok().says(&format!("-> {order}"));
        }
        adding.join().unwrap()
    });
    for id in others {
        assert_eq!(sandbox.settled(id).summary.state, "completed");
    }
    let stats: serde_json::Value = sandbox.cli(&["stats", "-o", "json"]).ok().json();
    assert_eq!(stats["tasks"]["available"], HELD);
    sandbox.finish(supervisor);
}

/// A worker that was started before does not know the kind, and would fail it.
#[test]
fn a_new_kind_runs_on_new_workers_only_and_what_runs_comes_to_its_end() {
    let pool = "[pools.commands]\nstock = true\nworkers = 8\n";
    let sandbox = Sandbox::new(pool);
    let supervisor = unwatched(&sandbox);
    supervisor.await_greetings("commands", 8);
    let (begun, gate) = (sandbox.fifo("begun"), sandbox.fifo("gate"));
    let id = sandbox.add(&["sh", "-c", "echo $$ > begun; read go < gate; echo whole"]);
    begun.pid();
    sandbox.write("a", "abc");
    sandbox.write("supervisor.toml", &format!("{pool}{DIGEST}max_attempts = 1\nmax_crashes = 1\n"));
    sandbox.cli(&["reload"]).ok().says("kinds.digest: added");
    let digests = "{\"kind\": \"digest\", \"args\": {\"path\": \"a\"}}\n".repeat(32);
    sandbox.cli_with_input(&["enqueue", "--bulk", "-"], digests.as_bytes()).ok();
    for digest in id + 1..=id + 32 {
        assert_eq!(sandbox.settled(digest).summary.state, "completed", "{}", sandbox.shown(digest));
    }
    gate.open_gate();
    let task = sandbox.settled(id);
    assert_eq!((task.summary.state.as_str(), task.attempts.len()), ("completed", 0));
    sandbox.finish(supervisor);
}
