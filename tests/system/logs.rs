//! What tasks print: kept, made safe, read as a whole and as it is written, and never too much of it.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use supervisor::cli::client::{Client, ClientError};
use supervisor::cli::log_stream::LogStream;
use supervisor::http::dto::LogLine;
use tests::harness::Sandbox;

const FLOOD_BYTES: u64 = 64 * 1024 * 1024;
/// Of one attempt, and the numbers and times that it is kept with.
const LOG_BYTES_MAX: usize = 2 * 1024 * 1024;
const TWICE: &str = "[kinds.command]\nmax_attempts = 2\nbackoff = { base = \"1ms\", cap = \"1ms\" }\n";

async fn next(lines: &mut LogStream) -> Option<(i64, String)> {
    lines.next().await.unwrap().map(|line| (line.run, line.text))
}

fn line(run: i64, text: &str) -> Option<(i64, String)> {
    Some((run, text.to_owned()))
}

fn said(sandbox: &Sandbox, args: &[&str]) -> Vec<LogLine> {
    let output = sandbox.cli(&[&["logs", "-o", "json"], args].concat()).ok();
    output.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_log_is_followed_through_two_attempts() {
    let sandbox = Sandbox::new(TWICE);
    let gate = sandbox.fifo("gate");
    let supervisor = sandbox.start();
    let id = sandbox.add(&["sh", "-c", "echo begun >&2; read go < gate; echo going on; read go < gate; exit 1"]);
    sandbox.converse(async |mut client: Client| {
        let mut all = client.log(id, None, true).await.unwrap();
        for run in [1, 2] {
            // Read while the run waits: it was not the end that brought it.
            assert_eq!(next(&mut all).await, line(run, "begun"));
            gate.open_gate();
            assert_eq!(next(&mut all).await, line(run, "going on"));
            gate.open_gate();
        }
        assert_eq!(next(&mut all).await, None, "the task is final");
        let mut first = client.log(id, Some(1), true).await.unwrap();
        assert_eq!(next(&mut first).await, line(1, "begun"));
        assert_eq!(next(&mut first).await, line(1, "going on"));
        assert_eq!(next(&mut first).await, None, "the run has ended");
    });
    let texts: Vec<String> =
        said(&sandbox, &["1"]).into_iter().map(|line| format!("{} {}", line.run, line.text)).collect();
    assert_eq!(texts, ["2 begun", "2 going on"], "without an attempt, the last");
    sandbox.cli(&["logs", "1", "-f"]).ok().says(" begun\n");
    sandbox.cli(&["logs", "1", "--attempt", "3"]).exits(4).complains("its attempts are 1 to 2");
    sandbox.cli(&["logs", "9"]).exits(4).complains("there is no task 9");
    sandbox.finish(supervisor);
}

#[test]
fn one_run_is_followed_to_its_end_and_not_further() {
    let sandbox = Sandbox::new(TWICE);
    let gate = sandbox.fifo("gate");
    let supervisor = sandbox.start();
    let id = sandbox.add(&["sh", "-c", "echo begun; read go < gate; exit 1"]);
    sandbox.converse(async |mut client: Client| {
        let mut all = client.log(id, None, true).await.unwrap();
        assert_eq!(next(&mut all).await, line(1, "begun"));
        let mut second = Client::connect(&sandbox.db()).await.unwrap();
        let mut first = second.log(id, Some(1), true).await.unwrap();
        assert_eq!(next(&mut first).await, line(1, "begun"));
        gate.open_gate();
        assert_eq!(next(&mut first).await, None, "though the task goes on");
        assert_eq!(next(&mut all).await, line(2, "begun"));
        gate.open_gate();
        assert_eq!(next(&mut all).await, None);
    });
    sandbox.finish(supervisor);
}

#[test]
fn foreign_bytes_are_made_safe_and_both_streams_are_kept() {
    let sandbox = Sandbox::new("");
    let supervisor = sandbox.start();
    let script = r"printf 'a\033[31mred\007\377\n' >&2; printf '10%%\r20%%\r\nunfinished'";
    let id = sandbox.add(&["sh", "-c", script]).to_string();
    assert_eq!(sandbox.settled(1).summary.state, "completed");
    let check = || {
        let lines = said(&sandbox, &[&id]);
        let mut texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        texts.sort_unstable();
        assert_eq!(texts, ["10%", "20%", "a\\u{1b}[31mred\\u{7}\u{fffd}", "unfinished"]);
        assert!(lines.iter().all(|line| line.source == "output" && line.level.is_none() && line.at.ends_with('Z')));
        let plain = sandbox.cli(&["logs", &id]).ok().stdout;
        let red = plain.lines().find(|line| line.contains("red")).unwrap();
        assert!(
            red.len() > 13 && &red[2..3] == ":" && &red[12..13] == " " && red[13..].starts_with("a\\u{1b}"),
            "{red}"
        );
    };
    check();
    sandbox.finish(supervisor);
    // The same from the file, which nobody can follow.
    check();
    sandbox.cli(&["logs", &id, "--attempt", "2"]).exits(4).complains("its only attempt is 1");
    sandbox.cli(&["logs", &id, "-f"]).exits(5).complains("leave -f out");
}

#[test]
fn a_task_that_printed_nothing_says_so() {
    let sandbox = Sandbox::new("");
    let waiting = sandbox.enqueue(&["command", "--args", "{\"argv\": [\"true\"]}", "--in", "1h"]).to_string();
    let supervisor = sandbox.start();
    sandbox.cli(&["logs", &waiting]).ok().complains("there is nothing in it");
    sandbox.cli(&["logs", &waiting, "--attempt", "1"]).exits(4).complains("it has not run yet");
    let silent = sandbox.add(&["true"]).to_string();
    sandbox.cli(&["logs", "-f", &silent]).ok().complains("it printed nothing");
    sandbox.finish(supervisor);
}

#[test]
fn a_flood_stays_within_bounds_and_slows_nobody() {
    let sandbox = Sandbox::new("[pools.commands]\nstock = true\nworkers = 2\n");
    let (flooded, gate) = (sandbox.fifo("flooded"), sandbox.fifo("gate"));
    let supervisor = sandbox.start();
    let script = format!(
        // All on one stream: between two no order is promised, and the end of one could stand before the rest of the other.
        "echo first >&2; yes 'a line of a flood' | head -c {FLOOD_BYTES} >&2; \
         echo > flooded; yes >&2 & read go < gate; kill $!; wait $!; echo last >&2"
    );
    let flood = sandbox.add(&["sh", "-c", &script]);
    sandbox.converse(async |mut client: Client| {
        // Somebody follows and reads nothing but the first line.
        let mut slow = client.log(flood, None, true).await.unwrap();
        assert_eq!(next(&mut slow).await, line(1, "first"));
        assert_eq!(flooded.line(), "");
        let other = sandbox.add(&["echo", "unaffected"]);
        assert_eq!(json!(sandbox.settled(other).result), json!("unaffected\n"), "while the flood goes on");
        let running = Client::connect(&sandbox.db()).await.unwrap().task(flood, Duration::ZERO).await.unwrap();
        assert_eq!(running.summary.state, "running");
        gate.open_gate();
        sandbox.settled(flood);
        // What was missed meanwhile is said, and the end is there.
        let (mut missed, mut last) = (false, String::new());
        while let Some(line) = slow.next().await.unwrap() {
            missed |= line.source == "supervisor" && line.text.contains("left out");
            last = line.text;
        }
        assert_eq!((missed, last.as_str()), (true, "last"));
    });
    let lines = said(&sandbox, &[&flood.to_string()]);
    assert_eq!((lines[0].text.as_str(), lines.last().unwrap().text.as_str()), ("first", "last"));
    let gaps =
        lines.iter().filter(|line| line.source == "supervisor" && line.text.ends_with("bytes are left out here"));
    assert_eq!(gaps.count(), 1);
    let size_bytes: usize = lines.iter().map(|line| line.text.len()).sum();
    assert!(size_bytes < LOG_BYTES_MAX, "{size_bytes}");
    let peak_bytes = supervisor.peak_rss_bytes();
    assert!(peak_bytes < FLOOD_BYTES, "the supervisor took {peak_bytes} bytes");
    sandbox.finish(supervisor);
}

#[test]
fn streams_are_limited_and_end_with_their_client_or_the_door() {
    const STREAMS_MAX: usize = 64;
    let sandbox = Sandbox::new("");
    let supervisor = sandbox.start();
    let id = sandbox.enqueue(&["command", "--args", "{\"argv\": [\"true\"]}", "--in", "1h"]);
    sandbox.converse(async |mut client: Client| {
        let mut streams = Vec::new();
        for _ in 0..STREAMS_MAX {
            let mut client = Client::connect(&sandbox.db()).await.unwrap();
            let stream = client.log(id, None, true).await.unwrap();
            streams.push((client, stream));
        }
        let Err(ClientError::Refused(refusal)) = client.log(id, None, true).await else { panic!("one too many") };
        assert_eq!((refusal.status.as_u16(), refusal.body.code.as_str()), (429, "too_many_streams"));
        drop(streams.pop());
        // The supervisor finds out that the client is gone; nothing tells when.
        let mut last = loop {
            match client.log(id, None, true).await {
                Ok(stream) => break stream,
                Err(ClientError::Refused(refusal)) => assert_eq!(refusal.status.as_u16(), 429),
                Err(error) => panic!("{error}"),
            }
        };
        drop(streams);
        sandbox.examine();
        supervisor.signal(Signal::SIGTERM);
        let ended = last.next().await;
        assert!(
            matches!(ended, Err(ClientError::Broken(_))),
            "a log that is broken off does not look whole: {ended:?}"
        );
    });
    let mut supervisor = supervisor;
    assert!(supervisor.wait().success());
    sandbox.finish(sandbox.start());
}

#[test]
fn every_method_is_answered_sanely() {
    let sandbox = Sandbox::new("");
    let supervisor = sandbox.start();
    sandbox.settled(sandbox.add(&["echo", "hi"]));
    let table = [
        ("HEAD", "/v1/stats", "200", None),
        ("HEAD", "/v1/tasks/1/logs", "200", None),
        ("HEAD", "/v1/tasks/9/logs", "404", None),
        ("OPTIONS", "/v1/tasks", "405", Some("GET,HEAD,POST")),
        ("PUT", "/v1/tasks/bulk", "405", Some("POST")),
        ("GET", "/v1/tasks/1/retry", "405", Some("POST")),
        ("POST", "/v1/tasks/1/logs", "405", Some("GET,HEAD")),
    ];
    for (method, path, status, allowed) in table {
        let mut stream = UnixStream::connect(sandbox.path("queue.db.sock")).unwrap();
        write!(stream, "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert_eq!(head.split(' ').nth(1), Some(status), "{method} {path}: {head}");
        let allow = head.lines().find_map(|line| line.strip_prefix("allow: "));
        assert_eq!(allow, allowed, "{method} {path}: {head}");
        match method {
            "HEAD" => assert_eq!(body, "", "{path}"),
            _ => assert_eq!(serde_json::from_str::<Value>(body).unwrap()["code"], "wrong_method", "{method} {path}"),
        }
    }
    sandbox.finish(supervisor);
}
