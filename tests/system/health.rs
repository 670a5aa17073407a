//! Whether it lives and is ready, for whoever looks after it.

use serde_json::json;
use tests::harness::{Line, Sandbox};

#[test]
fn it_is_ready_until_a_pool_is_broken_or_it_stops() {
    let config = "[pools.probe]\nworkers = 1\ncommand = [\"sh\", \"-c\", \"read go < gate; exit 78\"]\n";
    let sandbox = Sandbox::with_samples(config);
    let gate = sandbox.fifo("gate");
    let mut supervisor = sandbox.start();
    supervisor.await_greetings("samples", 1);
    assert_eq!(sandbox.http("GET", "/v1/health/live", None), (200, json!({"live": true})));
    assert_eq!(sandbox.http("GET", "/v1/health/ready", None), (200, json!({"ready": true})));
    sandbox.cli(&["health"]).ok().says("ready");
    gate.open_gate();
    supervisor.log().wait_for("the pool is broken", |line: &Line| line.is_alert("pool_broken"));
    let (status, told) = sandbox.http("GET", "/v1/health/ready", None);
    let why = "pool probe is broken: its worker left with exit code 78";
    assert_eq!((status, &told), (503, &json!({"ready": false, "reasons": [why]})));
    sandbox.cli(&["health"]).exits(1).says(&format!("not ready: {why}"));
    sandbox.cli(&["health", "--live"]).ok().says("live");
    let (begun, go) = (sandbox.fifo("begun"), sandbox.fifo("go"));
    sandbox.add(&["sh", "-c", "echo $$ > begun; read go < go"]);
    begun.pid();
    supervisor.signal(nix::sys::signal::Signal::SIGTERM);
    let idle = |line: &Line| line.is("worker gone") && line.field("pool") == "samples";
    supervisor.log().wait_for("the stop has begun", idle);
    let told: serde_json::Value = sandbox.cli(&["health", "-o", "json"]).exits(1).json();
    assert_eq!(told["reasons"][0], "the supervisor is stopping");
    assert_eq!(sandbox.http("GET", "/v1/health/live", None).0, 200, "it lives to its end");
    go.open_gate();
    assert!(supervisor.wait().success());
    sandbox.cli(&["health"]).exits(5).complains("no supervisor is up");
    sandbox.examine();
}
