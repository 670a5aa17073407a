//! Where the contract is spoken: on stdin and stdout, or on descriptors 3 and 4.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use tests::harness::{Line, Sandbox};

/// A pool whose program only writes down its descriptors, prints, and asks not to be started again.
const PROBE: &str = "[pools.probe]\nworkers = 1\nchannel = \"fd3\"\ncommand = [\"sh\", \"-c\", '''\
    sh -c \"ls -l /proc/$$/fd > descriptors\"; echo $MUTIRAO_CHANNEL > channel; echo printed; exit 78''']\n";

fn on_fd3(pool: &str) -> String {
    pool.replace("workers = 1\n", "workers = 1\nchannel = \"fd3\"\n")
}

#[test]
fn on_fd3_all_that_is_printed_is_the_log() {
    let sandbox = Sandbox::new(&on_fd3(&Sandbox::rogue_pool(&["prints"], "")));
    let supervisor = sandbox.start();
    for _ in 0..2 {
        let id = sandbox.enqueue(&["prints"]);
        let task = sandbox.settled(id);
        assert_eq!((task.summary.state.as_str(), task.summary.runs), ("completed", 1), "{}", sandbox.shown(id));
        let log = sandbox.cli(&["logs", &id.to_string()]).ok();
        log.says("printed on stdout\n").says("attempt 1 of task");
    }
    assert!(supervisor.log().find(|line| line.is_alert("protocol")).is_empty());
    sandbox.finish(supervisor);
}

#[test]
fn on_stdio_a_print_is_a_breach() {
    let sandbox = Sandbox::new(&Sandbox::rogue_pool(&["prints"], "max_crashes = 1"));
    let supervisor = sandbox.start();
    let id = sandbox.enqueue(&["prints"]);
    assert_eq!(sandbox.settled(id).attempts[0].outcome, "protocol");
    assert!(sandbox.shown(id).contains("printed on stdout"), "{}", sandbox.shown(id));
    sandbox.finish(supervisor);
}

#[test]
fn a_worker_on_fd3_has_these_descriptors_and_no_other() {
    let sandbox = Sandbox::new(PROBE);
    // One that a careless parent has left open.
    let supervisor = sandbox.spawn_after("exec 7< /dev/null", &[]).await_ready();
    let broken = supervisor.log().wait_for("the end of the probe", |line| line.is_alert("pool_broken"));
    assert!(broken.text.contains("printed"), "what it printed on stdout is heard: {}", broken.text);
    let listed = fs::read_to_string(sandbox.path("descriptors")).unwrap();
    let open = Vec::from_iter(listed.lines().filter_map(|line| line.split_once(" -> ")));
    let numbers = Vec::from_iter(open.iter().map(|(of, _)| of.rsplit(' ').next().unwrap()));
    assert_eq!(numbers, ["0", "1", "2", "3", "4"], "{listed}");
    let [stdin, stdout, stderr, reads, writes] = [0, 1, 2, 3, 4].map(|number| open[number].1);
    assert!(stdin == "/dev/null" && [stderr, reads, writes].iter().all(|pipe| pipe.starts_with("pipe:")), "{listed}");
    assert!(stdout == stderr && reads != writes && writes != stderr, "{listed}");
    assert_eq!(fs::read_to_string(sandbox.path("channel")).unwrap(), "fd3\n");
    sandbox.finish(supervisor);
}

#[test]
fn a_program_that_cannot_be_started_is_told_on_fd3_as_well() {
    let sandbox = Sandbox::new("[pools.missing]\ncommand = [\"./no-interpreter\"]\nworkers = 1\nchannel = \"fd3\"\n");
    sandbox.write("no-interpreter", "#!/no/such/interpreter\n");
    fs::set_permissions(sandbox.path("no-interpreter"), fs::Permissions::from_mode(0o700)).unwrap();
    let supervisor = sandbox.start();
    let told = |line: &Line| {
        line.is("worker gone") && line.text.contains("could not be started: cannot start './no-interpreter'")
    };
    supervisor.log().wait_for("the reason", told);
    sandbox.finish(supervisor);
}

#[test]
fn a_channel_that_is_none_is_shown_in_its_place() {
    let sandbox = Sandbox::new("[pools.node]\ncommand = [\"true\"]\nchannel = \"fd4\"\n");
    let told = sandbox.cli(&["check"]).exits(3);
    let told = told.complains("pools.node.channel: \"fd4\" is not known; the channels are \"stdio\" and \"fd3\"");
    told.complains("3 | channel = \"fd4\"\n  |           ^^^^^\n");
}
