//! Final tasks that are tried again by hand, and several tasks at once.

use serde_json::{Value, json};
use tests::harness::Sandbox;

const CONFIG: &str = "[kinds.read]\nrun = [\"cat\", \"{path}\"]\nmax_attempts = 1\n";

#[test]
fn a_failed_task_succeeds_once_it_has_what_it_needs() {
    let sandbox = Sandbox::new(CONFIG);
    let supervisor = sandbox.start();
    let id = sandbox.enqueue(&["read", "path=needed"]);
    assert_eq!(sandbox.settled(id).summary.reason.as_deref(), Some("attempts"));
    sandbox.write("needed", "here now");
    sandbox.cli(&["retry", &id.to_string()]).ok().says("available");
    let task = sandbox.settled(id);
    assert_eq!((task.summary.state.as_str(), json!(task.result)), ("completed", json!("here now")));
    assert_eq!((task.epoch, task.summary.attempts_spent), (2, 0), "its budget was as new");
    let outcomes: Vec<&str> = task.attempts.iter().map(|attempt| attempt.outcome.as_str()).collect();
    assert_eq!(outcomes, ["error", "ok"]);
    sandbox.cli(&["logs", &id.to_string(), "--attempt", "1"]).ok().says("No such file");
    sandbox.cli(&["logs", &id.to_string()]).ok().says("here now");
    sandbox.finish(supervisor);
}

#[test]
fn only_a_final_task_can_be_tried_again() {
    let sandbox = Sandbox::new(CONFIG);
    let supervisor = sandbox.start();
    let waiting = sandbox.enqueue(&["read", "path=a", "--in", "1h"]).to_string();
    let failed = sandbox.enqueue(&["read", "path=a"]);
    sandbox.settled(failed);
    let failed = failed.to_string();
    let (status, refusal) = sandbox.http("POST", &format!("/v1/tasks/{waiting}/retry"), None);
    assert_eq!((status, &refusal["code"]), (409, &json!("not_final")));
    assert!(refusal["message"].as_str().unwrap().contains("is scheduled"), "{refusal}");
    assert_eq!(sandbox.http("POST", "/v1/tasks/99/retry", None).0, 404);
    let path = format!("/v1/tasks/{failed}/retry");
    assert_eq!(sandbox.http("POST", &path, None), (200, json!({"id": 2, "outcome": "available"})));
    sandbox.settled(2);
    // Of several, each is told, and the first that is refused decides.
    let told = sandbox.cli(&["retry", &failed, "99", &waiting]).exits(4).says("2: available");
    told.complains("there is no task 99").complains("task 1 is scheduled");
    sandbox.settled(2);
    let several: Value = sandbox.cli(&["cancel", "-o", "json", &waiting, &failed]).exits(6).json();
    let expected = json!([{"id": 1, "outcome": "cancelled"}, {"id": 2, "outcome": "already failed"}]);
    assert_eq!(several, expected);
    sandbox.finish(supervisor);
}

#[test]
fn several_running_tasks_are_cancelled_together() {
    let sandbox = Sandbox::new("[pools.commands]\nstock = true\nworkers = 2\n");
    let begun = sandbox.fifo("begun");
    let supervisor = sandbox.start();
    let ids = [(); 2].map(|()| sandbox.add(&["sh", "-c", "echo > begun; exec sleep 1000"]).to_string());
    ids.iter().for_each(|_| drop(begun.line()));
    let told = sandbox.cli(&["cancel", &ids[0], &ids[1]]).ok();
    assert_eq!(told.stdout, "1: cancelled\n2: cancelled\n");
    sandbox.finish(supervisor);
}
