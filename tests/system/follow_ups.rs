//! Tasks that come with a result: all of them with it, or neither, whatever dies meanwhile.

use serde_json::Value;
use tests::harness::Sandbox;

const LINKS: i64 = 12;

fn args(of: Value) -> String {
    of.to_string()
}

#[test]
fn a_chain_has_each_of_its_links_once_though_its_supervisor_is_killed_around_the_answers() {
    let sandbox = Sandbox::new(&Sandbox::rogue_pool(&["follow"], ""));
    let answered = sandbox.fifo("answered");
    let mut supervisor = sandbox.start();
    let first = args(serde_json::json!({ "links": LINKS, "answered": answered.path() }));
    sandbox.enqueue(&["follow", "--args", &first]);
    let mut kills = 0;
    for said in 0.. {
        // The answer has left the worker. Whether the supervisor has read or committed it is for chance to say.
        if answered.line() == "0" {
            break;
        }
        // Every second one, so that the chain gets on.
        if said % 2 == 0 {
            sandbox.kill9(supervisor);
            supervisor = sandbox.start();
            kills += 1;
        }
    }
    assert!(kills >= LINKS / 2, "{kills}");
    let whole = 2 * LINKS + 1;
    let mut links = Vec::new();
    for id in 1..=whole {
        let task = sandbox.settled(id);
        assert_eq!(task.summary.state, "completed", "{}", sandbox.shown(id));
        links.push(serde_json::to_value(&task.result).unwrap().as_i64().unwrap());
    }
    links.sort_unstable();
    let leaves = std::iter::repeat_n(0, LINKS as usize);
    assert_eq!(links, Vec::from_iter(leaves.chain(0..=LINKS)), "each link once, and a leaf for each but the last");
    sandbox.cli(&["show", &(whole + 1).to_string()]).exits(4);
    sandbox.finish(supervisor);
}

#[test]
fn an_illegal_follow_up_fails_the_run_for_good_and_leaves_nothing() {
    let sandbox = Sandbox::new(&Sandbox::rogue_pool(&["follow"], ""));
    let supervisor = sandbox.start();
    let first = args(serde_json::json!({ "links": 1, "leaf": "folow" }));
    let id = sandbox.enqueue(&["follow", "--args", &first]);
    let task = sandbox.settled(id);
    assert_eq!((task.summary.reason.as_deref(), task.summary.runs), (Some("rejected"), 1));
    assert!(task.result.is_nothing());
    let shown = sandbox.shown(id);
    for part in ["for its follow-ups", "follow-up 2 of 2: no pool offers kind \"folow\"; did you mean follow?"] {
        assert!(shown.contains(part), "no {part:?} in\n{shown}");
    }
    sandbox.cli(&["show", "2"]).exits(4);
    let next = sandbox.settled(sandbox.enqueue(&["follow"]));
    assert_eq!((next.summary.state.as_str(), next.summary.id), ("completed", 2), "its worker is well");
    assert!(supervisor.log().find(|line| line.is("worker gone")).is_empty());
    sandbox.finish(supervisor);
}
