//! For programs and scripts that start a supervisor: it says where it is, ends when it is done, and does not outlive them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tests::harness::{Line, Sandbox, Watched, programs};

#[test]
fn until_empty_ends_when_every_task_is_final_and_tells_of_failures() {
    let at_once = "backoff = { base = \"1ms\", cap = \"1ms\" }\n";
    let kind = |name: &str, code: u8| format!("[kinds.{name}]\nrun = [\"sh\", \"-c\", \"exit {code}\"]\n{at_once}");
    let sandbox = Sandbox::new(&(kind("good", 0) + &kind("bad", 1)));
    sandbox.cli(&["run", "--until-empty"]).ok();
    sandbox.enqueue(&["good"]);
    sandbox.enqueue(&["good", "--in", "50ms"]);
    sandbox.cli(&["run", "--until-empty"]).ok();
    let bad = sandbox.enqueue(&["bad"]);
    sandbox.cli(&["run", "--until-empty"]).exits(20);
    sandbox.cli(&["show", &bad.to_string()]).ok().says("failed: its last allowed attempt failed").says("attempt 5");
    sandbox.cli(&["run", "--until-empty"]).ok();
    sandbox.finish(sandbox.start());
}

#[test]
fn until_empty_that_is_stopped_tells_what_is_left() {
    let sandbox = Sandbox::new("[kinds.hold]\nrun = [\"sh\", \"-c\", \"echo $$ > begun; exec sleep 1000\"]\n");
    let begun = sandbox.fifo("begun");
    let ids = [&["hold"][..], &["hold", "--in", "1day"]].map(|args| sandbox.enqueue(args));
    let mut supervisor = sandbox.spawn_with(&["--until-empty", "--shutdown-grace", "0s"]);
    begun.pid();
    supervisor.signal(Signal::SIGTERM);
    assert_eq!(supervisor.wait().code(), Some(1));
    let error = "error: stopped before everything was done: 2 tasks are left";
    supervisor.log().wait_for(error, |line| line.text == error);
    let supervisor = sandbox.start();
    begun.pid();
    ids.into_iter().for_each(|id| sandbox.cancel(id));
    sandbox.finish(supervisor);
}

#[test]
fn until_empty_ends_when_every_pool_that_could_go_on_is_broken() {
    let pool = |name: &str, script: &str| {
        let command = json!(["sh", "-c", script]);
        format!("[pools.{name}]\ncommand = {command}\nworkers = 1\n[kinds.{name}]\nqueue = \"{name}\"\n")
    };
    let sandbox = Sandbox::new(&(pool("crash", "exit 9") + &pool("wrong", "echo no key >&2; exit 78")));
    let good = sandbox.add(&["true"]);
    let left = ["crash", "wrong"].map(|kind| sandbox.enqueue(&[kind]).to_string());
    let output = sandbox.cli(&["run", "--until-empty"]).exits(1);
    let output = output.complains("error: 2 tasks are left, and no worker can run what is available: ");
    let output = output.complains("pool crash is broken: its worker left with exit code 9; pool wrong is broken: ");
    output.complains("its worker left with exit code 78, its last words were \"no key\"\n  hint: mend that");
    sandbox.cli(&["show", &good.to_string()]).ok().says("completed");
    for id in left {
        sandbox.cli(&["show", &id]).ok().says("available");
    }
    sandbox.examine();
}

#[test]
fn a_supervisor_says_where_it_is_and_ends_with_the_process_that_it_is_for() {
    let sandbox = Sandbox::new("");
    let (ready, begun) = (sandbox.fifo("ready"), sandbox.fifo("begun"));
    // A program that starts a supervisor, waits for the file, and goes on for ever.
    let script = r#"
        "$SUPERVISOR" run --config supervisor.toml --die-with-parent=$$ --ready-file where.json 2> log &
        until [ -s where.json ]; do :; done
        echo ready > ready
        exec sleep 1000
    "#;
    let mut app = Command::new("sh")
        .args(["-c", script])
        .current_dir(&sandbox)
        .env("SUPERVISOR", &programs().supervisor)
        .env("TMPDIR", sandbox.path("tmp"))
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    assert_eq!(ready.line(), "ready");
    let file = sandbox.path("where.json");
    let told: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let supervisor = Watched::new(told["pid"].as_i64().unwrap().try_into().unwrap());
    assert_eq!(told["db"], sandbox.db().canonicalize().unwrap().to_str().unwrap());
    assert!(std::os::unix::net::UnixStream::connect(told["socket"].as_str().unwrap()).is_ok());
    let id = sandbox.add(&["sh", "-c", "echo $$ > begun; exec sleep 1000"]);
    let running = Watched::new(begun.pid());
    Watched::new(app.id().cast_signed()).signal(Signal::SIGKILL);
    app.wait().unwrap();
    supervisor.await_death();
    assert!(!running.is_alive());
    assert!(!file.exists(), "nobody is there any more");
    sandbox.examine();
    sandbox.cli(&["show", &id.to_string()]).ok().says("available").says("given back, which spends nothing");
    let supervisor = sandbox.start();
    assert!(Watched::new(begun.pid()).is_alive(), "it is run again");
    sandbox.cancel(id);
    sandbox.finish(supervisor);
}

#[test]
fn a_process_that_is_gone_cannot_be_outlived() {
    let sandbox = Sandbox::new("");
    let gone = Command::new("true").spawn().unwrap();
    let pid = gone.id().to_string();
    drop(gone.wait_with_output().unwrap());
    let refused = sandbox.cli(&["run", &format!("--die-with-parent={pid}")]);
    refused.exits(6).complains(&format!("there is no process {pid} any more"));
    assert!(!sandbox.db().exists());
}

/// What `ready.json` says.
fn told(sandbox: &Sandbox) -> Value {
    serde_json::from_slice(&fs::read(sandbox.path("ready.json")).unwrap()).unwrap()
}

#[test]
fn the_ready_file_is_there_while_the_door_is_open() {
    let sandbox = Sandbox::new("");
    sandbox.write("ready.json", r#"{"pid": 7, "socket": "/of/a", "db": "/former/life"}"#);
    let supervisor = sandbox.spawn_with(&["--ready-file", "ready.json"]).await_ready();
    let folder = sandbox.path("").canonicalize().unwrap();
    let (socket, db) = (folder.join("queue.db.sock"), folder.join("queue.db"));
    assert_eq!(told(&sandbox), json!({ "pid": supervisor.pid(), "socket": socket, "db": db }));
    assert_eq!(sandbox.path("ready.json").metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let second = sandbox.cli(&["run", "--ready-file", "ready.json"]).exits(75);
    assert_eq!(told(&sandbox)["pid"], supervisor.pid(), "a second one takes nothing away: {second}");
    sandbox.finish(supervisor);
    assert!(!sandbox.path("ready.json").exists());
}

/// Every file of the sandbox, and what is in it.
fn files(sandbox: &Sandbox) -> BTreeMap<PathBuf, Vec<u8>> {
    let paths = fs::read_dir(sandbox).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.is_file()).map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

#[test]
fn a_ready_file_takes_the_place_of_no_other_file() {
    let sandbox = Sandbox::new("");
    let of_the_db = ["queue.db", "queue.db-wal", "queue.db-shm", "queue.db-journal", "queue.db.lock", "queue.db.sock"];
    let refused = |name: &str, why: &str| {
        let before = files(&sandbox);
        let output = sandbox.cli(&["run", "--until-empty", "--ready-file", name]).exits(6);
        output
            .complains(&format!("error: the ready file {name} cannot be written: "))
            .complains(why)
            .complains("choose another");
        assert_eq!(files(&sandbox), before, "{name} was refused early");
    };
    of_the_db.iter().for_each(|name| refused(name, "it belongs to the database"));
    let id = sandbox.add(&["true"]);
    of_the_db.iter().for_each(|name| refused(name, "it belongs to the database"));
    sandbox.write("own.json", r#"{"pid": 1, "socket": "/s", "db": "/d", "mine": true}"#);
    sandbox.write("empty", "");
    let _pipe = sandbox.fifo("pipe");
    std::os::unix::fs::symlink("queue.db", sandbox.path("link")).unwrap();
    for name in ["supervisor.toml", "own.json", "empty", "pipe", "link"] {
        refused(name, "no supervisor wrote what is there");
    }
    refused("tmp", "it is a folder");
    sandbox.cli(&["run", "--until-empty", "--ready-file", "ready.json"]).ok();
    sandbox.cli(&["show", &id.to_string()]).ok().says("completed");
}

#[test]
fn a_supervisor_leaves_the_ready_file_of_another() {
    let [first, second] = [(); 2].map(|()| Sandbox::new(""));
    let file = first.path("ready.json");
    let supervisors =
        [&first, &second].map(|at| at.spawn_with(&["--ready-file", file.to_str().unwrap()]).await_ready());
    let [one, two] = supervisors;
    first.finish(one);
    assert_eq!(told(&first)["pid"], two.pid(), "the later one's");
    second.finish(two);
    assert!(!file.exists());
}

#[test]
fn it_ends_with_its_parent_even_when_nobody_reads_its_log() {
    let sandbox = Sandbox::new("[kinds.hold]\nrun = [\"sh\", \"-c\", \"echo $$ > begun; exec sleep 1000\"]\n");
    let begun = sandbox.fifo("begun");
    let run = r#""$0" "$@" --die-with-parent --shutdown-grace 0s --ready-file ready.json 2> /dev/full & wait; exit"#;
    let mut shell = sandbox.spawn_after(run, &[]);
    let id = sandbox.enqueue(&["hold"]);
    let running = Watched::new(begun.pid());
    let pid = told(&sandbox)["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok()).unwrap();
    let supervisor = Watched::new(pid);
    assert!(supervisor.is_alive() && pid != shell.pid());
    shell.signal(Signal::SIGKILL);
    shell.wait();
    supervisor.await_death();
    assert!(!running.is_alive() && !sandbox.path("ready.json").exists());
    sandbox.examine();
    let after = sandbox.start();
    assert_eq!(after.log().find(|line: &Line| line.is("recovered") && line.field("requeued") == 0).len(), 1);
    begun.pid();
    sandbox.cancel(id);
    sandbox.finish(after);
}
