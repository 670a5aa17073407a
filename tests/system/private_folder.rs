//! The folder that each worker has for itself: its temporary files, its secrets, and its end.

use std::fs;

use tests::harness::{Line, Sandbox};

/// Writes down what it finds in its folder, leaves much there, and asks not to be started again.
const PROBE: &str = "[pools.probe]\nworkers = 1\nsecrets = { API_KEY = \"key\" }\nenv_file = \"probe.env\"\n\
    command = [\"sh\", \"-c\", '''
env > env; cat \"$API_KEY_FILE\" > secret; stat -c %a \"$TMPDIR\" \"$TMPDIR-secrets\" \"$API_KEY_FILE\" > modes
ls -A \"$TMPDIR\" > before; mkdir -p \"$TMPDIR/a/b/c\"; ln -s \"$PWD/kept\" \"$TMPDIR/a/link\"; chmod 0 \"$TMPDIR/a/b\"
exit 78''']\n";

fn gone(line: &Line) -> bool {
    line.is("worker gone") && line.field("pool") == "probe"
}

#[test]
fn a_worker_has_a_folder_of_its_own_and_takes_it_along() {
    let sandbox = Sandbox::new(PROBE);
    sandbox.write("key", "hunter2\n");
    sandbox.write("probe.env", "# of the pool\nGREETING='hello there'\nexport PATH_LIKE=a:b\n");
    fs::create_dir(sandbox.path("kept")).unwrap();
    sandbox.write("kept/file", "");
    let supervisor = sandbox.start();
    supervisor.log().wait_for("the probe gone", gone);
    let read = |name: &str| fs::read_to_string(sandbox.path(name)).unwrap();
    assert_eq!(
        (read("secret"), read("modes"), read("before")),
        ("hunter2\n".into(), "700\n700\n400\n".into(), "".into())
    );
    let env = read("env");
    let value = |name: &str| {
        let line = env.lines().find_map(|line| line.strip_prefix(&format!("{name}=")));
        line.unwrap_or_else(|| panic!("no {name} in\n{env}")).to_owned()
    };
    assert_eq!((value("GREETING"), value("PATH_LIKE")), ("hello there".into(), "a:b".into()));
    assert!(value("TMPDIR").starts_with(&sandbox.path("tmp").display().to_string()), "{env}");
    assert!(!env.contains("hunter2"), "a secret is no variable");
    sandbox.finish(supervisor);
    assert!(sandbox.path("kept/file").exists(), "no link is followed");
}

#[test]
fn what_a_killed_supervisor_left_is_removed_by_the_next() {
    let sandbox = Sandbox::new("");
    let told = sandbox.fifo("told");
    let supervisor = sandbox.start();
    let id = sandbox.add(&["sh", "-c", "mkdir -p \"$TMPDIR/a/b\"; echo \"$TMPDIR\" > told; exec sleep 1000"]);
    let former = told.line();
    sandbox.kill9(supervisor);
    assert!(fs::exists(format!("{former}/a/b")).unwrap(), "nobody has removed it: else this test shows nothing");
    let supervisor = sandbox.start();
    assert_ne!(told.line(), former, "the same task, in another worker");
    sandbox.cancel(id);
    sandbox.finish(supervisor);
    assert!(!fs::exists(former).unwrap());
}

#[test]
fn what_cannot_be_read_is_told_before_anything_starts() {
    let sandbox = Sandbox::new("[pools.commands]\nstock = true\nenv_file = \"v.env\"\nsecrets = { KEY = \"gone\" }\n");
    sandbox.write("v.env", "A=1\nhunter2\n");
    for args in [&["check"][..], &["run"]] {
        let output = sandbox.cli(args).exits(3);
        output
            .complains("v.env:2: there is no = in it")
            .complains("gone cannot be read: No such file")
            .complains("toml:4:");
    }
    sandbox.write("v.env", "A=1\n");
    sandbox.write("gone", "");
    sandbox.cli(&["check"]).ok();
    let supervisor = sandbox.start();
    sandbox.cli(&["add", "--wait", "--", "sh", "-c", "echo \"$A$KEY_FILE\""]).ok().says("-secrets/KEY");
    sandbox.finish(supervisor);
}
