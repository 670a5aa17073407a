//! Workers that never become ready: told with the reason, not started in a tight loop, and no task pays for it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use tests::harness::{Line, Sandbox};

/// The misdeed, the alert that tells it, and what that says.
const NEVER_READY: [(&str, &str, &str); 9] = [
    ("early-death", "pool_broken", "left with exit code 3; it is tried again once a minute"),
    ("early-78", "pool_broken", "left with exit code 78; it asked not to be started again"),
    ("early-text", "protocol", "Starting worker v1.0 ..."),
    ("early-done", "protocol", "done while starting"),
    ("early-silence", "protocol", "it said neither `ready` nor `booting` in time"),
    ("wrong-cookie", "worker_rejected", "its cookie is not the one in its environment"),
    ("wrong-protocol", "worker_rejected", "it speaks protocol 99 to 99 and this supervisor 1"),
    ("no-kinds", "worker_rejected", "it has no handler for no-kinds"),
    ("bad-kind", "worker_rejected", "No Name"),
];

#[test]
fn a_worker_that_is_never_ready_costs_no_task() {
    let missing = "[pools.missing]\ncommand = [\"./no-interpreter\"]\nworkers = 1\n";
    let pools: String = NEVER_READY.iter().map(|(misdeed, ..)| Sandbox::rogue_pool(&[misdeed], "")).collect();
    let sandbox = Sandbox::with_samples(&format!("{missing}{pools}"));
    // A program that is there and cannot be started; one that is not there is refused before.
    sandbox.write("no-interpreter", "#!/no/such/interpreter\n");
    fs::set_permissions(sandbox.path("no-interpreter"), fs::Permissions::from_mode(0o700)).unwrap();
    let supervisor = sandbox.start();
    let ids = NEVER_READY.map(|(misdeed, ..)| sandbox.enqueue(&[misdeed]));
    let log = supervisor.log();
    let of_pool = |line: &Line, pool: &str| {
        let reason = line.field("reason").as_str().unwrap_or_default();
        line.field("pool") == pool || reason.contains(&format!("pool {pool}"))
    };
    for (misdeed, alert, part) in NEVER_READY {
        let told = |line: &Line| line.is_alert(alert) && of_pool(line, misdeed);
        let said = log.wait_for(&format!("{alert} of {misdeed}"), told);
        assert!(said.field("reason").as_str().unwrap().contains(part), "{}", said.text);
    }
    let broken = log.wait_for("missing is broken", |line| line.is_alert("pool_broken") && of_pool(line, "missing"));
    assert!(broken.text.contains("cannot start './no-interpreter'"), "{}", broken.text);
    log.wait_for("early-death is broken", |line| line.is_alert("pool_broken") && of_pool(line, "early-death"));
    let deaths = |pool| log.find(|line| line.is("worker gone") && line.field("pool") == pool).len();
    assert_eq!((deaths("early-death"), deaths("missing"), deaths("early-78")), (5, 5, 1), "no tight loop");
    for (id, (misdeed, ..)) in ids.into_iter().zip(NEVER_READY) {
        let task: Value = sandbox.cli(&["show", "-o", "json", &id.to_string()]).ok().json();
        assert_eq!((&task["state"], &task["epoch"]), (&"available".into(), &0.into()), "{misdeed}");
    }
    let other = sandbox.enqueue(&["echo", "--queue=samples", "text=unaffected"]);
    assert_eq!(sandbox.settled(other).summary.state, "completed");
    sandbox.finish(supervisor);
}
