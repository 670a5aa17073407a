//! HTTP at the socket: the same powers for programs, with their statuses.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};
use tests::harness::Sandbox;

#[test]
fn a_task_by_http() {
    let sandbox = Sandbox::with_samples("");
    let supervisor = sandbox.start();
    let echo = |text: &str| json!({"kind": "echo", "queue": "samples", "name": "n", "args": {"text": text}});
    let (status, answer) = sandbox.http("POST", "/v1/tasks", Some(&echo("a")));
    assert_eq!((status, answer), (201, json!({"id": 1, "existing": false})));
    let (status, task) = sandbox.http("GET", "/v1/tasks/1?wait=30s", None);
    assert_eq!((status, &task["state"], &task["result"]), (200, &json!("completed"), &json!({"text": "a"})));
    assert_eq!(sandbox.http("POST", "/v1/tasks", Some(&echo("a"))), (200, json!({"id": 1, "existing": true})));
    let (status, refusal) = sandbox.http("POST", "/v1/tasks", Some(&echo("b")));
    assert_eq!((status, &refusal["code"], &refusal["id"]), (409, &json!("name_taken"), &json!(1)));
    let (status, list) = sandbox.http("GET", "/v1/tasks?state=completed", None);
    assert_eq!((status, list["tasks"].as_array().map(Vec::len)), (200, Some(1)));
    let (status, answer) = sandbox.http("POST", "/v1/tasks/1/cancel", None);
    assert_eq!((status, answer), (200, json!({"id": 1, "outcome": "already completed"})));
    assert_eq!(sandbox.http("GET", "/v1/doctor", None), (200, json!({"findings": []})));
    sandbox.finish(supervisor);
}

#[test]
fn what_is_refused_has_a_status_a_code_and_a_hint() {
    let sandbox = Sandbox::with_samples("");
    let supervisor = sandbox.start();
    supervisor.await_greetings("samples", 1);
    let deep = (0..200).fold(Value::Null, |inner, _| json!([inner]));
    let table = [
        ("GET", "/v1/tasks/7", None, 404, "no_such_task"),
        ("POST", "/v1/tasks/7/cancel", None, 404, "no_such_task"),
        ("GET", "/v1/tasks/x", None, 400, "invalid_id"),
        ("GET", "/v1/tasks?limit=-1", None, 400, "invalid_query"),
        ("GET", "/v1/tasks?state=done", None, 400, "invalid_query"),
        ("GET", "/v1/tasks?sort=id;drop", None, 400, "invalid_query"),
        ("POST", "/v1/tasks", Some(json!({"kind": "ehco"})), 422, "unknown_kind"),
        ("POST", "/v1/tasks", Some(json!({"kind": "echo", "args": deep})), 400, ""),
        ("POST", "/v1/tasks", Some(json!({"kind": "echo", "typo": 1})), 400, ""),
        ("POST", "/v1/tasks", Some(json!([])), 400, ""),
        ("POST", "/v1/tasks", None, 415, "not_json"),
        ("GET", "/v2", None, 404, ""),
        ("DELETE", "/v1/tasks", None, 405, ""),
    ];
    for (method, path, body, status, code) in table {
        let (answered, refusal) = sandbox.http(method, path, body.as_ref());
        assert_eq!(answered, status, "{method} {path} {refusal}");
        assert!(code.is_empty() || refusal["code"] == code, "{method} {path} {refusal}");
        assert!(refusal["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{method} {path} {refusal}");
    }
    sandbox.finish(supervisor);
}

#[test]
fn the_door_is_for_this_user_alone() {
    let sandbox = Sandbox::with_samples("");
    let supervisor = sandbox.start();
    for name in ["queue.db", "queue.db-wal", "queue.db.lock", "queue.db.sock"] {
        let mode = sandbox.path(name).symlink_metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name} has mode {mode:o}");
    }
    sandbox.finish(supervisor);
    assert!(!sandbox.path("queue.db.sock").exists(), "the door is closed behind it");
}
