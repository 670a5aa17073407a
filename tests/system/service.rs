//! What a service manager hears, at a socket of the test.

use nix::sys::signal::Signal;
use tests::harness::{Sandbox, ServiceManager, Supervisor};

fn spawn(sandbox: &Sandbox, watchdog_us: &str) -> Supervisor {
    let socket = sandbox.path("notify");
    sandbox.spawn(&[("NOTIFY_SOCKET", &socket.to_string_lossy()), ("WATCHDOG_USEC", watchdog_us)])
}

#[test]
fn a_service_is_ready_reloads_lives_and_stops() {
    let sandbox = Sandbox::new("[kinds.env]\nrun = [\"env\"]\n");
    let manager = ServiceManager::listen(&sandbox);
    let supervisor = spawn(&sandbox, "200000").await_ready();
    manager.hears("READY=1");
    for _ in 0..3 {
        assert!(manager.hears("WATCHDOG=1").contains("STATUS="));
    }
    supervisor.signal(Signal::SIGHUP);
    assert!(manager.hears("RELOADING=1").contains("\nMONOTONIC_USEC="));
    manager.hears("READY=1");
    let env = sandbox.cli(&["enqueue", "env", "--wait"]).ok().stdout;
    assert!(!env.contains("NOTIFY_SOCKET") && !env.contains("WATCHDOG"), "{env}");
    supervisor.signal(Signal::SIGTERM);
    manager.hears("STOPPING=1");
    sandbox.ended(supervisor);
}
