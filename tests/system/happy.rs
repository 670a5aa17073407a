//! What users do all day.

use tests::harness::Sandbox;

#[test]
fn a_task_is_enqueued_run_and_shown() {
    let sandbox = Sandbox::with_samples("");
    let supervisor = sandbox.start();
    supervisor.await_greetings("samples", 1);
    let id = sandbox.enqueue(&["echo", "text=hello", "n:=7"]);
    sandbox.cli(&["wait", &id.to_string()]).ok();
    let task = sandbox.settled(id);
    assert_eq!(task.summary.state, "completed");
    println!("{}", sandbox.shown(id));
    println!("{}", sandbox.cli(&["list"]));
    println!("{}", supervisor.log().end());
    sandbox.finish(supervisor);
}
