//! Python handlers that block in C code, with and without the interpreter's lock: a busy worker is not taken for dead. The one
//! that holds the lock cannot send beats and is reported as unresponsive; neither is killed.

use clap::Args;

use crate::harness::{Sandbox, installed_package};

#[derive(Args, Clone, Debug)]
pub struct Blocked {
    /// How long each handler blocks; over 30 s, or nothing is reported
    #[arg(long, default_value_t = 120)]
    seconds: u32,
}

const WORKER: &str = r#"import ctypes
from mutirao import Worker

app = Worker()

@app.task("free")
def free(seconds: int) -> int:
    ctypes.CDLL(None).sleep(seconds)
    return seconds

@app.task("held")
def held(seconds: int) -> int:
    ctypes.PyDLL(None).sleep(seconds)
    return seconds

app.run()
"#;

/// What was violated.
pub fn blocked(options: &Blocked) -> Vec<String> {
    let pool = "[pools.python]\ncommand = [\"python3\", \"worker.py\"]\nworkers = 2\nenv = [\"PYTHONPATH\"]\n";
    let sandbox = Sandbox::new(pool);
    sandbox.write("worker.py", WORKER);
    let package = installed_package().to_string_lossy();
    let supervisor = sandbox.spawn(&[("PYTHONPATH", &*package)]).await_ready();
    let mut violations = Vec::new();
    let mut claim = |holds: bool, what: String| {
        if !holds {
            violations.push(what);
        }
    };
    let ids = ["free", "held"].map(|kind| (kind, sandbox.enqueue(&[kind, &format!("seconds:={}", options.seconds)])));
    for (kind, id) in ids {
        let task = sandbox.settled(id);
        let (state, runs) = (task.summary.state, task.summary.runs);
        claim(state == "completed" && runs == 1, format!("{kind}: {state} after {runs} runs"));
        let text = format!("running task {id} ");
        let said = supervisor.log().find(|line| line.is_alert("unresponsive") && line.text.contains(&text));
        println!("{kind}: {state} in {runs} run, {} times called unresponsive", said.len());
        claim((kind == "held") == (said.len() == 1), format!("{kind}: called unresponsive {} times", said.len()));
    }
    sandbox.finish(supervisor);
    violations
}
