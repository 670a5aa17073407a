//! Tables of tasks: which queue each gets, and what is said to those that are refused.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::super::resolve::resolve;
use super::*;

const FILE: &str = r#"
    [pools.images]
    command = ["images"]
    queues = ["images", "shared"]
    [pools.mails]
    command = ["mails"]
    queues = ["mails", "shared"]
    [pools.tools]
    stock = true
    [kinds.digest]
    run = ["sha256sum", "{path}"]
    [kinds.report]
    queue = "mails"
    max_attempts = 2
"#;

fn config() -> Config {
    resolve(toml::from_str(FILE).unwrap(), PathBuf::new(), PathBuf::new(), 1).0
}

fn said(pairs: &[(&str, &str)]) -> Offers {
    pairs.iter().map(|(pool, kind)| ((*pool).to_owned(), (*kind).to_owned())).collect()
}

fn ask(offers: &Offers, task: Value) -> Result<NewTask, Refusal> {
    route(&config(), offers, serde_json::from_value(task).unwrap())
}

#[test]
fn each_task_gets_its_queue() {
    let silent = said(&[]);
    let one = said(&[("images", "resize")]);
    let both = said(&[("images", "resize"), ("mails", "send"), ("mails", "report")]);
    let shared = said(&[("images", "ping"), ("mails", "ping")]);
    let path = json!({ "path": "a" });
    let table = [
        (&both, json!({ "kind": "resize" }), "images"),
        (&both, json!({ "kind": "send" }), "mails"),
        (&one, json!({ "kind": "send" }), "mails"),
        (&one, json!({ "kind": "send", "queue": "mails" }), "mails"),
        (&silent, json!({ "kind": "send", "queue": "shared" }), "shared"),
        (&silent, json!({ "kind": "report" }), "mails"),
        (&shared, json!({ "kind": "ping", "queue": "shared" }), "shared"),
        (&silent, json!({ "kind": "digest", "args": path }), "tools"),
        (&silent, json!({ "kind": "command", "args": { "argv": ["true"] } }), "commands"),
        (&silent, json!({ "kind": "command", "queue": "tools", "args": { "argv": ["true"] } }), "tools"),
    ];
    for (offers, task, queue) in table {
        let text = task.to_string();
        assert_eq!(ask(offers, task).map(|new| new.queue), Ok(queue.to_owned()), "{text}");
    }
}

#[test]
fn what_cannot_run_is_refused_with_the_way_out() {
    let silent = said(&[]);
    let both = said(&[("images", "resize"), ("mails", "send")]);
    let shared = said(&[("images", "ping"), ("mails", "ping")]);
    let table = [
        (
            &both,
            json!({ "kind": "resise" }),
            "unknown_kind",
            "did you mean resize? offered kinds: command, digest, resize",
        ),
        (&both, json!({ "kind": "resise", "queue": "images" }), "unknown_kind", "did you mean resize?"),
        (&both, json!({ "kind": "video" }), "unknown_kind", "offered kinds: command, digest, resize, send"),
        (&silent, json!({ "kind": "video" }), "ambiguous_queue", "images, mails have not said yet"),
        (&shared, json!({ "kind": "ping" }), "ambiguous_queue", "images, mails all offer it"),
        (&both, json!({ "kind": "resize", "queue": "image" }), "unknown_queue", "did you mean images? served queues: "),
        (&both, json!({ "kind": "resize", "queue": "mails" }), "wrong_queue", "use a queue of images"),
        (&both, json!({ "kind": "resize", "queue": "shared" }), "wrong_queue", "pool mails, which does not offer"),
        (&both, json!({ "kind": "report" }), "unknown_kind", "no pool offers kind \"report\""),
        (
            &silent,
            json!({ "kind": "digest", "queue": "images", "args": { "path": "a" } }),
            "wrong_queue",
            "queue of tools",
        ),
        (&silent, json!({ "kind": "digest" }), "bad_args", "field path of args is missing"),
        (&silent, json!({ "kind": "digest", "args": { "path": [1] } }), "bad_args", "field path of args is an array"),
        (&silent, json!({ "kind": "command", "args": { "argv": [] } }), "bad_args", "must have a program"),
        (&silent, json!({ "kind": "command" }), "bad_args", "does not fit"),
        (&silent, json!({ "kind": "report", "priority": "urgent" }), "invalid_task", "'urgent' is not in -100..=100"),
        (&silent, json!({ "kind": "Report" }), "invalid_task", "is no name; use a-z"),
        (&silent, json!({ "kind": "report", "max_attempts": 0 }), "limit", "choose one of these"),
    ];
    for (offers, task, code, part) in table {
        let text = task.to_string();
        let refusal = ask(offers, task).unwrap_err();
        assert_eq!(refusal.code, code, "{text}: {refusal}");
        assert!(refusal.to_string().contains(part), "{text}: {refusal}");
    }
}

#[test]
fn what_the_task_says_arrives() {
    let task = json!({
        "kind": "report", "name": "r:1", "priority": "high", "delay_ms": 1500, "timeout_ms": 60000,
        "max_attempts": 1, "max_crashes": 2, "args": 7
    });
    let new = ask(&said(&[]), task).unwrap();
    let expected = NewTask {
        kind: "report".to_owned(),
        queue: "mails".to_owned(),
        priority: TaskPriority::new(-10).unwrap(),
        args: vec![7],
        name: Some("r:1".to_owned()),
        key: None,
        cost: Default::default(),
        budget: Default::default(),
        delay_us: 1_500_000,
        overrides: Overrides { timeout_ms: Some(60_000), max_attempts: Some(1), max_crashes: Some(2) },
    };
    assert_eq!(new, expected);
}

#[test]
fn nothing_is_routed_to_a_pool_that_is_gone() {
    let was = config();
    let mut without = config();
    without.pools.retain(|pool| pool.name != "images");
    let now = without.following(&was).unwrap();
    let offers = said(&[("images", "ping")]);
    let ask = |kind: &str| {
        let spec = serde_json::from_value(json!({ "kind": kind })).unwrap();
        route(&now, &offers, spec).map(|new| new.queue)
    };
    assert_eq!(ask("ping"), Ok("mails".to_owned()), "which has not said yet what it offers");
    assert_eq!(check_served(&now, "images").unwrap_err().code, "unknown_queue");
}
