//! The worker as a real process: the channel, the sample handlers, and what it says to a person.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

use common::{Supervised, program, run_of, start, start_on_fd3, supervised, welcome};
use ipc_contract::{FromWorker, Log, Reject, ToWorker};
use serde_json::json;

#[test]
fn prints_from_anywhere_become_the_log() {
    let mut worker = start(&["--samples"]);
    worker.peer.greet();
    for from in ["handler", "thread", "child"] {
        for (to, printed) in [("stdout", 2), ("stderr", 2), ("both", 4)] {
            let text = format!("printed by {from} to {to}");
            worker.peer.run(1, "print", &json!({"text": text, "lines": 2, "to": to, "from": from}));
            assert_eq!(worker.peer.done().result.read::<u64>().unwrap(), printed);
            for _ in 0..printed {
                assert_eq!(worker.line(), text);
            }
        }
    }
    assert_eq!(worker.dismiss(), "");
}

#[test]
fn by_hand_it_says_what_it_is() {
    for (args, kinds) in [
        (&["--samples"][..], "kinds: blob, busy, context, crash, echo,"),
        (&["--stock", r#"{"digest": ["sha256sum", "{path}"]}"#][..], "kinds: command, digest"),
    ] {
        let output = program().args(args).env_remove("MUTIRAO_COOKIE").stdin(Stdio::null()).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(64), 0), "{told}");
        assert!(told.contains(kinds) && told.contains("[pools.example]"), "{told}");
    }
}

#[test]
fn a_wrong_start_is_told_with_its_code() {
    let table: &[(&[&str], &str, i32, &str)] = &[
        (&[], "stdio", 64, "usage: worker --samples"),
        (&["--stock", "[]"], "stdio", 64, "the templates of --stock cannot be used"),
        (&["--stock", r#"{"command": ["true"]}"#], "stdio", 78, "the kind `command` has two handlers"),
        (&["--samples"], "tcp", 78, "does not know the channel `tcp`; use `stdio` or `fd3`"),
    ];
    for (args, channel, code, text) in table {
        let output = program().args(*args).env("MUTIRAO_CHANNEL", channel).stdin(Stdio::null()).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(*code), "{told}");
        assert!(told.contains(text) && output.stdout.is_empty(), "{told}");
    }
}

#[test]
fn a_refused_worker_prints_the_reason() {
    let mut worker = start(&["--samples"]);
    worker.peer.receive();
    worker.peer.send(ToWorker::Reject(Reject { reason: "no such pool".into() }));
    let (status, log) = worker.wait();
    assert_eq!((status.code(), log.as_str()), (Some(78), "the supervisor refused this worker: no such pool\n"));
}

#[test]
fn the_crash_sample_dies_as_told_and_only_when_told() {
    for (args, signal, code) in [
        (json!({}), Some(11), None),
        (json!({"signal": 9}), Some(9), None),
        (json!({"signal": 6, "on_attempt": 1}), Some(6), None),
        (json!({"exit": 3}), None, Some(3)),
    ] {
        let mut worker = start(&["--samples"]);
        worker.peer.greet();
        worker.peer.run(1, "crash", &args);
        assert!(worker.peer.receive().is_none(), "{args}: it dies without a word");
        let (status, _) = worker.wait();
        assert_eq!((status.signal(), status.code()), (signal, code), "{args}");
    }
    let mut worker = start(&["--samples"]);
    worker.peer.greet();
    let mut run = run_of(1, "crash", &json!({"on_attempt": 1}));
    run.attempt = 2;
    worker.peer.send(ToWorker::Run(run));
    assert_eq!(worker.peer.done().result.read::<u32>().unwrap(), 2);
    worker.dismiss();
}

#[test]
fn text_stats_reads_a_file() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    for _ in 0..50_000 {
        file.write_all("é two\n".as_bytes()).unwrap();
    }
    let mut worker = start(&["--samples"]);
    worker.peer.greet();
    worker.peer.run(1, "text_stats", &json!({"path": file.path()}));
    let counts = worker.peer.done().result.read::<serde_json::Value>().unwrap();
    assert_eq!(counts, json!({"bytes": 350_000, "lines": 50_000, "words": 100_000, "chars": 300_000}));
    worker.peer.run(2, "text_stats", &json!({"path": "/no/such/file"}));
    assert!(worker.peer.fail().error.starts_with("/no/such/file: No such file"));
    worker.dismiss();
}

#[test]
fn no_command_inherits_the_channel_or_is_told_of_it() {
    for start in [start, start_on_fd3] {
        let mut worker = start(&["--stock", "{}"]);
        worker.peer.greet();
        let link = |pid: u32, fd: i32| fs::read_link(format!("/proc/{pid}/fd/{fd}")).unwrap().display().to_string();
        let ours = std::process::id();
        let channel = [link(ours, worker.peer.reader.as_raw_fd()), link(ours, worker.peer.writer.as_raw_fd())];
        let stderr = link(ours, worker.stderr.get_ref().as_raw_fd());
        let standard = [0, 1, 2].map(|fd| link(worker.child.id(), fd));
        assert_eq!(standard, ["/dev/null".to_owned(), stderr.clone(), stderr.clone()]);
        worker.peer.run(1, "command", &json!({"argv": ["sh", "-c", "readlink /proc/$$/fd/*; env; true"]}));
        let inherited = worker.peer.done().result.read::<String>().unwrap();
        assert!(inherited.contains(&stderr), "{inherited}");
        assert!(channel.iter().all(|link| !inherited.contains(link)), "{inherited}");
        assert!(!inherited.contains("MUTIRAO_"), "{inherited}");
        worker.dismiss();
    }
}

#[test]
fn a_channel_that_is_not_there_is_told() {
    let mut program = program();
    program.arg("--samples").env("MUTIRAO_CHANNEL", "fd3").stdin(Stdio::null());
    let output = program.output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(78), "{told}");
    assert!(told.starts_with("cannot take over the channel: "), "{told}");
}

#[test]
fn prints_never_reach_descriptors_3_and_4() {
    let mut worker = start_on_fd3(&["--samples"]);
    worker.peer.greet();
    worker.peer.run(1, "print", &json!({"text": "shout", "from": "child", "lines": 2}));
    assert_eq!(worker.peer.done().result.read::<u64>().unwrap(), 4);
    assert_eq!(worker.dismiss().lines().collect::<Vec<_>>(), ["shout"; 4]);
}

#[test]
fn the_samples_start_as_their_environment_says() {
    let mut program = program();
    program.arg("--samples").env("SAMPLE_BOOTING", "2").env("SAMPLE_CONCURRENCY", "3");
    let mut worker = supervised(&mut program);
    let booting = |worker: &mut Supervised| {
        for _ in 0..2 {
            assert!(matches!(worker.peer.receive(), Some(FromWorker::Booting(_))));
        }
    };
    booting(&mut worker);
    let Some(FromWorker::Hello(hello)) = worker.peer.receive() else { panic!("no hello") };
    assert_eq!(hello.concurrency, 3);
    worker.peer.send(welcome());
    booting(&mut worker);
    assert!(matches!(worker.peer.receive(), Some(FromWorker::Log(Log { run: None, .. }))));
    assert!(matches!(worker.peer.receive(), Some(FromWorker::Ready(_))));
    worker.dismiss();
}

#[test]
fn an_end_of_the_channel_ends_the_process_whatever_still_runs() {
    for kind in ["stubborn", "sleep"] {
        let mut worker = start(&["--samples"]);
        worker.peer.greet();
        worker.peer.run(1, kind, &json!({"ms": 3_600_000}));
        let Supervised { peer, mut child, .. } = worker;
        drop(peer.writer);
        assert_eq!(child.wait().unwrap().code(), Some(1), "{kind}");
    }
}
