//! Enqueueing by the command line: how args are given, names, and what is refused with which sentence.

use serde_json::{Value, json};
use supervisor::http::dto::Enqueued;
use tests::harness::Sandbox;

#[test]
fn args_come_as_fields_text_file_or_stdin() {
    let sandbox = Sandbox::with_samples("");
    let supervisor = sandbox.start();
    sandbox.write("args.json", r#"{"from": "file"}"#);
    let table: [(&[&str], &[u8], Value); 5] = [
        (&["text=a b", "n:=7", "list:=[1,2]"], b"", json!({"text": "a b", "n": 7, "list": [1, 2]})),
        (&["--args", r#"{"from": "text"}"#], b"", json!({"from": "text"})),
        (&["--args", "@args.json"], b"", json!({"from": "file"})),
        (&["--args", "-"], br#"{"from": "stdin"}"#, json!({"from": "stdin"})),
        (&[], b"", Value::Null),
    ];
    for (given, stdin, args) in table {
        let waiting = [&["enqueue", "echo", "--queue", "samples", "--wait", "-o", "json"], given].concat();
        let task: Value = sandbox.cli_with_input(&waiting, stdin).ok().json();
        assert_eq!((&task["state"], &task["args"], &task["result"]), (&json!("completed"), &args, &args), "{given:?}");
    }
    sandbox.cli(&["enqueue", "echo", "text"]).exits(2).complains("write key=text, or key:=json");
    sandbox.cli(&["enqueue", "echo", "n:=x"]).exits(2).complains("is not JSON");
    sandbox.cli(&["enqueue", "echo", "--args", "@none.json"]).exits(2).complains("none.json");
    sandbox.finish(supervisor);
}

#[test]
fn a_task_is_shown_and_listed() {
    let sandbox = Sandbox::with_samples("");
    let supervisor = sandbox.start();
    let id = sandbox.enqueue(&["echo", "--queue", "samples", "--priority", "high", "--name", "first", "text=hi"]);
    sandbox.settled(id);
    let shown = sandbox.shown(id);
    for part in
        ["task 1: echo in queue samples, priority high (-10), named first", "  completed", r#"result: {"text":"hi"}"#]
    {
        assert!(shown.contains(part), "no {part:?} in\n{shown}");
    }
    sandbox.cli(&["list"]).ok().says("completed").says("first");
    sandbox.cli(&["list", "--state", "completed"]).ok().says("first");
    let none: Value = sandbox.cli(&["list", "--state", "failed", "-o", "json"]).exits(4).json();
    assert_eq!(none["tasks"], json!([]));
    sandbox.cli(&["wait", &id.to_string()]).ok().says(r#""text": "hi""#);
    sandbox.cli(&["cancel", &id.to_string()]).exits(6).says("already completed");
    for command in ["show", "wait", "cancel"] {
        sandbox.cli(&[command, "99"]).exits(4).complains("there is no task 99");
    }
    sandbox.finish(supervisor);
}

#[test]
fn a_name_is_one_task() {
    let sandbox = Sandbox::with_samples("");
    let supervisor = sandbox.start();
    let named = |text: &str| sandbox.cli(&["enqueue", "echo", "--queue=samples", "--name=n", text, "-o", "json"]);
    let first: Enqueued = named("text=a").ok().json();
    sandbox.settled(first.id);
    let again: Enqueued = named("text=a").ok().complains("was there already").json();
    assert_eq!((again.id, again.existing), (first.id, true), "also after its end");
    named("text=b").exits(6).complains("the name belongs to task 1");
    sandbox.finish(supervisor);
}

#[test]
fn what_cannot_run_is_refused_with_the_way_out() {
    let sandbox = Sandbox::with_samples("[kinds.digest]\nrun = [\"sha256sum\", \"{path}\"]\n");
    let supervisor = sandbox.start();
    supervisor.await_greetings("samples", 1);
    let table: [(&[&str], i32, &str); 7] = [
        (&["ehco"], 6, "did you mean echo?"),
        (&["echo", "--queue", "sample"], 6, "did you mean samples?"),
        (&["echo", "--queue", "commands"], 6, "does not offer kind"),
        (&["digest"], 6, "path"),
        (&["echo", "--priority", "urgent"], 6, "urgent"),
        (&["echo", "--max-attempts", "0"], 6, "max_attempts"),
        (&["Echo"], 6, "Echo"),
    ];
    for (args, code, part) in table {
        sandbox.cli(&[&["enqueue"], args].concat()).exits(code).complains(part);
    }
    let all: Value = sandbox.cli(&["list", "-o", "json"]).exits(4).json();
    assert_eq!(all["tasks"], json!([]), "a refusal is whole");
    sandbox.finish(supervisor);
}

#[test]
fn a_wrong_configuration_is_told_whole() {
    let table: [(&str, &[&str]); 3] = [
        (
            "[pools.a]\nstock = true\nworker = 2\n",
            &["pools.a.worker: there is no such key; did you mean workers?", "supervisor.toml:3:1"],
        ),
        ("[kinds.a]\nqueue = \"comands\"\n", &["kinds.a.queue", "did you mean commands?"]),
        ("[pools.a]\n[kinds.a]\ntimeout = \"soon\"\n", &["pools.a", "kinds.a.timeout"]),
    ];
    for (config, parts) in table {
        let sandbox = Sandbox::new(config);
        for command in ["check", "run", "list"] {
            let output = sandbox.cli(&[command]).exits(3);
            parts.iter().fold(output, |output, part| output.complains(part));
        }
    }
}
