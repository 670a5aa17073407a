//! PURE: whatever prints in a worker, nothing but frames is on the channel, and what is printed is in the log.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::check::case::{Case, case};
use crate::check::peer::Peer;
use crate::check::proc::{Below, Child, below};
use crate::check::{Failure, Stage, Verdict};

/// More than a pipe holds, and less than the longest argument of a program.
const STUCK_TEXT_BYTES: usize = 100 * 1024;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("PURE/handler", "1.2", "what a handler prints is in the log", |stage| prints(stage, "handler")),
        case("PURE/thread", "1.2", "what a thread prints is in the log", |stage| prints(stage, "thread")),
        case("PURE/child", "1.2", "what a child process prints is in the log", |stage| prints(stage, "child")),
        case("PURE/stdout-only", "1.2", "what is printed on stdout alone is in the log", |stage| {
            prints_to(stage, "stdout")
        }),
        case("PURE/stderr-only", "1.2", "what is printed on stderr alone is in the log", |stage| {
            prints_to(stage, "stderr")
        }),
        case("PURE/result", "9", "`print` returns the number of lines, on both together", |stage| {
            let mut peer = stage.ready()?;
            for (to, lines) in [("stdout", 3), ("stderr", 3), ("both", 6)] {
                peer.call("print", json!({ "lines": 3, "to": to }), json!(lines))?;
            }
            peer.farewell()
        }),
        case("PURE/default", "9", "`print` without args prints one line to both", |stage| {
            let mut peer = stage.ready()?;
            print(&mut peer, Value::Null)?;
            peer.logs_lines("hello", 2)?;
            peer.farewell()
        }),
        case("PURE/many-lines", "1.2", "many lines do no harm", |stage| {
            let mut peer = stage.ready()?;
            print(&mut peer, json!({ "text": "one of many", "lines": 2_000 }))?;
            peer.logs_lines("one of many", 4_000)?;
            peer.farewell()
        }),
        case("PURE/long-lines", "1.2", "long lines do no harm", |stage| {
            let mut peer = stage.ready()?;
            let text = "x".repeat(64 * 1024);
            peer.call("print", json!({ "text": text, "lines": 200, "to": "stdout" }), json!(200))?;
            peer.goes_on()?;
            peer.farewell()
        }),
        case("PURE/frame-in-text", "1.2", "text that looks like a frame is text", |stage| {
            let mut peer = stage.ready()?;
            let args = json!({ "text": "\0\0\0\u{8}\u{1}beat\u{1}", "to": "stdout" });
            peer.call("print", args, json!(1))?;
            peer.goes_on()?;
            peer.farewell()
        }),
        case("PURE/between-runs", "1.2", "prints of one run do not harm the next", |stage| {
            let mut peer = stage.ready()?;
            for _ in 0..5 {
                print(&mut peer, json!({ "text": "again" }))?;
                peer.goes_on()?;
            }
            peer.farewell()
        }),
        case("PURE/child-input", "1.2", "the standard input of a child is the null device", child_input),
        case("PURE/child-descriptors", "1.2", "a child has no descriptor of the channel", child_descriptors),
        case(
            "PURE/child-environment",
            "1.1",
            "a child has neither MUTIRAO_COOKIE nor MUTIRAO_CHANNEL",
            child_environment,
        ),
    ]
}

fn prints(stage: &Stage<'_>, from: &str) -> Verdict {
    let mut peer = stage.ready()?;
    let line = format!("printed by a {from}");
    print(&mut peer, json!({ "text": line, "lines": 3, "from": from }))?;
    peer.logs_lines(&line, 6)?;
    peer.goes_on()?;
    peer.farewell()
}

/// Has it printed, and its run answered.
fn print(peer: &mut Peer, args: Value) -> Verdict {
    let run = peer.run("print", args)?;
    peer.done(run).map(|_| ())
}

fn prints_to(stage: &Stage<'_>, to: &str) -> Verdict {
    let mut peer = stage.ready()?;
    let line = format!("printed on {to}");
    for from in ["handler", "thread", "child"] {
        peer.call("print", json!({ "text": line, "to": to, "from": from }), json!(1))?;
    }
    peer.logs_lines(&line, 3)?;
    peer.farewell()
}

/// Looks at a child process that cannot go on printing, since nobody reads.
fn with_child(stage: &Stage<'_>, look: impl Fn(&Child, &[String]) -> Verdict) -> Verdict {
    let mut peer = stage.ready()?;
    let pid = peer.link.process().pid();
    let pipes = peer.link.process().channel_pipes();
    let known: BTreeSet<i32> = below(pid);
    peer.link.set_reads_stderr(false);
    let text = "x".repeat(STUCK_TEXT_BYTES);
    let run = peer.run("print", json!({ "text": text, "to": "stderr", "from": "child" }))?;
    let child = peer.child(&known)?;
    look(&child, &pipes)?;
    peer.link.set_reads_stderr(true);
    peer.done(run)?;
    peer.farewell()
}

/// As [`with_child`], for what shows only in another program than that of the worker.
fn with_program(stage: &Stage<'_>, look: impl Fn(&Below, &[String]) -> Verdict) -> Verdict {
    with_child(stage, |child, pipes| {
        if child.is_program {
            return look(&child.process, pipes);
        }
        stage.skip("the child process that prints is a copy of the worker, and no program of its own");
        Ok(())
    })
}

fn unreadable(error: std::io::Error) -> Failure {
    Failure::new("a child process that can be looked at", error.to_string())
}

fn child_input(stage: &Stage<'_>) -> Verdict {
    with_child(stage, |child, _| {
        let descriptors = child.process.descriptors().map_err(unreadable)?;
        let input = descriptors.iter().find(|(number, _)| number == "0").map_or("closed", |(_, target)| target);
        Failure::unless(input == "/dev/null", "descriptor 0 is /dev/null", format!("descriptor 0 is {input}"))
    })
}

fn child_descriptors(stage: &Stage<'_>) -> Verdict {
    with_program(stage, |child, pipes| {
        let descriptors = child.descriptors().map_err(unreadable)?;
        let leaked = descriptors.iter().find(|(_, target)| pipes.contains(target));
        let seen = || leaked.map(|(number, _)| format!("descriptor {number} of a child is the channel"));
        Failure::unless(leaked.is_none(), "a child without the channel", seen().unwrap_or_default())
    })
}

fn child_environment(stage: &Stage<'_>) -> Verdict {
    with_program(stage, |child, _| {
        let variables = child.variables().map_err(unreadable)?;
        let leaked =
            variables.iter().find(|name| name.as_str() == "MUTIRAO_COOKIE" || name.as_str() == "MUTIRAO_CHANNEL");
        let seen = || leaked.map(|name| format!("{name} in the environment of a child"));
        Failure::unless(leaked.is_none(), "a child without these variables", seen().unwrap_or_default())
    })
}
