//! Wrong bytes and frames from a worker: the run is a crash, told with the evidence, and nobody else notices.

use tests::harness::Sandbox;

const FRAME: &str = "it printed to the protocol channel, or sent no frame";

/// The misdeed, and what `show` says of it.
const BREACHES: [(&str, &[&str]); 17] = [
    ("text", &[FRAME, "Traceback (most recent call last):"]),
    ("garbage", &["byte 0xc1 is no MessagePack"]),
    ("length-zero", &[FRAME, "a frame announces no bytes"]),
    ("length-huge", &[FRAME, "4294967295 bytes exceeds the limit"]),
    ("length-over", &[FRAME, "16777217 bytes exceeds the limit"]),
    ("half-header", &["it ended in the middle of a frame"]),
    ("half-payload", &["it ended in the middle of a frame"]),
    ("trailing", &["bytes follow the value"]),
    ("deep", &["nested more than 64 deep"]),
    ("bomb-array", &["announces more values than there are bytes"]),
    ("bomb-bytes", &["announces more bytes than there are"]),
    ("unknown-message", &["no message is named \"dance\""]),
    ("save-unasked", &["save while ready", "it needs the feature `save`, which both sides must have named"]),
    ("wrong-way", &["a run is never sent in this direction"]),
    ("hello-twice", &["hello while ready"]),
    ("done-unknown", &["is not in flight", "a run is answered once, by its worker"]),
    ("done-stale", &["is not in flight"]),
];

#[test]
fn each_breach_is_a_crash_with_its_evidence() {
    let pools: String = BREACHES.iter().map(|(misdeed, _)| Sandbox::rogue_pool(&[misdeed], "")).collect();
    let sandbox = Sandbox::with_samples(&pools);
    let supervisor = sandbox.start();
    let ids = BREACHES.map(|(misdeed, _)| sandbox.enqueue(&[misdeed]));
    for ((misdeed, parts), id) in BREACHES.into_iter().zip(ids) {
        let task = sandbox.settled(id);
        let budget = (task.summary.reason.as_deref(), task.summary.crashes_spent, task.summary.attempts_spent);
        assert_eq!(budget, (Some("crashes"), 3, 0), "{misdeed}");
        let outcomes: Vec<&str> = task.attempts.iter().map(|attempt| attempt.outcome.as_str()).collect();
        assert_eq!(outcomes, ["protocol"; 3], "{misdeed}");
        let shown = sandbox.shown(id);
        for part in [&["its worker broke the contract and was killed", "| attempt 1 of task"], parts].concat() {
            assert!(shown.contains(part), "{misdeed}: no {part:?} in\n{shown}");
        }
    }
    let other = sandbox.enqueue(&["echo", "--queue=samples", "text=unaffected"]);
    assert_eq!(sandbox.settled(other).summary.state, "completed");
    let hurt = supervisor.log().find(|line| line.is("worker gone") && line.field("pool") == "samples");
    assert!(hurt.is_empty(), "{hurt:?}");
    sandbox.finish(supervisor);
}

#[test]
fn a_second_done_takes_nothing_back() {
    let sandbox = Sandbox::with_samples(&Sandbox::rogue_pool(&["done-twice"], ""));
    let supervisor = sandbox.start();
    let id = sandbox.enqueue(&["done-twice"]);
    assert_eq!(sandbox.settled(id).summary.state, "completed");
    supervisor.log().wait_for("the breach", |line| line.is_alert("protocol"));
    let task = sandbox.settled(id);
    assert_eq!((task.summary.state.as_str(), task.summary.runs, task.epoch), ("completed", 1, 1));
    sandbox.finish(supervisor);
}
