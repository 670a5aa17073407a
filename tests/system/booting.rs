//! Workers that take long until they are ready, or never are; and pools that come back once their program is mended.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};
use tests::harness::{Line, Sandbox, programs};

/// A program of another machine: the header of an ELF file for IBM's S/390, big-endian, 64 bits, and nothing behind it.
const FOREIGN: &[u8] = b"\x7fELF\x02\x02\x01\0\0\0\0\0\0\0\0\0\0\x02\0\x16\0\0\0\x01";

fn is_of(line: &Line, pool: &str) -> bool {
    let reason = line.field("reason").as_str().unwrap_or_default();
    line.field("pool") == pool || reason.contains(&format!("pool {pool} ")) || reason.contains(&format!("pool {pool}:"))
}

#[test]
fn who_says_that_it_boots_may_take_longer_than_the_timeout() {
    let sandbox = Sandbox::new(&Sandbox::rogue_pool_with(&["boots"], "boot_timeout = \"1s\"", ""));
    let supervisor = sandbox.start();
    let task = sandbox.settled(sandbox.enqueue(&["boots"]));
    assert_eq!((task.summary.state.as_str(), task.summary.runs), ("completed", 1));
    let lost = supervisor.log().find(|line| line.is("worker gone") || line.is("alert"));
    assert!(lost.is_empty(), "{lost:?}");
    sandbox.finish(supervisor);
}

#[test]
fn who_is_never_ready_is_killed_and_costs_no_task() {
    const SILENT: [&str; 2] = ["early-silence", "never-ready"];
    let pools = SILENT.map(|misdeed| Sandbox::rogue_pool_with(&[misdeed], "boot_timeout = \"300ms\"", ""));
    let sandbox = Sandbox::new(&pools.concat());
    let supervisor = sandbox.start();
    let ids = SILENT.map(|misdeed| sandbox.enqueue(&[misdeed]));
    for (misdeed, id) in SILENT.into_iter().zip(ids) {
        let log = supervisor.log();
        let told = log.wait_for("the silence is told", |line| line.is_alert("protocol") && is_of(line, misdeed));
        assert!(told.text.contains("neither `ready` nor `booting` in time (300ms)"), "{}", told.text);
        let gone = |line: &Line| line.is("worker gone") && is_of(line, misdeed);
        let first = log.wait_for("the first is gone", gone);
        assert!(first.text.contains("died by signal 9 (SIGKILL)"), "{}", first.text);
        log.wait_for_from(first.number + 1, "another one is tried", gone);
        let task: Value = sandbox.cli(&["show", "-o", "json", &id.to_string()]).ok().json();
        assert_eq!((&task["state"], &task["epoch"]), (&"available".into(), &0.into()), "{misdeed}");
    }
    sandbox.finish(supervisor);
}

/// Program, pool and queue have one name: its file, the state of the pool, and what is said of it.
const BAD_PROGRAMS: [(&str, &[u8], &str, &str); 4] = [
    ("interpreter", b"#!/no/such/interpreter\n", "broken", "cannot start './interpreter' in "),
    ("architecture", FOREIGN, "broken", "cannot start './architecture' in "),
    (
        "crashing",
        b"#!/bin/sh\necho no license >&2\nexit 3\n",
        "broken",
        "exit code 3, its last words were \\\"no license",
    ),
    ("settings", b"#!/bin/sh\nexit 78\n", "stopped", "exit code 78; it asked not to be started again"),
];

#[test]
fn a_broken_pool_says_why_and_heals_when_its_program_is_mended() {
    let pool = |name: &str| format!("[pools.{name}]\ncommand = [\"./{name}\"]\nworkers = 1\n");
    let sandbox = Sandbox::with_samples(&BAD_PROGRAMS.map(|(name, ..)| pool(name)).concat());
    for (name, program, ..) in BAD_PROGRAMS {
        fs::write(sandbox.path(name), program).unwrap();
        fs::set_permissions(sandbox.path(name), fs::Permissions::from_mode(0o700)).unwrap();
    }
    let supervisor = sandbox.start();
    for (name, _, state, part) in BAD_PROGRAMS {
        let told = |line: &Line| line.is_alert("pool_broken") && is_of(line, name);
        let told = supervisor.log().wait_for(&format!("{name} is broken"), told);
        assert!(told.text.contains(part), "{}", told.text);
        let shown: Value = sandbox.cli(&["pool", "show", name, "-o", "json"]).ok().json();
        assert_eq!(shown["state"], json!(state), "{shown}");
    }
    let deaths = |pool: &str| supervisor.log().find(|line| line.is("worker gone") && is_of(line, pool)).len();
    assert_eq!(BAD_PROGRAMS.map(|(name, ..)| deaths(name)), [5, 5, 5, 1], "no tight loop");
    sandbox.cli(&["enqueue", "echo", "--queue=samples", "text=unaffected", "--wait"]).ok();
    for (name, ..) in BAD_PROGRAMS {
        sandbox.write(name, &format!("#!/bin/sh\nexec '{}' worker --samples\n", programs().supervisor.display()));
        sandbox.cli(&["pool", "recycle", name]).ok();
        supervisor.await_greetings(name, 1);
        let queue = format!("--queue={name}");
        sandbox.cli(&["enqueue", "echo", &queue, "text=mended", "--wait"]).ok().says("mended");
    }
    sandbox.finish(supervisor);
}
