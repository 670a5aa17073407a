//! With no supervisor up, and with one too many.

use serde_json::{Value, json};
use tests::harness::Sandbox;

const NOTE: &str = "[kinds.note]\nrun = [\"sh\", \"-c\", \"echo $0\", \"{word}\"]\n";

#[test]
fn without_a_supervisor_a_task_can_be_added_and_looked_at() {
    let sandbox = Sandbox::new(NOTE);
    let id = sandbox.enqueue(&["note", "word=patience", "--name", "n"]);
    assert_eq!(sandbox.enqueue(&["note", "word=patience", "--name", "n"]), id);
    sandbox.cli(&["enqueue", "note", "word=other", "--name", "n"]).exits(6).complains("the name belongs to task 1");
    sandbox.cli(&["enqueue", "note"]).exits(6).complains("word");
    sandbox.cli(&["enqueue", "nota", "word=a"]).exits(6).complains("did you mean note?");
    let up = "no supervisor is up";
    sandbox.cli(&["list"]).ok().complains(up).says("available");
    sandbox.cli(&["show", "1"]).ok().complains(up).says("available: waits for its turn");
    sandbox.cli(&["show", "2"]).exits(4).complains("there is no task 2");
    let examined: Value = sandbox.cli(&["doctor", "-o", "json"]).ok().complains(up).json();
    assert_eq!(examined["findings"], json!([]));
    for command in [
        &["wait", "1"][..],
        &["cancel", "1"],
        &["add", "--wait", "--", "true"],
        &["enqueue", "note", "word=a", "--wait"],
    ] {
        sandbox.cli(command).exits(5).complains("no supervisor is up").complains("supervisor run");
    }
    sandbox.cli(&["add", "--", "true"]).ok().complains(up);
    let supervisor = sandbox.start();
    assert_eq!(sandbox.settled(2).summary.state, "completed");
    let task = sandbox.settled(id);
    assert_eq!((task.summary.state.as_str(), json!(task.result)), ("completed", json!("patience\n")));
    sandbox.finish(supervisor);
}

#[test]
fn nothing_is_there_before_the_first_task() {
    let sandbox = Sandbox::new("");
    sandbox.cli(&["check"]).ok().says("the configuration is good");
    assert!(!sandbox.db().exists(), "looking makes no database");
    for command in [&["list"][..], &["show", "1"], &["doctor"]] {
        let output = sandbox.cli(command);
        assert_ne!(output.code, Some(0), "{output}");
        assert!(!output.stderr.is_empty() && !sandbox.db().exists(), "{output}");
    }
}

#[test]
fn a_second_supervisor_names_the_first() {
    let sandbox = Sandbox::new("");
    let supervisor = sandbox.start();
    sandbox.cli(&["run"]).exits(75).complains(&format!("the supervisor with pid {} holds", supervisor.pid()));
    sandbox.finish(supervisor);
}
