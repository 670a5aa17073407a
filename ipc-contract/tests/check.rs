//! The program `contract-test` from outside: what it prints, how it exits, what it leaves behind.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use ipc_contract::check::report::{
    CaseReport, ChannelReport, Failing, Outcome, Painter, Report, Spoken, case_line, channel_lines, json, junit,
    summary,
};
use ipc_contract::check::{Channel, Failure};
use serde_json::Value;

const LEAST: [&str; 2] = ["sh", "tests/check/least-worker.sh"];

fn contract_test(arguments: &[&str], command: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_contract-test"));
    program.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments);
    if !command.is_empty() {
        program.arg("--").args(command);
    }
    program.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// With UPDATE_GOLDEN set, the file is written anew.
fn assert_golden(name: &str, said: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, said).unwrap();
    }
    assert_eq!(said, fs::read_to_string(&path).unwrap(), "{name}");
}

#[test]
fn a_worker_is_told_what_it_does_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let save = folder.path().to_str().unwrap();
    let output = contract_test(&["--save", save, "HELLO/versions", "HELLO/cookie", "BEAT/idle"], &LEAST);
    assert_golden("least-worker.txt", &text(&output.stdout).replace(save, "FOLDER"));
    assert_eq!(output.status.code(), Some(100));

    let case = folder.path().join("HELLO_cookie.stdio");
    let frames = fs::read_to_string(case.join("frames.jsonl")).unwrap();
    let frames: Vec<Value> = frames.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(frames[1]["from_worker"]["hello"]["protocol_max"], 1);
    assert!(frames[1]["at_ms"].as_f64().unwrap() > 0.0);
    let bytes = fs::read(case.join("from_worker.bin")).unwrap();
    assert_eq!(&bytes[..6], b"\0\0\0\x24\x81\xa5");
    assert_eq!(fs::read_to_string(case.join("stderr.txt")).unwrap(), "a line of the log\n");
    assert!(!folder.path().join("HELLO_versions.stdio").exists());
}

#[test]
fn exit_codes_tell_what_happened() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, lines: &str| {
        let path = folder.path().join(name);
        fs::write(&path, lines).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let cookie = file("cookie", "HELLO/cookie   # it has none\n");
    let versions = file("versions", "HELLO/versions\n");
    let wrong = file("wrong", "HELLO/nothing\n");
    let refuses = ["sh", "-c", "echo neither of them >&2; exit 78"];
    let table: [(&[&str], &[&str], i32, &str); 13] = [
        (&["HELLO/versions"], &LEAST, 0, ""),
        (&["HELLO/cookie"], &LEAST, 100, ""),
        (&["--expected-failures", &cookie, "HELLO/cookie"], &LEAST, 0, ""),
        (&["--expected-failures", &versions, "HELLO/versions"], &LEAST, 100, ""),
        (&["--expected-failures", &wrong], &LEAST, 3, "no case is named \"HELLO/nothing\""),
        (&["--expected-failures", "no-such-file"], &LEAST, 3, "no-such-file"),
        (&["HELLO/nothing"], &LEAST, 2, "no case is named \"HELLO/nothing\""),
        (&["--jobs", "0"], &LEAST, 2, "0"),
        (&[], &[], 2, "what is to be tested?"),
        (&["HELLO"], &["no-such-program"], 3, "cannot start no-such-program"),
        (&["--channel", "fd3", "HELLO"], &["no-such-program"], 3, "cannot start no-such-program"),
        (&["HELLO"], &refuses, 3, "neither of them"),
        (&["--channel", "fd3", "HELLO"], &LEAST, 3, "this worker speaks over stdio only"),
    ];
    for (arguments, command, code, said) in table {
        let output = contract_test(arguments, command);
        assert_eq!(output.status.code(), Some(code), "{arguments:?} {command:?}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains(said), "{arguments:?}: {}", text(&output.stderr));
    }
}

#[test]
fn a_program_that_says_nothing_is_no_worker_whatever_it_is_asked_for() {
    for asked in ["HELLO", "HELLO/cookie"] {
        let output = contract_test(&["--channel", "stdio", "--timeout-scale", "0.1", asked], &["true"]);
        let said = text(&output.stdout);
        assert_eq!(output.status.code(), Some(100), "{said}");
        assert!(said.contains("stdio   the worker says no hello"), "{said}");
        assert!(said.contains("seen      the end of the channel, exit code 0"), "{said}");
        assert!(said.contains("skipped: the worker says no hello: see HELLO/first"), "{said}");
    }
}

#[test]
fn a_handler_that_is_missing_is_told_once() {
    let lacks_blob = [env!("CARGO_BIN_EXE_wrong-worker"), "lacks-a-handler"];
    let output = contract_test(&["--channel", "stdio", "HELLO/kinds", "TASK/echo-text", "TASK/blob"], &lacks_blob);
    let said = text(&output.stdout);
    assert!(said.contains("skipped: the worker has no handler `blob`: see HELLO/kinds"), "{said}");
    assert!(said.contains("stdio  1 passed, 1 failed, 1 skipped"), "{said}");
    assert_eq!(output.status.code(), Some(100), "{said}");

    let alone = contract_test(&["--channel", "stdio", "TASK/blob"], &lacks_blob);
    assert_eq!(alone.status.code(), Some(100), "nothing else fails for it here");
}

#[test]
fn all_formats_tell_the_same() {
    let tell = |format: &str| {
        let arguments = ["--format", format, "--channel", "stdio", "HELLO/versions", "HELLO/cookie", "BEAT/idle"];
        text(&contract_test(&arguments, &LEAST).stdout)
    };
    let report: Value = serde_json::from_str(&tell("json")).unwrap();
    let outcomes: Vec<_> = report["cases"].as_array().unwrap().iter().map(|case| &case["outcome"]).collect();
    assert_eq!(outcomes, ["failed", "passed", "skipped"]);
    assert_eq!(report["counts"]["failed"], 1);
    assert_eq!(report["passed"], false);
    let xml = tell("junit");
    assert!(xml.contains("tests=\"3\" failures=\"1\" skipped=\"1\""), "{xml}");
}

#[test]
fn cases_are_listed_and_nothing_is_started() {
    let output = contract_test(&["--list", "HELLO/cookie"], &["no-such-program"]);
    assert_eq!(text(&output.stdout), "HELLO/cookie  1.1  `hello` carries the value of MUTIRAO_COOKIE\n");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn no_process_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    let worker = format!("trap '' TERM; sleep 1000 & echo $! >>{}; . tests/check/least-worker.sh", pids.display());
    let output = contract_test(&["--channel", "stdio", "HELLO/versions", "HELLO/cookie"], &["sh", "-c", &worker]);
    assert_eq!(output.status.code(), Some(100));
    let pids = fs::read_to_string(pids).unwrap();
    // Two to look at the worker, one for each case.
    assert_eq!(pids.lines().count(), 4);
    for pid in pids.lines() {
        assert_is_gone(pid.parse().unwrap());
    }
}

#[test]
fn an_interrupted_check_takes_its_workers_along() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("started");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let worker = format!("trap '' TERM HUP INT; echo $$ >{}; while true; do sleep 1000; done", fifo.display());
    let mut program = Command::new(env!("CARGO_BIN_EXE_contract-test"));
    let mut check = program.args(["--channel", "stdio", "HELLO", "--", "sh", "-c", &worker]).spawn().unwrap();
    // The reading end waits until the worker has said its number.
    let pid: i32 = fs::read_to_string(&fifo).unwrap().trim().parse().unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_child(&check), rustix::process::Signal::INT).unwrap();
    assert_eq!(check.wait().unwrap().code(), Some(130));
    assert_is_gone(pid);
}

/// Waits for the end of a process that has been killed.
fn assert_is_gone(pid: i32) {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    let Ok(pidfd) = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) else { return };
    let timeout = Timespec::try_from(Duration::from_secs(60)).unwrap();
    assert_eq!(poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&timeout)), Ok(1), "{pid:?} lives");
}

/// One of each.
fn report() -> Report {
    let failing = || Failing {
        failure: Failure::new(r#"{"done":{"task":1}}"#, r#"{"fail":{"task":1,"error":"<no> & \"no\""}}"#),
        stderr: vec!["first line".to_owned(), "last line".to_owned()],
        saved: "FOLDER/TASK_one.stdio".to_owned(),
        alone: "contract-test --channel stdio TASK/one -- python3 'my worker.py'".to_owned(),
    };
    let case = |name: &str, was_played_again: bool, outcome: Outcome| CaseReport {
        name: name.to_owned(),
        channel: Channel::Stdio,
        section: "4.3".to_owned(),
        rule: "runs are started in the order in which they came".to_owned(),
        duration: Duration::from_millis(1_234),
        was_played_again,
        outcome,
    };
    let silent = Failing { stderr: Vec::new(), ..failing() };
    Report {
        command: vec!["python3".to_owned(), "my worker.py".to_owned()],
        channels: vec![
            ChannelReport {
                channel: Channel::Stdio,
                spoken: Spoken::Yes {
                    sdk: "example/0.1.0".to_owned(),
                    concurrency: 1,
                    features: vec!["beat".to_owned(), "note".to_owned()],
                    kinds: 12,
                    variables: Vec::new(),
                },
            },
            ChannelReport {
                channel: Channel::Fd3,
                spoken: Spoken::No { reason: "over stdin & stdout only".to_owned() },
            },
        ],
        cases: vec![
            case("TASK/passes", false, Outcome::Passed),
            case("TASK/one", false, Outcome::Failed(failing())),
            case("TASK/two", true, Outcome::Failed(silent)),
            case("BEAT/skipped", false, Outcome::Skipped("the worker does not name the feature `beat`".to_owned())),
            case("TASK/known", false, Outcome::ExpectedFailure(failing())),
            case("TASK/mended", true, Outcome::UnexpectedPass),
        ],
    }
}

#[test]
fn reports_are_printed_as_in_the_golden_files() {
    let report = report();
    for (name, has_colors) in [("report.txt", false), ("report-in-colours.txt", true)] {
        let painter = Painter { has_colors };
        let cases: String = report.cases.iter().map(|case| case_line(case, painter)).collect();
        let heading = channel_lines(&report.command, &report.channels);
        assert_golden(name, &format!("{heading}{cases}{}", summary(&report, painter)));
    }
    assert_golden("report.json", &format!("{:#}\n", json(&report)));
    assert_golden("report.xml", &junit(&report));
}

/// Cases are embedded: none may be lost between the folders and the program.
#[test]
fn each_transcript_of_a_worker_is_a_case() {
    let names: Vec<String> = ipc_contract::check::all_cases().iter().map(|case| case.name.to_string()).collect();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("spec/v1/transcripts");
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let transcript: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let is_for_workers = transcript["players"].as_array().unwrap().iter().any(|player| player == "worker");
        let name = format!("TALK/{}", path.file_stem().unwrap().to_str().unwrap());
        assert_eq!(names.contains(&name), is_for_workers, "{name}");
    }
}
