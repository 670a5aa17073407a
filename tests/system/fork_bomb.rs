//! A task that starts processes as fast as it can: it fills what it may have, and nobody else notices.

use std::os::unix::fs::PermissionsExt;

use nix::unistd::geteuid;
use supervisor::shell::procfs;
use tests::harness::Sandbox;

/// Each process forks until it may not, says so, and stays. Without a limit there would be 1,024 of them, and none says it.
const BOMB: &str =
    "for my $g (1..10) { next if defined fork; open F, '>>', 'full'; print F \"full\\n\"; close F; last } sleep 1000";
const PROCESSES_MAX: usize = 64;

#[test]
fn a_fork_bomb_of_an_unprivileged_user_is_bounded() {
    if !geteuid().is_root() {
        return eprintln!("skipped: a limit on processes counts all of this user; only root can take another");
    }
    let config = format!(
        "[pools.bombs]\nstock = true\nworkers = 1\nuser = \"nobody\"\nlimits = {{ processes = {PROCESSES_MAX} }}\n\
         [pools.commands]\nstock = true\nworkers = 1\n[kinds.bomb]\nqueue = \"bombs\"\nrun = {}\n",
        "[\"perl\", \"bomb.pl\"]"
    );
    let sandbox = Sandbox::new(&config);
    sandbox.write("bomb.pl", BOMB);
    sandbox.open_to_all();
    let full = sandbox.fifo("full");
    std::fs::set_permissions(full.path(), PermissionsExt::from_mode(0o666)).unwrap();
    let supervisor = sandbox.start();
    let before = sandbox.add(&["sh", "-c", "read go < gate"]);
    let gate = sandbox.fifo("gate");
    let id = sandbox.enqueue(&["bomb"]);
    assert_eq!(full.line(), "full");
    let below = procfs::living_below(supervisor.pid());
    // Beside it: two workers, and what the other one runs.
    assert!((10..=PROCESSES_MAX + 4).contains(&below.len()), "{} processes", below.len());
    sandbox.cli(&["add", "--priority", "high", "--", "true"]).ok();
    gate.open_gate();
    assert_eq!(sandbox.settled(before).summary.state, "completed", "its neighbour goes on");
    sandbox.cancel(id);
    sandbox.finish(supervisor);
}
