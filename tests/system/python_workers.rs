//! Workers in Python that do what careless code does: nothing of it harms a frame, a neighbour or the next run.

use tests::harness::{Sandbox, Supervisor, Watched, installed_package, python_pool};

fn started(sandbox: &Sandbox) -> Supervisor {
    let package = installed_package().to_string_lossy();
    sandbox.spawn(&[("PYTHONPATH", &*package)]).await_ready()
}

fn sandbox() -> Sandbox {
    let at_once = "backoff = { base = \"1ms\", cap = \"1ms\" }\nmax_attempts = 2\n";
    let kinds = ["leaks", "resize", "says"].map(|kind| format!("[kinds.{kind}]\nqueue = \"python\"\n{at_once}"));
    Sandbox::new(&(python_pool("worker.py") + &kinds.concat()))
}

fn text_of(task: &supervisor::http::dto::Task) -> String {
    serde_json::to_value(&task.result).unwrap().as_str().unwrap_or_default().to_owned()
}

#[test]
fn prints_from_everywhere_harm_no_frame_and_are_the_tasks_log() {
    let sandbox = sandbox();
    let supervisor = started(&sandbox);
    let ids: Vec<i64> = (0..20).map(|n| sandbox.enqueue(&["chatter", &format!("n:={n}")])).collect();
    for (n, id) in ids.into_iter().enumerate() {
        let task = sandbox.settled(id);
        assert_eq!((task.summary.state.as_str(), task.summary.runs), ("completed", 1), "{}", sandbox.shown(id));
        assert_eq!(text_of(&task), "x".repeat(10_000) + &n.to_string());
        let log = sandbox.cli(&["logs", &id.to_string()]).ok().stdout;
        for said in ["python", "descriptor", "native", "child", "child error", "logged"] {
            assert!(log.contains(&format!("{said} {n}\n")), "no {said:?} in\n{log}");
        }
        assert_eq!(log.matches("thread ").count(), 50, "{log}");
        assert_eq!(log.matches("python ").count(), 1, "of another task:\n{log}");
    }
    let stdin = sandbox.settled(sandbox.enqueue(&["reads_stdin"]));
    assert_eq!((stdin.summary.state.as_str(), text_of(&stdin)), ("completed", String::new()));
    assert!(supervisor.log().find(|line| line.is_alert("protocol")).is_empty());
    sandbox.finish(supervisor);
}

#[test]
fn what_a_failed_run_leaves_is_killed_before_it_is_tried_again() {
    let sandbox = sandbox();
    let supervisor = started(&sandbox);
    let tell = sandbox.fifo("tell");
    let id = sandbox.enqueue(&["leaks", &format!("tell={}", tell.path().display())]);
    let [first, second] = [(); 2].map(|()| Watched::new(tell.pid()));
    assert!(!first.is_alive(), "the next run began while {} of the last one lived", first.pid);
    let task = sandbox.settled(id);
    assert_eq!((task.summary.state.as_str(), task.summary.attempts_spent), ("failed", 2));
    assert!(!second.is_alive(), "the end was told while {} lived", second.pid);
    let workers: Vec<_> = task.attempts.iter().map(|attempt| attempt.pid).collect();
    assert_eq!(workers[0], workers[1], "the worker itself is well and stays");
    sandbox.finish(supervisor);
}

#[test]
fn wrong_args_and_the_words_of_a_handler_decide_what_becomes_of_a_task() {
    let sandbox = sandbox();
    let supervisor = started(&sandbox);
    type Case = (&'static [&'static str], (&'static str, Option<&'static str>, u32, u32), &'static str);
    let table: [Case; 8] = [
        (&["resize", "path=a"], ("completed", None, 0, 0), "a@640"),
        (&["resize", "path=a", "width=x"], ("failed", Some("rejected"), 1, 0), "argument width: expected int, got str"),
        (&["resize", "width:=1"], ("failed", Some("rejected"), 1, 0), "path"),
        (&["resize", "path=a", "heigth:=1"], ("failed", Some("rejected"), 1, 0), "heigth"),
        (&["says", "how=later"], ("completed", None, 1, 0), "not yet"),
        (&["says", "how=never"], ("failed", Some("rejected"), 1, 0), "of no use"),
        (&["says", "how=exits"], ("failed", Some("attempts"), 2, 0), "SystemExit"),
        (&["says", "how=dies"], ("failed", Some("crashes"), 0, 3), "exit code 3"),
    ];
    for (args, expected, said) in table {
        let id = sandbox.enqueue(args);
        let task = sandbox.settled(id);
        let of = &task.summary;
        let got = (of.state.as_str(), of.reason.as_deref(), of.attempts_spent, of.crashes_spent);
        let shown = sandbox.shown(id);
        assert_eq!(got, expected, "{args:?}\n{shown}");
        assert!(shown.contains(said), "{args:?}: no {said:?} in\n{shown}");
    }
    sandbox.finish(supervisor);
}

#[test]
fn progress_and_spend_are_shown_while_a_task_runs_and_kept() {
    let sandbox = sandbox();
    let supervisor = started(&sandbox);
    let (tell, gate) = (sandbox.fifo("tell"), sandbox.fifo("gate"));
    let args = [("tell", &tell), ("gate", &gate)].map(|(name, fifo)| format!("{name}={}", fifo.path().display()));
    let id = sandbox.enqueue(&["spends", &args[0], &args[1]]);
    assert_eq!(tell.line(), "spent");
    let spent = || serde_json::to_value(&sandbox.http("GET", &format!("/v1/tasks/{id}"), None).1).unwrap();
    assert_eq!(spent()["state"], "running");
    assert_eq!(spent()["spent"], serde_json::json!({ "tokens": 3_000, "cents": 3 }), "acknowledged is kept");
    gate.open_gate();
    let task = sandbox.settled(id);
    assert_eq!(task.summary.state, "completed");
    let kept = spent();
    assert_eq!((&kept["progress"]["done"], &kept["progress"]["message"]), (&serde_json::json!(3.0), &"page 3".into()));
    sandbox.finish(supervisor);
}

#[test]
fn a_handler_learns_that_it_is_to_stop() {
    let sandbox = sandbox();
    let supervisor = started(&sandbox);
    let tell = sandbox.fifo("tell");
    let id = sandbox.enqueue(&["waits", &format!("tell={}", tell.path().display())]);
    assert_eq!(tell.line(), "runs");
    sandbox.cancel(id);
    let task = sandbox.settled(id);
    assert_eq!(task.summary.state, "cancelled");
    assert!(sandbox.shown(id).contains("stopped: cancel"), "{}", sandbox.shown(id));
    sandbox.finish(supervisor);
}
