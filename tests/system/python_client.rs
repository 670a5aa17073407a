//! An application in Python that knows only the installed package, and kills its own supervisor.

use std::process::Command;

use tests::harness::{Sandbox, installed_package, programs};

const TASKS: usize = 10_000;

#[test]
fn ten_thousand_tasks_outlive_two_kills_of_their_supervisor_each_exactly_once() {
    let config =
        "[pools.samples]\ncommand = [\"python3\", \"-m\", \"mutirao.samples\"]\nworkers = 2\nenv = [\"PYTHONPATH\"]\n";
    let sandbox = Sandbox::new(config);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/system/python/ten_thousand.py");
    let output = Command::new("python3")
        .arg(script)
        .arg(TASKS.to_string())
        .args([sandbox.path("supervisor.toml"), sandbox.db()])
        .current_dir(&sandbox)
        .env("PYTHONPATH", installed_package())
        .env("MUTIRAO_SUPERVISOR", &programs().supervisor)
        .env("TMPDIR", sandbox.path("tmp"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let got: serde_json::Value = serde_json::from_str(&said).unwrap();
    for field in ["added", "distinct", "right", "listed", "completed"] {
        assert_eq!(got[field], TASKS, "{field} in {said}");
    }
    sandbox.examine();
    sandbox.finish(sandbox.start());
}
