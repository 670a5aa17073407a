//! What the host gives: as it is told, and what control groups are for.

use nix::sys::signal::Signal;
use serde_json::Value;
use supervisor::http::dto::System;
use tests::harness::{Sandbox, Watched};

/// What is lost of a feature here, if it is not given.
fn lost(sandbox: &Sandbox, feature: &str) -> Option<String> {
    let system: System = sandbox.cli(&["system", "-o", "json"]).ok().json();
    system.features.into_iter().find(|line| line.feature == feature).unwrap().lost
}

#[test]
fn the_same_is_told_before_and_while_a_supervisor_runs() {
    let sandbox = Sandbox::new("[host]\nmemory = \"100MiB\"\n");
    let before: System = sandbox.cli(&["system", "-o", "json"]).ok().json();
    sandbox.cli(&["system"]).ok().says("memory budget").complains("no supervisor is up: this is what one would find");
    let elsewhere = sandbox.script("cd tmp && \"$SUPERVISOR\" system -o json").ok();
    let rights = elsewhere.json::<System>().features.into_iter().find(|line| line.feature == "rights").unwrap();
    assert_eq!(rights.lost.is_some(), nix::unistd::geteuid().is_root(), "no configuration is needed: {rights:?}");
    let supervisor = sandbox.start();
    let now: System = sandbox.cli(&["system", "-o", "json"]).ok().json();
    assert_eq!((&before, now.memory_budget_bytes), (&now, 100 << 20));
    let (status, answer) = sandbox.http("GET", "/v1/system", None);
    assert_eq!((status, answer), (200, serde_json::to_value(&now).unwrap()));
    for feature in &now.features {
        let (what, field) = if feature.lost.is_some() { ("host lacks", "lost") } else { ("host gives", "guarantee") };
        let told = supervisor.log().find(|line| line.is(what) && line.field("feature") == feature.feature.as_str());
        assert!(told.len() == 1 && *told[0].field(field) != Value::Null, "{feature:?}");
    }
    sandbox.finish(supervisor);
}

#[test]
fn a_place_for_cgroups_that_cannot_be_had_stops_the_start() {
    let sandbox = Sandbox::new("[host]\ncgroup = \"/no/such/group\"\n");
    sandbox.cli(&["run"]).exits(1).complains("no cgroups can be had where [host] cgroup names a place");
    sandbox.cli(&["system"]).ok();
    sandbox.write("supervisor.toml", "[host]\ncgroup = \"off\"\n");
    assert!(lost(&sandbox, "leftovers").is_some());
    let supervisor = sandbox.start();
    sandbox.cli(&["add", "--wait", "--", "true"]).ok();
    sandbox.finish(supervisor);
}

/// What leaves no trace: no environment, no session, no parent.
const HIDDEN: &str =
    "env -i setsid sh -c 'sleep 1000 & echo $! > pids; exit' < /dev/null > /dev/null 2>&1; exec sleep 1000";

#[test]
fn what_hides_from_a_killed_supervisor_is_found_by_its_group() {
    let sandbox = Sandbox::new("");
    if let Some(lost) = lost(&sandbox, "leftovers") {
        return eprintln!("skipped: no cgroups here: {lost}");
    }
    let pids = sandbox.fifo("pids");
    let supervisor = sandbox.start();
    let id = sandbox.add(&["sh", "-c", HIDDEN]);
    let hidden = Watched::new(pids.pid());
    // It would see the end of its input a moment before its own death, and might kill what it started in between.
    supervisor.workers().iter().for_each(|worker| worker.signal(Signal::SIGSTOP));
    sandbox.kill9(supervisor);
    assert!(hidden.is_alive(), "nobody has killed it: else this test shows nothing");
    let supervisor = sandbox.start();
    assert!(!hidden.is_alive());
    let again = Watched::new(pids.pid());
    sandbox.cancel(id);
    assert!(!again.is_alive());
    sandbox.finish(supervisor);
}
