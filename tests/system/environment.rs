//! What a worker is born into.

use std::collections::BTreeMap;
use std::fs;

use tests::harness::{Line, Sandbox};

/// A pool whose program only writes down what it finds, and asks not to be started again. The signals are those of the
/// reader, as inherited: a shell blocks its own for a moment while it starts one.
const PROBE: &str = "[pools.probe]\nworkers = 1\nenv = [\"ALLOWED\", \"ABSENT\"]\ncommand = [\"sh\", \"-c\", '''\
    umask > umask; pwd > folder; env > env; cat /proc/self/status > status; exit 78''']\n";
/// Signals 32 and 33: nobody but the C library can set them, so they stay as they were inherited.
const OF_THE_C_LIBRARY: u64 = 0b11 << 31;
const ALLOWED: [&str; 11] = [
    "PATH",
    "HOME",
    "USER",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "ALLOWED",
    "MUTIRAO_TAG",
    "MUTIRAO_COOKIE",
    "MUTIRAO_CHANNEL",
];

#[test]
fn a_worker_has_what_it_needs_and_nothing_else() {
    let sandbox = Sandbox::new(PROBE);
    let supervisor = sandbox.spawn_after("trap '' HUP USR1", &[("ALLOWED", "yes"), ("SECRET", "no")]).await_ready();
    let gone = |line: &Line| line.is("worker gone") && line.field("pool") == "probe";
    let pid = supervisor.log().wait_for("the probe gone", gone).field("pid").as_i64().unwrap();
    let read = |name: &str| fs::read_to_string(sandbox.path(name)).unwrap();
    assert_eq!(read("umask").trim(), "0077");
    assert_eq!(read("folder").trim(), sandbox.path("").canonicalize().unwrap().to_string_lossy().trim_end_matches('/'));
    let env = read("env");
    let env: BTreeMap<&str, &str> = env.lines().filter_map(|line| line.split_once('=')).collect();
    // Those that a shell sets itself.
    let foreign: Vec<_> =
        env.keys().filter(|name| !ALLOWED.contains(name) && !["PWD", "OLDPWD", "SHLVL", "_"].contains(name)).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
    assert_eq!((env["ALLOWED"], env["MUTIRAO_COOKIE"]), ("yes", env["MUTIRAO_TAG"]));
    let status = read("status");
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("no {name}"));
        line.trim().to_owned()
    };
    assert_eq!(field("NoNewPrivs:"), "1");
    for name in ["SigBlk:", "SigIgn:"] {
        let signals = u64::from_str_radix(&field(name), 16).unwrap();
        assert_eq!(signals & !OF_THE_C_LIBRARY, 0, "{name}");
    }
    assert_eq!(field("NSsid:").split_whitespace().last(), Some(pid.to_string().as_str()), "a session of its own");
    sandbox.finish(supervisor);
}

#[test]
fn a_worker_holds_its_channel_alone() {
    let sandbox = Sandbox::new(&Sandbox::rogue_pool(&["good"], ""));
    let begun = sandbox.fifo("begun");
    let supervisor = sandbox.start();
    let id = sandbox.enqueue(&["good", &format!("tell={}", begun.path().display())]);
    let worker = begun.pid();
    sandbox.settled(id);
    let open = fs::read_dir(format!("/proc/{worker}/fd")).unwrap();
    let mut open: Vec<_> = open.map(|entry| entry.unwrap().file_name()).collect();
    open.sort();
    assert_eq!(open, ["0", "1", "2"]);
    sandbox.finish(supervisor);
}

#[test]
fn a_command_starts_in_the_folder_of_the_configuration() {
    let sandbox = Sandbox::new("[kinds.where]\nrun = [\"pwd\"]\n[kinds.env]\nrun = [\"env\"]\n");
    let supervisor = sandbox.spawn(&[("SECRET", "no")]).await_ready();
    let folder = sandbox.path("").canonicalize().unwrap();
    let place = sandbox.cli(&["enqueue", "where", "--wait"]).ok();
    assert_eq!(place.stdout.trim(), folder.to_string_lossy().trim_end_matches('/'));
    let env = sandbox.cli(&["enqueue", "env", "--wait"]).ok();
    let foreign: Vec<&str> =
        env.stdout.lines().filter(|line| !ALLOWED.contains(&line.split('=').next().unwrap())).collect();
    assert!(foreign.is_empty() && !env.stdout.contains("MUTIRAO_COOKIE"), "{foreign:?}");
    sandbox.finish(supervisor);
}
