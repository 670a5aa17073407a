//! What a new user gets wrong in the first minutes, and the sentence that ends each problem.

use tests::harness::{Sandbox, installed_package};

#[test]
fn a_configuration_with_mistakes_names_them_all_with_their_places() {
    let sandbox = Sandbox::new(
        "[pools.images]\ncomand = [\"true\"]\nworkers = \"two\"\n\n[kinds.thumb]\nrun = [\"true\", \"{in}\"]\ntimout = \"2m\"\n",
    );
    let table = [
        "pools.images.comand: there is no such key; did you mean command?\n --> ",
        "supervisor.toml:2:1\n  |\n2 | comand = [\"true\"]\n  | ^^^^^^\n",
        "pools.images.workers: must be a whole number, or a table, such as workers = { min = 0, max = 8 }; this is text",
        "supervisor.toml:3:11\n",
        "kinds.thumb.timout: there is no such key; did you mean timeout?",
    ];
    for command in ["check", "run", "list"] {
        let output = sandbox.cli(&[command]).exits(3);
        table.iter().fold(output, |output, part| output.complains(part));
    }
}

#[test]
fn a_program_that_is_not_there_is_named_with_the_way_to_get_it() {
    let sandbox = Sandbox::new("[pools.py]\ncommand = [\"python3\", \"worker.py\"]\n");
    for command in ["check", "run"] {
        let output = sandbox.cli_in(&[("PATH", "/nowhere")], &[command]).exits(3);
        output.complains("there is no python3 on PATH (/nowhere)").complains("apt install python3");
    }
    // The program is there and the file is not: only the program can tell, and is heard.
    let supervisor = sandbox.start();
    let alert = supervisor.log().wait_for("the broken pool", |line| line.is_alert("pool_broken"));
    assert!(alert.text.contains("can't open file"), "{}", alert.text);
    sandbox.finish(supervisor);
}

#[test]
fn a_package_that_is_not_installed_is_heard_of() {
    let sandbox = Sandbox::new("[pools.py]\ncommand = [\"python3\", \"-S\", \"worker.py\"]\n");
    sandbox.write("worker.py", "import mutirao\n");
    let supervisor = sandbox.start();
    let alert = supervisor.log().wait_for("the broken pool", |line| line.is_alert("pool_broken"));
    assert!(alert.text.contains("No module named 'mutirao'"), "{}", alert.text);
    sandbox.finish(supervisor);
}

#[test]
fn an_import_that_comes_too_late_is_a_breach_with_the_hint() {
    let sandbox = Sandbox::new("[pools.py]\ncommand = [\"python3\", \"worker.py\"]\nenv = [\"PYTHONPATH\"]\n");
    sandbox.write("worker.py", "print('hello', flush=True)\nimport mutirao\n");
    let package = installed_package().to_string_lossy();
    let supervisor = sandbox.spawn(&[("PYTHONPATH", &*package)]).await_ready();
    let alert = supervisor.log().wait_for("the breach", |line| line.is_alert("protocol"));
    assert!(alert.text.contains("it printed to the protocol channel"), "{}", alert.text);
    assert!(alert.text.contains("hello") && alert.text.contains("before"), "{}", alert.text);
    sandbox.finish(supervisor);
}

#[test]
fn a_task_that_nobody_can_run_is_refused_with_the_nearest() {
    let sandbox = Sandbox::new("[kinds.thumb]\nrun = [\"true\", \"{in}\"]\n");
    let supervisor = sandbox.start();
    let table: [(&[&str], i32, &[&str]); 7] = [
        (&["enqueue", "thum", "in=a"], 6, &["no pool offers kind \"thum\"", "did you mean thumb?"]),
        (&["enqueue", "thumb"], 6, &["in"]),
        (&["enqueue", "thumb", "in"], 2, &["in"]),
        (&["enqeue", "thumb"], 2, &["enqueue"]),
        (&["add", "ls"], 2, &["--"]),
        (&["show", "7"], 4, &["there is no task 7", "list"]),
        (&["list", "--state", "complete"], 2, &["did you mean completed?"]),
    ];
    for (args, code, parts) in table {
        let output = sandbox.cli(args).exits(code);
        parts.iter().fold(output, |output, part| output.complains(part));
    }
    sandbox.finish(supervisor);
}

#[test]
fn places_that_cannot_be_used_are_told_with_what_to_do() {
    let sandbox = Sandbox::new("db = \"taken.db\"\n");
    std::fs::write(sandbox.path("taken.db.sock"), "mine").unwrap();
    sandbox.cli(&["run"]).exits(6).complains("taken.db.sock is no socket").complains("move it away");
    assert_eq!(std::fs::read_to_string(sandbox.path("taken.db.sock")).unwrap(), "mine", "and is left alone");
    sandbox.write("supervisor.toml", "db = \"gone/queue.db\"\n");
    sandbox.cli(&["run"]).exits(3).complains("gone; make it with mkdir -p");
    std::fs::write(sandbox.path("text.db"), "this is no database, and long enough to be taken for one").unwrap();
    sandbox.write("supervisor.toml", "db = \"text.db\"\n");
    sandbox.cli(&["run"]).complains("file is not a database").exits(1);
    std::fs::remove_file(sandbox.path("supervisor.toml")).unwrap();
    sandbox.script("\"$SUPERVISOR\" run").exits(3).complains("`supervisor init`").complains("--db FILE");
}

#[test]
fn a_folder_without_rights_is_told() {
    let sandbox = Sandbox::new("");
    // Where not even root may write.
    let output = sandbox.script("\"$SUPERVISOR\" --db /proc/queue.db run");
    assert!(matches!(output.code, Some(3 | 6)), "{output}");
    assert!(output.stderr.contains("/proc") && output.stderr.contains("writ"), "{output}");
}

#[test]
fn a_full_disk_refuses_early_and_whole_and_recovers_by_itself() {
    let sandbox = Sandbox::new("");
    let mount = "mkdir -p small && mount -t tmpfs -o size=2m none small";
    if sandbox.script(&format!("unshare -rm sh -c '{mount}'")).code != Some(0) {
        println!("skipped: this system does not let a user mount a small disk in a namespace of its own");
        return;
    }
    let script = r#"
        mkdir -p small && mount -t tmpfs -o size=2m none small
        head -c 90000 /dev/zero | tr '\0' x > word
        printf '{"argv": ["true", "' > args && cat word >> args && printf '"]}' >> args
        "$SUPERVISOR" --db small/queue.db run --ready-file small/ready 2> log &
        until [ -s small/ready ]; do :; done
        added=0
        code=0
        while [ $code = 0 ]; do
            "$SUPERVISOR" --db small/queue.db enqueue command --in 1h --args @args > id 2> refused || code=$?
            [ $code != 0 ] || added=$((added + 1)); [ $added -lt 100 ] || exit 99
        done
        echo "code $code after $added"; cat refused
        "$SUPERVISOR" --db small/queue.db doctor > /dev/null 2>&1 || exit 98
        mount -o remount,size=20m small
        until "$SUPERVISOR" --db small/queue.db enqueue command --in 1h --args @args > id; do
            added=$((added + 1)); [ $added -lt 10000 ] || exit 97
        done
        "$SUPERVISOR" --db small/queue.db list --limit 500 -o json | grep -c '"kind": "command"'
        kill $! && wait $!
    "#;
    sandbox.write("full.sh", script);
    let output = sandbox.script("unshare -rm sh full.sh").ok();
    let mut lines = output.stdout.lines();
    let first = lines.next().unwrap_or_default();
    assert!(first.starts_with("code 6 after "), "{output}");
    let before: usize = first.rsplit(' ').next().unwrap().parse().unwrap();
    let output = output.says("disk is full").says("free some space; nothing");
    let after: usize = output.stdout.lines().last().unwrap().parse().unwrap();
    assert_eq!(after, before + 1, "what was accepted is there, and nothing else: {output}");
}
