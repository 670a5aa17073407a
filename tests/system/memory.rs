//! A task that takes more memory than its worker may have: it ends alone, and says why.

use tests::harness::{Sandbox, Watched};

const LIMITED: &str = "[pools.commands]\nstock = true\nworkers = 2\nlimits = { memory = \"100MiB\" }\n\
    [kinds.command]\nmax_crashes = 1\n";
/// In a child of the command, so that only the whole tree has too much.
const GREEDY: &str = "echo $$ > pids; x=$(head -c 250000000 /dev/zero | tr '\\0' x); echo kept; sleep 1000";

#[test]
fn who_has_too_much_in_memory_ends_alone() {
    let sandbox = Sandbox::new(LIMITED);
    let (pids, gate) = (sandbox.fifo("pids"), sandbox.fifo("gate"));
    let supervisor = sandbox.start();
    let neighbour = sandbox.add(&["sh", "-c", "echo $$ > pids; read go < gate"]);
    let beside = Watched::new(pids.pid());
    let greedy = sandbox.add(&["sh", "-c", GREEDY]);
    let command = Watched::new(pids.pid());
    let task = sandbox.settled(greedy);
    let [attempt] = &task.attempts[..] else { panic!("{:?}", task.attempts) };
    assert_eq!((task.summary.state.as_str(), attempt.outcome.as_str()), ("failed", "oom"), "{attempt:?}");
    assert!(!command.is_alive() && beside.is_alive());
    gate.open_gate();
    assert_eq!(sandbox.settled(neighbour).summary.state, "completed");
    sandbox.finish(supervisor);
}
