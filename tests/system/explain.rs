//! Why tasks wait, as a real supervisor tells it: each cause in the situation that makes it.

use serde_json::json;
use tests::harness::Sandbox;

const HOLD: &str = "[kinds.hold]\nrun = [\"sh\", \"-c\", \"echo begun > begun; exec sleep 1000\"]\n\
    [kinds.fails]\nrun = [\"false\"]\nmax_attempts = 2\nbackoff = { base = \"1h\" }\n";

/// Workers and what is said of their queue.
fn pool(workers: u32, queue: &str) -> Sandbox {
    Sandbox::new(&format!("[pools.commands]\nstock = true\nworkers = {workers}\n[queues.commands]\n{queue}\n{HOLD}"))
}

fn hold(sandbox: &Sandbox, key: &str) -> i64 {
    sandbox.enqueue(&["hold", "--key", key])
}

/// What the command line says, without the name of the task.
fn why(sandbox: &Sandbox, id: i64) -> String {
    let told = sandbox.cli(&["explain", &id.to_string()]).ok().stdout;
    told.strip_prefix(&format!("task {id} ")).expect("it names the task").to_owned()
}

#[test]
fn limits_and_workers_are_told_with_their_figures_and_those_before() {
    let sandbox = pool(2, "limit_per_key = 1");
    let fifo = sandbox.fifo("begun");
    let supervisor = sandbox.start();
    let ids = ["a", "a", "a", "b", "c", "c"].map(|key| hold(&sandbox, key));
    for _ in 0..2 {
        fifo.line();
    }
    let workers = "a free worker: 2 of 2 of pool commands work";
    let of_key =
        format!("waits for key a of queue commands: 1 of 1 run; 1 of its key before it\n  and for {workers}\n");
    assert_eq!(why(&sandbox, ids[2]), of_key);
    assert_eq!(why(&sandbox, ids[4]), format!("waits for {workers}\n"));
    assert_eq!(why(&sandbox, ids[5]), format!("waits for {workers}; 1 before it\n"));
    let told = sandbox.cli(&["explain", "--queue", "commands"]).ok().stdout;
    let of_queue = format!("4 tasks wait for {workers}\n  2 wait for key a of queue commands: 1 of 1 run\n");
    assert!(told.starts_with(&of_queue), "{told}");
    assert!(why(&sandbox, ids[0]).starts_with("is running since "));
    assert!(sandbox.shown(ids[2]).contains(&format!("(`explain {}` says why)", ids[2])));
    for id in ids {
        sandbox.cancel(id);
    }
    assert_eq!(why(&sandbox, ids[5]), "is cancelled\n");
    sandbox.finish(supervisor);
}

#[test]
fn a_queue_at_its_limit_tells_how_long_that_takes_by_how_fast_it_goes() {
    let sandbox = pool(2, "limit = 1");
    let fifo = sandbox.fifo("begun");
    let supervisor = sandbox.start();
    sandbox.settled(sandbox.add(&["true"]));
    let ids = ["a", "b", "c"].map(|key| hold(&sandbox, key));
    fifo.line();
    let (status, told) = sandbox.http("GET", &format!("/v1/tasks/{}/explain", ids[2]), None);
    assert_eq!(
        (status, &told["holds"]),
        (
            200,
            &json!([
                { "by": "queue_limit", "text": "queue commands: 1 of 1 run", "until": null }
            ])
        )
    );
    assert_eq!((&told["before"], &told["earliest_at"]), (&json!(1), &json!(null)));
    assert!(told["about_ms"].as_u64().is_some_and(|ms| ms > 0), "one run has ended: {told}");
    let sentence = told["sentence"].as_str().unwrap();
    assert!(sentence.starts_with("waits for queue commands: 1 of 1 run; 1 before it; about "), "{sentence}");
    for id in ids {
        sandbox.cancel(id);
    }
    sandbox.finish(supervisor);
}

#[test]
fn its_time_its_next_attempt_and_what_is_paused_are_told_with_their_ends() {
    let sandbox = pool(1, "");
    let supervisor = sandbox.start();
    let later = sandbox.enqueue(&["hold", "--in", "1h", "--key", "a"]);
    assert!(why(&sandbox, later).starts_with("waits for its time, 20"));
    let failed = sandbox.enqueue(&["fails"]);
    sandbox.settled(sandbox.add(&["true"]));
    assert!(why(&sandbox, failed).starts_with("waits for its next attempt, at 20"), "{}", why(&sandbox, failed));
    sandbox.cli(&["pause", "commands", "--key", "a", "--for", "2h", "--reason", "moved"]).ok();
    let told = why(&sandbox, later);
    assert!(told.contains("\n  and for key a of queue commands: paused until 20"), "{told}");
    assert!(told.contains(" (moved)\n  starts no earlier than 20"), "{told}");
    sandbox.cli(&["pause", "commands", "--reason", "deploy"]).ok();
    let now = hold(&sandbox, "b");
    assert_eq!(why(&sandbox, now), "waits for queue commands: paused until it is resumed (deploy)\n");
    sandbox.cli(&["cancel", &later.to_string(), &failed.to_string(), &now.to_string()]).ok();
    let told = sandbox.cli(&["explain", "--queue", "commands"]).ok().stdout;
    assert!(told.starts_with("no task of queue commands waits; 0 run\n  closed: queue commands: paused"), "{told}");
    sandbox.finish(supervisor);
}

#[test]
fn a_rate_is_told_with_the_moment_of_its_next_start() {
    let sandbox = pool(1, "rate = { allowed = 1, per = \"1h\" }");
    let supervisor = sandbox.start();
    sandbox.settled(sandbox.add(&["true"]));
    let next = hold(&sandbox, "a");
    let told = why(&sandbox, next);
    let rate = "waits for the rate of queue commands: 1 task in any 1h, used up; the next may start at 20";
    assert!(told.starts_with(rate), "{told}");
    let (_, told) = sandbox.http("GET", &format!("/v1/tasks/{next}/explain"), None);
    assert_eq!(told["earliest_at"], told["holds"][0]["until"]);
    sandbox.cancel(next);
    sandbox.finish(supervisor);
}

#[test]
fn a_broken_pool_and_one_that_is_not_there_any_more_are_told() {
    let broken = "[pools.broken]\ncommand = [\"sh\", \"-c\", \"exit 78\"]\n[kinds.odd]\nqueue = \"broken\"\n";
    let sandbox = Sandbox::new(broken);
    let supervisor = sandbox.start();
    supervisor.log().wait_for("the broken pool", |line| line.is_alert("pool_broken"));
    let id = sandbox.enqueue(&["odd"]);
    assert!(
        why(&sandbox, id)
            .starts_with("waits for a free worker: pool broken is broken, its worker left with exit code 78")
    );
    sandbox.finish(supervisor);
    sandbox.write("supervisor.toml", "");
    let supervisor = sandbox.start();
    assert_eq!(why(&sandbox, id), "waits for a pool: none serves queue broken\n");
    sandbox.cli(&["explain", "--queue", "broken"]).ok().says("1 task waits for a pool: none serves queue broken");
    sandbox.cli(&["explain", "--queue", "nowhere"]).exits(6).complains("no pool serves queue");
    sandbox.cli(&["explain", "99"]).exits(4).complains("there is no task 99");
    sandbox.cli(&["explain"]).exits(2).complains("--queue");
    sandbox.cancel(id);
    sandbox.finish(supervisor);
}

#[test]
fn without_a_supervisor_that_is_what_a_task_waits_for() {
    let sandbox = Sandbox::new(HOLD);
    let ids = [sandbox.enqueue(&["hold"]), sandbox.enqueue(&["hold", "--in", "1h"])];
    let up = "waits for a supervisor: none is up, `supervisor run` starts one\n";
    assert_eq!(why(&sandbox, ids[0]), up);
    assert!(why(&sandbox, ids[1]).starts_with(&format!("{up}  and for its time, 20")));
    sandbox.cli(&["explain", "--queue", "commands"]).exits(5).complains("no supervisor is up");
    sandbox.cli(&["explain", "99"]).exits(4).complains("there is no task 99");
}
