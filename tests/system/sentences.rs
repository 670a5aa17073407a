//! The wrong steps of somebody new, each answered by a sentence that ends the problem, and by its exit code.

use std::fs;

use rusqlite::Connection;
use tests::harness::Sandbox;

const DIGEST: &str = "[kinds.digest]\nrun = [\"sha256sum\", \"{path}\"]\n";

#[test]
fn a_wrong_file_is_told_with_its_places() {
    let table: [(&str, &[&str]); 6] = [
        (
            "[pools.a]\nstock = true\nworker = 2\n",
            &["did you mean workers?", "toml:3:1\n", "3 | worker = 2", "| ^^^^^^\n"],
        ),
        ("[pool.a]\ncomand = [\"sh\"]\n", &["did you mean pools?", "did you mean command?", "2 problems"]),
        ("[pools.a]\ncommand = [\"no-such-program\"]\n", &["there is no no-such-program on PATH", "toml:2:11\n"]),
        ("[kinds.a]\nrun = [\"./gone\"]\n", &["there is no", "/gone; correct the path", "toml:2:7\n"]),
        ("db = \"no/queue.db\"\n", &["there is no folder", "mkdir -p"]),
        ("db = queue.db\n", &["this is not TOML: string values must be quoted", "toml:1:6\n"]),
    ];
    for (text, parts) in table {
        let sandbox = Sandbox::new(text);
        for command in ["check", "run"] {
            let output = sandbox.cli(&[command]).exits(3);
            parts.iter().fold(output, |output, part| output.complains(part));
        }
        assert!(!sandbox.db().exists(), "nothing is begun");
    }
}

#[test]
fn a_doubt_is_told_by_check_and_stops_nothing() {
    let sandbox = Sandbox::new("[pools.commands]\nstock = true\nenv = [\"NOT_SET_HERE_5BE7\"]\n");
    let output = sandbox.cli(&["check"]).ok().says("the configuration is good");
    output.complains("warning: ").complains("NOT_SET_HERE_5BE7 is not set here").complains("toml:3:7\n");
    let supervisor = sandbox.start();
    sandbox.finish(supervisor);
}

#[test]
fn what_init_writes_works_and_stays() {
    let sandbox = Sandbox::new("");
    sandbox.cli(&["init"]).exits(6).complains("supervisor.toml is there already, and is not overwritten");
    fs::remove_file(sandbox.path("supervisor.toml")).unwrap();
    sandbox.cli(&["init"]).ok().complains("supervisor check").complains("supervisor run");
    let output = sandbox.cli(&["check"]).ok();
    assert_eq!(output.stderr, "", "{output}");
    let supervisor = sandbox.start();
    sandbox.cli(&["enqueue", "digest", "path=supervisor.toml", "--wait"]).ok().says("  supervisor.toml");
    sandbox.finish(supervisor);
}

#[test]
fn what_a_supervisor_refuses_names_the_way_out() {
    let sandbox = Sandbox::new(DIGEST);
    let supervisor = sandbox.start();
    let pid = format!("the supervisor with pid {} holds", supervisor.pid());
    let table: [(&[&str], i32, &str); 8] = [
        (&["run"], 75, &pid),
        (&["enqueue", "digst", "path=a"], 6, "did you mean digest?"),
        (&["enqueue", "digest", "file=a"], 6, "path"),
        (&["enqueue", "digest", "path"], 2, "write key=text"),
        (&["show", "7"], 4, "there is no task 7"),
        (&["run", "--ready-file", "no/ready.json"], 6, "takes no file (entity not found); name another"),
        (&["list", "--stat", "failed"], 2, "'--state'"),
        (&["check", "-o", "id"], 2, "use -o table, json or jsonl"),
    ];
    for (args, code, sentence) in table {
        sandbox.cli(args).exits(code).complains(sentence);
    }
    sandbox.finish(supervisor);
}

#[test]
fn a_file_where_the_socket_is_to_be_is_told_and_left_alone() {
    let sandbox = Sandbox::new("");
    sandbox.write("queue.db.sock", "mine");
    sandbox.cli(&["run"]).exits(6).complains("queue.db.sock is no socket").complains("move it away");
    assert_eq!(fs::read_to_string(sandbox.path("queue.db.sock")).unwrap(), "mine");
}

#[test]
fn the_database_of_a_newer_version_is_left_alone() {
    let sandbox = Sandbox::new("");
    let supervisor = sandbox.start();
    sandbox.finish(supervisor);
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99991231235959')";
    Connection::open(sandbox.db()).unwrap().execute(newer, []).unwrap();
    for args in [&["run"][..], &["list"], &["doctor"], &["enqueue", "command"]] {
        sandbox
            .cli(args)
            .exits(8)
            .complains("which this version does not know")
            .complains("use the version that wrote it");
    }
}

#[test]
fn forms_and_colours_are_those_that_were_asked_for() {
    let sandbox = Sandbox::new(DIGEST);
    for path in ["a", "b"] {
        sandbox.enqueue(&["digest", &format!("path={path}")]);
    }
    let stdout = |args: &[&str]| sandbox.cli(args).ok().stdout;
    assert_eq!(stdout(&["list", "-o", "id"]), "2\n1\n");
    assert_eq!(stdout(&["show", "1", "-o", "id"]), "1\n");
    let lines = stdout(&["list", "-o", "jsonl"]);
    let ids: Vec<_> =
        lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].clone()).collect();
    assert_eq!(ids, [2, 1]);
    assert!(!stdout(&["list"]).contains('\u{1b}'), "no terminal, no colours");
    sandbox.cli(&["cancel", "1", "--color", "always"]).exits(5).complains("\u{1b}[31merror:");
    assert!(!stdout(&["list", "--color", "always", "-o", "json"]).contains('\u{1b}'));
}
