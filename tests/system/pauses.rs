//! Time in which the supervisor does not run: its timers wait.

use nix::sys::signal::Signal;
use tests::harness::{Line, Sandbox};

#[test]
fn a_run_is_not_stopped_for_time_in_which_the_supervisor_was() {
    // The command goes on, and so tells when more time has passed than its run has.
    let sandbox = Sandbox::new("[kinds.command]\ntimeout = \"10s\"\nmax_attempts = 1\n");
    let (begun, slept, gate) = (sandbox.fifo("begun"), sandbox.fifo("slept"), sandbox.fifo("gate"));
    let supervisor = sandbox.start();
    let id = sandbox.add(&["sh", "-c", "echo $$ > begun; sleep 11; echo slept > slept; read go < gate; echo whole"]);
    begun.pid();
    supervisor.signal(Signal::SIGSTOP);
    slept.line();
    supervisor.signal(Signal::SIGCONT);
    supervisor.log().wait_for("it goes on", |line: &Line| line.is("was stopped"));
    // By then all timers that are due have fired.
    sandbox.examine();
    gate.open_gate();
    assert_eq!(sandbox.settled(id).summary.state, "completed", "{}", sandbox.shown(id));
    sandbox.finish(supervisor);
}
