//! The stock worker as a real process, running real commands.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::Path;

use common::{Supervised, start};
use ipc_contract::{Exit, Retry, StopReason, limits};
use serde_json::{Value, json};

fn stock() -> Supervised {
    let mut worker = start(&["--stock", r#"{"digest": ["sha256sum", "{path}"]}"#]);
    worker.peer.greet();
    worker
}

fn sh(script: &str) -> Value {
    json!({"argv": ["sh", "-c", script]})
}

#[test]
fn a_command_that_succeeds_hands_back_its_stdout() {
    let mut worker = stock();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a file; with `odd` $name");
    fs::write(&file, "abc").unwrap();
    let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let table = [
        ("command", sh("true"), String::new()),
        ("command", sh("echo hi"), "hi\n".into()),
        ("command", sh("cat; echo end of stdin"), "end of stdin\n".into()),
        ("command", sh("echo ${MUTIRAO_COOKIE-none}"), "none\n".into()),
        ("command", sh("exec 1>&-; kill -0 $$"), String::new()),
        ("command", json!({"argv": ["pwd"], "cwd": folder.path()}), format!("{}\n", folder.path().display())),
        ("command", json!({"argv": ["printenv", "A"], "env": {"A": "b c"}}), "b c\n".into()),
        ("digest", json!({"path": file}), format!("{digest}  {}\n", file.display())),
    ];
    for (kind, args, stdout) in table {
        worker.peer.run(1, kind, &args);
        let done = worker.peer.done();
        assert_eq!((done.result.read::<String>().unwrap(), done.cut), (stdout, false), "{args}");
    }
    worker.dismiss();
}

#[test]
fn bytes_that_are_no_text_come_back_as_bytes() {
    let mut worker = stock();
    worker.peer.run(1, "command", &sh(r"printf '\377\000'"));
    assert_eq!(worker.peer.done().result.read::<serde_bytes::ByteBuf>().unwrap().into_vec(), [255, 0]);
    worker.dismiss();
}

#[test]
fn a_command_that_fails_says_how() {
    let mut worker = stock();
    let table = [
        ("exit 3", "exited with code 3", Some(3), None),
        ("exit 75", "exited with code 75", Some(75), None),
        ("kill -SEGV $$", "killed by signal 11 (SIGSEGV)", None, Some(11)),
        ("kill -KILL $$", "killed by signal 9 (SIGKILL)", None, Some(9)),
    ];
    for (script, error, code, signal) in table {
        worker.peer.run(1, "command", &sh(script));
        let fail = worker.peer.fail();
        assert_eq!((fail.error.as_str(), fail.retry), (error, Retry::Default));
        let Exit { code: told_code, signal: told_signal, oom, peak_rss_bytes, cpu_ms } = fail.exit.unwrap();
        assert_eq!((told_code, told_signal, oom), (code, signal, false));
        assert!(peak_rss_bytes.unwrap() > 0 && cpu_ms.is_some());
    }
    worker.dismiss();
}

#[test]
fn stdout_is_in_the_log_as_well_and_before_the_answer() {
    for (end, count) in [("exit 1", 40_000), ("exit 0", 40_000), ("exec 1>&-; echo silence >&2", 3)] {
        let mut worker = stock();
        let script = format!("echo first >&2; head -c {count} /dev/zero | tr '\\0' x; echo; echo last words; {end}");
        worker.peer.run(1, "command", &sh(&script));
        if end == "exit 1" {
            drop(worker.peer.fail())
        } else {
            drop(worker.peer.done())
        }
        let log = worker.dismiss();
        assert_eq!(log.matches('x').count(), count, "{end}: {log:.100}");
        for line in ["first\n", "last words\n"] {
            assert!(log.contains(line), "{end}: no {line:?} in {log:.100}");
        }
    }
}

#[test]
fn a_log_that_nobody_reads_holds_nothing_up() {
    let mut worker = stock();
    worker.peer.run(1, "command", &sh("head -c 5000000 /dev/zero | tr '\\0' x; echo end"));
    assert!(worker.peer.done().result.read::<String>().unwrap().ends_with("xend\n"));
    worker.dismiss();
}

#[test]
fn output_over_the_limit_is_cut_to_its_end() {
    let mut worker = stock();
    worker.peer.run(1, "command", &sh("head -c 3000000 /dev/zero | tr '\\0' x; printf end"));
    let done = worker.peer.done();
    assert!(done.cut);
    assert_eq!(done.result.0.len() as u64, limits::RESULT_BYTES.default);
    assert!(done.result.read::<String>().unwrap().ends_with("xend"));
    worker.dismiss();
}

#[test]
fn what_cannot_be_started_is_named() {
    let mut worker = stock();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("data"), "text").unwrap();
    let missing = folder.path().join("missing");
    let table = [
        (
            json!({"argv": ["no-such-program"]}),
            "cannot start `no-such-program` in the folder of the worker: there is no such",
        ),
        (json!({"argv": ["./data"], "cwd": folder.path()}), "cannot start `./data` in /"),
        (json!({"argv": ["true"], "cwd": missing}), "cannot start `true` in /"),
    ];
    for (args, error) in table {
        worker.peer.run(1, "command", &args);
        let fail = worker.peer.fail();
        assert!(fail.error.starts_with(error), "{}", fail.error);
        assert_eq!((fail.retry, fail.exit), (Retry::Default, None));
    }
    for (kind, args) in [("command", json!({"argv": []})), ("digest", json!({})), ("digest", json!({"path": null}))] {
        worker.peer.run(1, kind, &args);
        assert_eq!(worker.peer.fail().retry, Retry::Never, "{args}");
    }
    worker.dismiss();
}

/// Numbers of processes, as a command printed them, that are still there in any form.
fn alive(stdout: &str) -> Vec<String> {
    let pids: Vec<_> = stdout.split_whitespace().map(str::to_owned).collect();
    assert!(!pids.is_empty());
    pids.into_iter().filter(|pid| Path::new("/proc").join(pid).exists()).collect()
}

#[test]
fn what_a_command_leaves_behind_is_gone_before_the_answer() {
    let mut worker = stock();
    let scripts = [
        "sleep 1000 & echo $!",
        "setsid sleep 1000 & echo $!",
        "trap '' TERM HUP; setsid sleep 1000 & echo $!",
        // Each generation prints its number and waits for the next; the first one reads the last word and ends.
        "mkfifo f; setsid sh -c 'setsid sh -c \"sleep 1000 & echo \\$! \\$\\$ >f; wait\" & wait' & cat f; echo $!",
    ];
    for script in scripts {
        for (end, is_done) in [("", true), ("; kill -KILL $$", false)] {
            let folder = tempfile::tempdir().unwrap();
            let script = format!("({script}) >out 2>&1; cat out{end}");
            worker.peer.run(1, "command", &json!({"argv": ["sh", "-c", script], "cwd": folder.path()}));
            if is_done {
                worker.peer.done();
            } else {
                assert_eq!(worker.peer.fail().exit.unwrap().signal, Some(9));
            }
            let stdout = fs::read_to_string(folder.path().join("out")).unwrap();
            assert_eq!(alive(&stdout), Vec::<String>::new(), "{script}: {stdout}");
        }
    }
    worker.dismiss();
}

#[test]
fn a_survivor_that_holds_stdout_does_not_hold_the_answer() {
    let mut worker = stock();
    worker.peer.run(1, "command", &sh("setsid sleep 1000 & echo $!"));
    let stdout = worker.peer.done().result.read::<String>().unwrap();
    assert_eq!(alive(&stdout), Vec::<String>::new());
    worker.dismiss();
}

#[test]
fn a_stopped_command_has_failed_however_it_ends() {
    let mut worker = stock();
    let table = [
        ("echo started >&2; exec sleep 1000", 600_000, "killed by signal 15 (SIGTERM)"),
        ("trap 'exit 0' TERM; echo started >&2; sleep 1000 & wait", 600_000, "exited with code 0"),
        ("trap '' TERM; echo started >&2; sleep 1000", 2, "killed by signal 9 (SIGKILL)"),
        ("trap '' TERM; echo started >&2; sleep 1000", 0, "killed by signal 9 (SIGKILL)"),
    ];
    for (script, grace_ms, how) in table {
        worker.peer.run(1, "command", &sh(script));
        assert_eq!(worker.line(), "started");
        worker.peer.stop_run(1, StopReason::Timeout, grace_ms);
        assert_eq!(worker.peer.fail().error, format!("told to stop (timeout), then {how}"), "{script}");
    }
    worker.dismiss();
}

#[test]
fn sigterm_is_for_the_command_and_not_for_the_worker() {
    let mut worker = stock();
    worker.peer.run(1, "command", &sh("echo started >&2; exec sleep 1000"));
    assert_eq!(worker.line(), "started");
    let pid = rustix::process::Pid::from_child(&worker.child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(worker.peer.fail().error, "told to stop, then killed by signal 15 (SIGTERM)");
    worker.peer.run(2, "command", &sh("echo still here"));
    assert_eq!(worker.peer.done().result.read::<String>().unwrap(), "still here\n");
    worker.dismiss();
}

#[test]
fn a_draining_worker_finishes_its_command() {
    let mut worker = stock();
    let folder = tempfile::tempdir().unwrap();
    let script = "mkfifo gate; echo started >&2; read word <gate; echo $word";
    worker.peer.run(1, "command", &json!({"argv": ["sh", "-c", script], "cwd": folder.path()}));
    assert_eq!(worker.line(), "started");
    worker.peer.stop();
    fs::write(folder.path().join("gate"), "finished\n").unwrap();
    assert_eq!(worker.peer.done().result.read::<String>().unwrap(), "finished\n");
    worker.peer.bye();
    assert_eq!(worker.wait().0.code(), Some(0));
}

#[test]
fn a_command_ends_with_the_supervisor() {
    let mut worker = start(&["--stock", "{}"]);
    worker.peer.greet();
    worker.peer.run(1, "command", &json!({"argv": ["sh", "-c", "echo $$; exec sleep 3600"]}));
    let pid = worker.line();
    let Supervised { peer, mut child, .. } = worker;
    drop(peer.writer);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(!std::path::Path::new("/proc").join(pid).exists());
}
