//! Lists: what is on which page, what a filter leaves out, and what is refused with which hint. Counts beside them.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::harness::Sandbox;

const KINDS: &str = "[pools.a]\nstock = true\nworkers = 1\n\
    [kinds.one]\nrun = [\"true\"]\nqueue = \"a\"\n[kinds.two]\nrun = [\"true\"]\nqueue = \"commands\"\n";

fn ids(page: &Value) -> Vec<i64> {
    page["tasks"].as_array().unwrap().iter().map(|task| task["id"].as_i64().unwrap()).collect()
}

/// Seven tasks that have ended, odd ones of kind `one` in queue `a`; and two that are due later.
fn filled() -> Sandbox {
    let sandbox = Sandbox::new(KINDS);
    for id in 1..=7 {
        assert_eq!(sandbox.enqueue(&[if id % 2 == 1 { "one" } else { "two" }]), id);
    }
    sandbox.enqueue(&["one", "--in", "1h"]);
    sandbox.enqueue(&["two", "--in", "2h"]);
    sandbox
}

#[test]
fn pages_are_walked_by_their_cursor() {
    let sandbox = filled();
    let supervisor = sandbox.start();
    (1..=7).for_each(|id| drop(sandbox.settled(id)));
    let walk = |query: &str, limit: usize| {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let (status, page) = sandbox.http("GET", &format!("/v1/tasks?limit={limit}{query}{cursor}"), None);
            assert_eq!(status, 200, "{page}");
            assert!(ids(&page).len() <= limit);
            seen.extend(ids(&page));
            let Some(next) = page["next"].as_str() else { return seen };
            cursor = format!("&cursor={next}");
        }
    };
    let table: [(&str, &[i64]); 7] = [
        ("", &[9, 8, 7, 6, 5, 4, 3, 2, 1]),
        ("&state=completed", &[7, 6, 5, 4, 3, 2, 1]),
        ("&kind=one", &[8, 7, 5, 3, 1]),
        ("&queue=commands&state=completed", &[6, 4, 2]),
        ("&state=scheduled", &[8, 9]),
        ("&kind=nobody-knows", &[]),
        ("&queue=nobody-knows&state=available", &[]),
    ];
    for (query, expected) in table {
        for limit in [1, 2, 4, 500] {
            assert_eq!(walk(query, limit), expected, "{query} by {limit}");
        }
    }
    let refused = [
        ("/v1/tasks?cursor=rubbish", "invalid_cursor", "leave it out"),
        ("/v1/tasks?state=schedule", "invalid_query", "did you mean scheduled?"),
        ("/v1/tasks?stat=failed", "invalid_query", "did you mean state?"),
        ("/v1/stats?wait=1s", "invalid_query", "it takes none"),
    ];
    for (path, code, hint) in refused {
        let (status, refusal) = sandbox.http("GET", path, None);
        assert_eq!((status, &refusal["code"]), (400, &json!(code)), "{refusal}");
        assert!(refusal["hint"].as_str().unwrap().contains(hint), "{refusal}");
    }
    sandbox.finish(supervisor);
}

#[test]
fn the_command_line_follows_cursors_and_says_how_to_go_on() {
    let sandbox = filled();
    let listed = |output: &str| -> Vec<i64> { output.lines().map(|id| id.parse().unwrap()).collect() };
    let walk = || {
        let first = sandbox.cli(&["list", "-o", "id", "--limit", "4"]).ok().complains("the same again with --cursor=");
        let cursor = first.stderr.trim().rsplit(' ').next().unwrap().to_owned();
        let second = sandbox.cli(&["list", "-o", "id", "--limit", "50", &cursor]).ok();
        assert!(!second.stderr.contains("cursor"), "{second}");
        assert_eq!([listed(&first.stdout), listed(&second.stdout)].concat(), [9, 8, 7, 6, 5, 4, 3, 2, 1]);
        assert_eq!(listed(&sandbox.cli(&["list", "-o", "id", "--all", "--kind", "one"]).ok().stdout), [8, 7, 5, 3, 1]);
        sandbox.cli(&["list", "--cursor=rubbish"]).exits(6).complains("leave it out to begin anew");
        sandbox.cli(&["list", "--kind", "oen"]).exits(4).complains("did you mean one?");
        sandbox.cli(&["list", "--queue", "command"]).exits(4).complains("did you mean commands?");
        sandbox.cli(&["list", "--state", "failed"]).exits(4).complains("without options shows all");
    };
    // From the file, and from a supervisor.
    walk();
    let supervisor = sandbox.start();
    (1..=7).for_each(|id| drop(sandbox.settled(id)));
    walk();
    sandbox.cli(&["show", "abc"]).exits(2).complains("`supervisor list` shows the id of each");
    sandbox.finish(supervisor);
}

#[test]
fn tasks_and_workers_are_counted() {
    let sandbox = filled();
    sandbox.cli(&["stats"]).exits(5).complains("supervisor run");
    let supervisor = sandbox.start();
    (1..=7).for_each(|id| drop(sandbox.settled(id)));
    supervisor.await_greetings("a", 1);
    let stats: Value = sandbox.cli(&["stats", "-o", "json"]).ok().json();
    assert_eq!((&stats["tasks"]["completed"], &stats["tasks"]["scheduled"]), (&json!(7), &json!(2)), "{stats}");
    assert_eq!((&stats["queues"], &stats["stale_finishes"]), (&json!([]), &json!(0)), "{stats}");
    let pools: BTreeSet<&str> =
        stats["pools"].as_array().unwrap().iter().map(|pool| pool["name"].as_str().unwrap()).collect();
    assert_eq!(pools, BTreeSet::from(["a", "commands"]));
    assert_eq!(stats["pools"].as_array().unwrap().iter().find(|pool| pool["name"] == "a").unwrap()["wanted"], 1);
    sandbox.cli(&["stats"]).ok().says("completed  7").says("scheduled  2").says("up ");
    sandbox.finish(supervisor);
}
