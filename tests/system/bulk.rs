//! Many tasks at once: all of a list or none of it, by the door and from a file.

use serde_json::{Value, json};
use supervisor::http::{BODY_BYTES_MAX, BULK_TASKS_MAX};
use tests::harness::Sandbox;

const BULK: &str = "/v1/tasks/bulk";
const NOTE: &str = "[kinds.note]\nrun = [\"echo\", \"{word}\"]\n";

/// Not before the test is over.
fn later(word: &str) -> Value {
    json!({"kind": "note", "args": {"word": word}, "delay_ms": 3_600_000})
}

fn count(sandbox: &Sandbox) -> u64 {
    let (status, stats) = sandbox.http("GET", "/v1/stats", None);
    assert_eq!(status, 200, "{stats}");
    stats["tasks"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum()
}

#[test]
fn a_list_is_taken_whole_or_not_at_all() {
    let sandbox = Sandbox::new(NOTE);
    let supervisor = sandbox.start();
    let named =
        |name: &str, word: &str| json!({"kind": "note", "args": {"word": word}, "name": name, "delay_ms": 3_600_000});
    assert_eq!(sandbox.http("POST", "/v1/tasks", Some(&named("n", "a"))).0, 201);
    let refused = [
        (json!([later("a"), {"kind": "note"}, {"kind": "nota"}]), 422, "bad_args", Some(1), "task 2 of the list: "),
        (json!([later("a"), later("b"), {"kind": "nota"}]), 422, "unknown_kind", Some(2), "did you mean note?"),
        (json!([later("a"), {"kind": "note", "qeue": "b"}]), 400, "invalid_task", Some(1), "did you mean queue?"),
        (
            json!([later("a"), named("n", "b")]),
            409,
            "name_taken",
            Some(1),
            "task 2 of the list: the name belongs to task 1",
        ),
        (json!([named("m", "a"), named("m", "b")]), 409, "name_taken", Some(1), "another task of this list"),
        (json!([]), 400, "invalid_bulk", None, "1 to 1000"),
        (json!(vec![later("a"); BULK_TASKS_MAX + 1]), 400, "invalid_bulk", None, "tasks has 1001 items"),
    ];
    for (tasks, status, code, index, part) in refused {
        let (answered, refusal) = sandbox.http("POST", BULK, Some(&json!({"tasks": tasks})));
        assert_eq!((answered, &refusal["code"], &refusal["index"]), (status, &json!(code), &json!(index)), "{refusal}");
        let told = format!("{} {}", refusal["message"].as_str().unwrap(), refusal["hint"].as_str().unwrap());
        assert!(told.contains(part), "no {part:?} in {told}");
        assert_eq!(count(&sandbox), 1, "nothing of it was kept: {refusal}");
    }
    let mut tasks = vec![later("a"); BULK_TASKS_MAX];
    tasks[7] = named("n", "a");
    let (status, answer) = sandbox.http("POST", BULK, Some(&json!({"tasks": tasks})));
    let answers = answer["tasks"].as_array().unwrap();
    assert_eq!((status, answers.len(), count(&sandbox)), (200, BULK_TASKS_MAX, BULK_TASKS_MAX as u64));
    assert_eq!(answers[7], json!({"id": 1, "existing": true}));
    assert!(answers.iter().enumerate().all(|(place, task)| task["existing"] == (place == 7)));
    sandbox.finish(supervisor);
}

#[test]
fn a_bulk_is_json_within_the_limit_of_a_body() {
    let sandbox = Sandbox::new(NOTE);
    let supervisor = sandbox.start();
    let long = |size_bytes: usize| json!({"tasks": [later(&"x".repeat(size_bytes))]});
    let table = [
        (None, 415, "not_json"),
        (Some(json!("x".repeat(BODY_BYTES_MAX))), 413, "too_large"),
        (Some(long(2_000_000)), 400, "limit"),
        (Some(json!([later("a")])), 400, "invalid_bulk"),
        (Some(json!({"tasks": [later("a")], "all": true})), 400, "invalid_bulk"),
    ];
    for (body, status, code) in table {
        let (answered, refusal) = sandbox.http("POST", BULK, body.as_ref());
        assert_eq!((answered, &refusal["code"]), (status, &json!(code)), "{refusal}");
    }
    assert_eq!(sandbox.http("POST", BULK, Some(&long(100_000))).0, 200);
    sandbox.finish(supervisor);
}

#[test]
fn a_file_is_handed_in_slice_by_slice() {
    let sandbox = Sandbox::new(NOTE);
    sandbox.cli_with_input(&["enqueue", "--bulk", "-"], b"").exits(5).complains("supervisor run");
    let supervisor = sandbox.start();
    let lines = |count: usize| format!("{}\n", later("a")).repeat(count);
    let ids = sandbox.cli_with_input(&["enqueue", "--bulk", "-"], format!("\n{}", lines(2_500)).as_bytes()).ok().stdout;
    let ids: Vec<usize> = ids.lines().map(|id| id.parse().unwrap()).collect();
    assert_eq!(ids, Vec::from_iter(1..=2_500));
    // The first slice is in; in the second one, one line is refused by the supervisor, or cannot be read at all.
    for (bad, part) in
        [(json!({"kind": "note"}), "word"), (json!({"kind": "note", "qeue": "a"}), "did you mean queue?")]
    {
        let before = count(&sandbox);
        sandbox.write("tasks.jsonl", &format!("{}{bad}\n{}", lines(BULK_TASKS_MAX + 3), lines(1)));
        let output =
            sandbox.cli(&["enqueue", "--bulk", "tasks.jsonl"]).exits(6).complains("line 1004: ").complains(part);
        let output = output.complains("all before line 1001 is in, and nothing from there on");
        assert_eq!((output.stdout.lines().count(), count(&sandbox) - before), (BULK_TASKS_MAX, 1_000), "{output}");
    }
    let json: Value =
        sandbox.cli_with_input(&["enqueue", "-o", "json", "--bulk", "-"], lines(2).as_bytes()).ok().json();
    assert_eq!(json["tasks"].as_array().unwrap().len(), 2);
    sandbox.cli(&["enqueue", "--bulk", "no-such-file"]).exits(2).complains("no-such-file");
    sandbox.finish(supervisor);
}
