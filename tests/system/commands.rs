//! Plain commands: of kinds, and as they are typed.

use serde_json::{Value, json};
use tests::harness::{Sandbox, Watched};

const LIMITS: &str = "[kinds.command]\nmax_attempts = 1\nmax_crashes = 1\n";

#[test]
fn a_kind_fills_its_command_line_from_the_args() {
    let sandbox = Sandbox::new("[kinds.digest]\nrun = [\"sha256sum\", \"{path}\"]\n");
    let supervisor = sandbox.start();
    sandbox.write("a file; with 'odd' $name", "abc");
    sandbox
        .cli(&["enqueue", "digest", "--wait", "path=a file; with 'odd' $name"])
        .ok()
        .says("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a file; with 'odd' $name");
    sandbox.finish(supervisor);
}

#[test]
fn a_failing_command_says_how() {
    let sandbox = Sandbox::new(LIMITS);
    let supervisor = sandbox.start();
    let table = [
        ("exit 3", "attempts", "error", Some(3), None, "left with exit code 3"),
        ("exit 75", "attempts", "error", Some(75), None, "left with exit code 75"),
        ("kill -SEGV $$", "crashes", "signal", None, Some(11), "died by signal 11 (SIGSEGV)"),
        ("kill -KILL $$", "crashes", "signal", None, Some(9), "died by signal 9 (SIGKILL)"),
    ];
    for (script, reason, outcome, code, signal, sentence) in table {
        let id = sandbox.add(&["sh", "-c", &format!("echo out; echo err >&2; {script}")]);
        let task = sandbox.settled(id);
        assert_eq!((task.summary.state.as_str(), task.summary.reason.as_deref()), ("failed", Some(reason)), "{script}");
        let [attempt] = &task.attempts[..] else { panic!("{script}: {:?}", task.attempts) };
        assert_eq!((attempt.outcome.as_str(), attempt.exit_code, attempt.signal), (outcome, code, signal), "{script}");
        assert!(attempt.peak_rss_bytes.is_some() && attempt.worker.is_some(), "{script}");
        let shown = sandbox.shown(id);
        for part in [sentence, "| out", "| err"] {
            assert!(shown.contains(part), "no {part:?} in\n{shown}");
        }
    }
    let id = sandbox.add(&["./no-such-program"]);
    assert_eq!(sandbox.settled(id).summary.reason.as_deref(), Some("attempts"));
    assert!(sandbox.shown(id).contains("there is no such program"), "{}", sandbox.shown(id));
    sandbox.finish(supervisor);
}

#[test]
fn a_command_is_kept_as_it_was_typed() {
    let sandbox = Sandbox::new("");
    let supervisor = sandbox.start();
    let script = "pwd; echo \"$A\" \"$1\"";
    let typed = ["add", "--wait", "--name=n", "--env", "A=b  c", "--", "sh", "-c", script, "x", "* $HOME"];
    let folder = sandbox.path("").canonicalize().unwrap();
    sandbox.cli(&typed).ok().says(&format!("{}\nb  c * $HOME\n", folder.display()));
    sandbox.cli(&typed).ok().complains("was there already");
    sandbox.cli(&["add", "--env", "NO_SUCH_VARIABLE", "--", "true"]).exits(2).complains("NO_SUCH_VARIABLE");
    sandbox.finish(supervisor);
}

#[test]
fn a_long_result_is_cut_to_its_last_part() {
    let sandbox = Sandbox::new("");
    let supervisor = sandbox.start();
    let id = sandbox.add(&["sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x; echo end"]);
    let task = sandbox.settled(id);
    assert!(task.result_cut);
    let Value::String(text) = json!(task.result) else { panic!("a text is a text") };
    assert!(text.len() <= 1024 * 1024 && text.len() > 1_000_000 && text.ends_with("xend\n"), "{} bytes", text.len());
    sandbox.cli(&["wait", &id.to_string()]).ok().complains("only the last part");
    assert!(sandbox.shown(id).contains("result (only its last part)"));
    sandbox.finish(supervisor);
}

#[test]
fn what_a_command_leaves_ends_with_it() {
    let sandbox = Sandbox::new(LIMITS);
    let supervisor = sandbox.start();
    for (end, state) in [("exit 0", "completed"), ("exit 1", "failed"), ("kill -KILL $$", "failed")] {
        let pids = sandbox.fifo(&format!("pids-{}", end.replace(' ', "-")));
        let leave = "sleep 1000 & echo $! > \"$0\"; setsid sleep 1000 & echo $! > \"$0\"; read go < gate";
        let gate = sandbox.fifo("gate");
        let id = sandbox.add(&["sh", "-c", &format!("{leave}; {end}"), &pids.path().to_string_lossy()]);
        let left = [(); 2].map(|()| Watched::new(pids.pid()));
        assert!(left.iter().all(Watched::is_alive), "{end}");
        gate.open_gate();
        assert_eq!(sandbox.settled(id).summary.state, state, "{end}");
        assert!(!left.iter().any(Watched::is_alive), "{end}");
        std::fs::remove_file(gate.path()).unwrap();
    }
    sandbox.finish(supervisor);
}
