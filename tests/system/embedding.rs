//! What a program needs that starts a supervisor: to know when and where it is ready, and to be outlived by nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tests::harness::{Line, Sandbox, Watched};

fn whereabouts(sandbox: &Sandbox) -> Value {
    serde_json::from_slice(&fs::read(sandbox.path("ready.json")).unwrap()).unwrap()
}

/// A process that lives until it is killed, or until its stdin is closed.
fn other_process() -> Child {
    Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap()
}

#[test]
fn the_ready_file_is_there_while_the_door_is_open() {
    let sandbox = Sandbox::new("");
    sandbox.write("ready.json", "of a former life");
    let supervisor = sandbox.spawn_with(&["--ready-file", "ready.json"]).await_ready();
    let folder = sandbox.path("").canonicalize().unwrap();
    let (socket, db) = (folder.join("queue.db.sock"), folder.join("queue.db"));
    assert_eq!(whereabouts(&sandbox), json!({ "pid": supervisor.pid(), "socket": socket, "db": db }));
    assert_eq!(sandbox.path("ready.json").metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let second = sandbox.cli(&["run", "--ready-file", "ready.json"]).exits(75);
    assert_eq!(whereabouts(&sandbox)["pid"], supervisor.pid(), "a second one takes nothing away: {second}");
    sandbox.finish(supervisor);
    assert!(!sandbox.path("ready.json").exists());
}

#[test]
fn it_ends_in_order_when_the_process_that_it_belongs_to_is_killed() {
    let sandbox = Sandbox::new("");
    let begun = sandbox.fifo("begun");
    let mut owner = other_process();
    let of_owner = format!("--die-with-parent={}", owner.id());
    let mut supervisor = sandbox.spawn_with(&[&of_owner, "--shutdown-grace", "0s"]).await_ready();
    let id = sandbox.add(&["sh", "-c", "echo $$ > begun; exec sleep 1000"]);
    let running = Watched::new(begun.pid());
    owner.kill().unwrap();
    assert!(supervisor.wait().success(), "as by SIGTERM: {}", supervisor.log().end());
    assert!(!running.is_alive());
    supervisor.log().wait_for("the parent's end", |line| line.is("parent ended") && line.field("pid") == owner.id());
    sandbox.examine();
    sandbox.cli(&["show", &id.to_string()]).ok().says("available").says("0 of 3 crashes");
    owner.wait().unwrap();
    sandbox.cli(&["run", &of_owner]).exits(6).complains(&format!("there is no process {} any more", owner.id()));
}

#[test]
fn it_ends_with_its_parent_even_when_nobody_reads_its_log() {
    let sandbox = Sandbox::new("[kinds.hold]\nrun = [\"sh\", \"-c\", \"echo $$ > begun; exec sleep 1000\"]\n");
    let begun = sandbox.fifo("begun");
    let run = r#""$0" "$@" --die-with-parent --shutdown-grace 0s --ready-file ready.json 2> /dev/full & wait; exit"#;
    let mut shell = sandbox.spawn_after(run, &[]);
    let id = sandbox.enqueue(&["hold"]);
    let running = Watched::new(begun.pid());
    let pid = whereabouts(&sandbox)["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok()).unwrap();
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
