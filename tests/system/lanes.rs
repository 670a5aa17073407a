//! Who goes first and who must wait: limits, turns, rates, pauses and budgets, through a real supervisor.

use tests::harness::{Fifo, Sandbox};

const HOLD: &str = "[kinds.hold]\nrun = [\"sh\", \"-c\", \"echo $0 > begun; exec sleep 1000\", \"{word}\"]\n";
const NOTE: &str = "[kinds.note]\nrun = [\"sh\", \"-c\", \"echo $0 >> order\", \"{word}\"]\n\
    [kinds.gate]\nrun = [\"sh\", \"-c\", \"echo begun > begun; read go < gate\"]\n";

fn pool(workers: u32, queue: &str, kinds: &str) -> String {
    format!("[pools.commands]\nstock = true\nworkers = {workers}\n[queues.commands]\n{queue}\n{kinds}")
}

fn begun(fifo: &Fifo, count: usize) -> Vec<String> {
    let mut words: Vec<String> = (0..count).map(|_| fifo.line()).collect();
    words.sort();
    words
}

/// Notes in the order in which they ran, behind a gate that is opened only when all wait.
fn order_of(sandbox: &Sandbox, notes: &[&[&str]], between: impl FnOnce(&[i64])) -> String {
    let (begun, gate) = (sandbox.fifo("begun"), sandbox.fifo("gate"));
    let first = sandbox.enqueue(&["gate"]);
    begun.line();
    let ids: Vec<i64> = notes.iter().map(|note| sandbox.enqueue(&[&["note"], *note].concat())).collect();
    between(&ids);
    gate.open_gate();
    for id in [&[first], &ids[..]].concat() {
        assert_eq!(sandbox.settled(id).summary.state, "completed");
    }
    std::fs::read_to_string(sandbox.path("order")).unwrap().replace('\n', " ")
}

#[test]
fn limits_of_a_queue_and_of_its_keys_hold_also_over_a_crash() {
    let sandbox = Sandbox::new(&pool(6, "limit = 3\nlimit_per_key = 1", HOLD));
    let fifo = sandbox.fifo("begun");
    let supervisor = sandbox.start();
    let hold = |word: &str, key: &str| sandbox.enqueue(&["hold", "--key", key, &format!("word={word}")]);
    let ids = [("a1", "a"), ("a2", "a"), ("b1", "b"), ("c1", "c"), ("d1", "d")].map(|(word, key)| hold(word, key));
    assert_eq!(begun(&fifo, 3), ["a1", "b1", "c1"]);
    sandbox.kill9(supervisor);
    let supervisor = sandbox.start();
    assert_eq!(begun(&fifo, 3), ["a1", "b1", "c1"]);
    let (_, stats) = sandbox.http("GET", "/v1/stats", None);
    assert_eq!((&stats["queues"][0]["running"], &stats["queues"][0]["available"]), (&3.into(), &2.into()));
    sandbox.cancel(ids[2]);
    assert_eq!(fifo.line(), "d1", "a2 is older, and its key is at its limit");
    sandbox.cancel(ids[0]);
    assert_eq!(fifo.line(), "a2");
    for id in [ids[1], ids[3], ids[4]] {
        sandbox.cancel(id);
    }
    sandbox.finish(supervisor);
}

#[test]
fn in_a_fair_queue_the_keys_take_turns_by_their_weights() {
    let sandbox = Sandbox::new(&pool(1, "order = \"fair\"\nweights = { b = 2 }", NOTE));
    let supervisor = sandbox.start();
    let notes: Vec<[String; 3]> = ["a", "a", "a", "b", "b", "b", "b"]
        .iter()
        .map(|key| ["--key".to_owned(), (*key).to_owned(), format!("word={key}")])
        .collect();
    let notes: Vec<Vec<&str>> = notes.iter().map(|note| note.iter().map(String::as_str).collect()).collect();
    let order = order_of(&sandbox, &notes.iter().map(Vec::as_slice).collect::<Vec<_>>(), |_| {});
    let first = order.split(' ').take(6).filter(|word| *word == "b").count();
    assert_eq!(first, 4, "two of b for one of a: {order}");
    sandbox.finish(supervisor);
}

#[test]
fn the_queues_of_a_pool_share_it_by_their_weights() {
    let config = "[pools.commands]\nstock = true\nworkers = 1\nqueues = { commands = 1, paying = 3 }\n";
    let sandbox = Sandbox::new(&format!("{config}{NOTE}"));
    let supervisor = sandbox.start();
    let (free, paying) = (["--queue=commands", "word=free"], ["--queue=paying", "word=paying"]);
    let notes: Vec<&[&str]> = [&free[..]; 6].into_iter().chain([&paying[..]; 6]).collect();
    let order = order_of(&sandbox, &notes, |_| {});
    let first = order.split(' ').take(8).filter(|word| *word == "paying").count();
    assert_eq!(first, 6, "three of paying for one of the other: {order}");
    sandbox.finish(supervisor);
}

#[test]
fn a_waiting_task_may_be_given_another_priority() {
    let sandbox = Sandbox::new(&pool(1, "aging = \"off\"", NOTE));
    let supervisor = sandbox.start();
    let notes: [&[&str]; 3] = [&["word=one"], &["word=two", "--priority", "high"], &["word=three"]];
    let order = order_of(&sandbox, &notes, |ids| {
        let told = sandbox.cli(&["reprioritise", "critical", &ids[2].to_string()]).ok();
        assert_eq!(told.stdout, "priority -100\n");
    });
    assert_eq!(order, "three two one ");
    let id = sandbox.enqueue(&["note", "word=four"]);
    sandbox.settled(id);
    let refused = sandbox.cli(&["reprioritise", "high", &id.to_string()]);
    assert!(refused.stderr.contains("is completed, and only a task that waits has a place in line"), "{refused:?}");
    sandbox.finish(supervisor);
}

#[test]
fn a_rate_lets_through_so_many_and_no_more() {
    let config = "[queues.samples]\nrate = { allowed = 2, per = \"1h\" }\n";
    let sandbox = Sandbox::with_samples(config);
    let supervisor = sandbox.start();
    let ids: Vec<i64> = (0..3).map(|_| sandbox.enqueue(&["echo", "--queue=samples"])).collect();
    for id in &ids[..2] {
        assert_eq!(sandbox.settled(*id).summary.state, "completed");
    }
    sandbox.kill9(supervisor);
    let supervisor = sandbox.start();
    let other = sandbox.add(&["true"]);
    sandbox.settled(other);
    assert!(sandbox.shown(ids[2]).contains("available"), "{}", sandbox.shown(ids[2]));
    sandbox.cancel(ids[2]);
    sandbox.finish(supervisor);
}

#[test]
fn what_a_task_costs_and_spends_is_charged_and_what_is_too_much_is_owed() {
    let sandbox = Sandbox::with_samples("[queues.samples]\nrates.tokens = { allowed = 10, per = \"1h\" }\n");
    let supervisor = sandbox.start();
    let costly = ["spend", "--queue=samples", "unit=tokens", "amount:=5", "times:=2", "--cost", "tokens=4"];
    assert_eq!(sandbox.settled(sandbox.enqueue(&costly)).summary.state, "completed");
    let next = sandbox.enqueue(&["echo", "--queue=samples", "--cost", "tokens=1"]);
    let told = sandbox.cli(&["explain", &next.to_string()]).ok();
    told.says(
        "waits for the rate of queue samples: 10 tokens in any 1h, used up, 4 more are owed; the next may start at 20",
    );
    sandbox.cancel(next);
    sandbox.finish(supervisor);
}

#[test]
fn a_paused_queue_or_key_starts_nothing_until_it_is_resumed_or_its_time_is_over() {
    let sandbox = Sandbox::with_samples("");
    let supervisor = sandbox.start();
    let echo = |key: &str| sandbox.enqueue(&["echo", "--queue=samples", "--key", key]);
    let told = sandbox.cli(&["pause", "samples", "--reason", "deploy"]).ok();
    assert_eq!(told.stdout, "queue samples is paused until it is resumed\n");
    sandbox.cli(&["pause", "samples", "--key", "a"]).ok();
    let (a, b) = (echo("a"), echo("b"));
    sandbox.settled(sandbox.add(&["true"]));
    assert!(sandbox.cli(&["stats"]).ok().stdout.contains("until it is resumed"));
    assert!(sandbox.shown(b).contains("available"));
    assert_eq!(sandbox.cli(&["resume", "samples"]).ok().stdout, "queue samples starts tasks\n");
    sandbox.settled(b);
    assert!(sandbox.shown(a).contains("available"), "its key is paused by itself");
    let told = sandbox.cli(&["pause", "samples", "--key", "a", "--for", "10ms"]).ok();
    assert!(told.stdout.starts_with("key a of queue samples is paused until 2"), "{}", told.stdout);
    sandbox.settled(a);
    let refused = sandbox.cli(&["pause", "sample"]);
    assert!(refused.stderr.contains("no pool serves queue \"sample\"\n  hint: did you mean samples?"), "{refused:?}");
    let (status, answer) = sandbox.http("POST", "/v1/queues/samples/pause", Some(&serde_json::json!({ "forms": 1 })));
    assert_eq!((status, &answer["code"]), (400, &"invalid_body".into()), "{answer}");
    sandbox.finish(supervisor);
}

#[test]
fn a_handler_that_is_told_to_wait_may_pause_its_whole_queue() {
    let sandbox = Sandbox::with_samples("");
    let supervisor = sandbox.start();
    let later = "retry:={\"after_ms\":3600000}";
    let id = sandbox.enqueue(&["fail", "--queue=samples", "--max-attempts=1", "error=429", later, "scope=queue"]);
    assert_eq!(sandbox.settled(id).summary.state, "failed");
    assert!(sandbox.cli(&["stats"]).ok().stdout.contains("until 2"));
    let next = sandbox.enqueue(&["echo", "--queue=samples"]);
    sandbox.settled(sandbox.add(&["true"]));
    assert!(sandbox.shown(next).contains("available"));
    sandbox.cli(&["resume", "samples"]).ok();
    assert_eq!(sandbox.settled(next).summary.state, "completed");
    sandbox.finish(supervisor);
}

#[test]
fn a_run_that_spends_more_than_the_budget_of_its_task_is_stopped() {
    let sandbox = Sandbox::with_samples("");
    let supervisor = sandbox.start();
    let spend = ["spend", "--queue=samples", "unit=tokens", "amount:=6", "--budget", "tokens=10"];
    let within = sandbox.enqueue(&[&spend[..], &["times:=1"]].concat());
    assert_eq!(sandbox.settled(within).summary.state, "completed");
    let id = sandbox.enqueue(&[&spend[..], &["times:=100000"]].concat());
    let task = sandbox.settled(id);
    assert_eq!((task.summary.state.as_str(), task.summary.reason.as_deref()), ("failed", Some("budget")), "{task:?}");
    assert_eq!((task.attempts.len(), task.attempts[0].outcome.as_str()), (1, "budget"));
    assert!(task.attempts[0].detail.contains("spent more tokens than its budget"), "{:?}", task.attempts);
    assert!(sandbox.shown(id).contains("of 10 tokens"), "{}", sandbox.shown(id));
    sandbox.finish(supervisor);
}
