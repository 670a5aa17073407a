//! What the command line prints: forms, colours, warnings, and the first file of a new user.

use std::fs;

use rusqlite::Connection;
use tests::harness::Sandbox;

const DIGEST: &str = "[kinds.digest]\nrun = [\"sha256sum\", \"{path}\"]\n";

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
