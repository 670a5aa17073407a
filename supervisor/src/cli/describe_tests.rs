//! Tasks and the words that a person reads.

use super::*;

fn task(file: &str) -> Task {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http/golden").join(file);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn a_task_that_failed() {
    let expected = "\
task 42: resize in queue images, priority high (-10), key user:7, named resize:/a.png
  failed: it took its last allowed worker or command down
  created 2026-11-23T12:34:56.000Z, finished 2026-11-23T12:34:59.500Z; waited 1 ms, last run 0.3 s; a run may take 1m
  spent 0 of 2 attempts (errors, timeouts) and 3 of 3 crashes, in 3 runs
  progress: 62 % (2.5 of 4): half\\u{7} way; said at 2026-11-23T12:34:59.400Z by attempt 4
  spent: 1200 token, 35 usd.micro
  its start costs 500 tokens
  budget: 2 of 3 usd
  args: {\"path\":\"/a.png\",\"width\":640}
  attempt 4: died by signal 11 (SIGSEGV) after 0.3 s, worker 7 (pid 4242), peak 12 MiB
    the worker died
    the last of its output:
      | \\u{1b}[31mresizing\\u{1b}[0m
      | \u{fffd}";
    assert_eq!(describe(&task("failed.json")), expected);
}

#[test]
fn a_task_that_completed() {
    let text = describe(&task("completed.json"));
    assert!(text.contains("\n  completed\n"), "{text}");
    assert!(text.ends_with("  result (only its last part): {\"ratio\":0.5,\"size_bytes\":17}"), "{text}");
}

#[test]
fn progress_and_priority_in_words() {
    let progress = |done, total, message: Option<&str>| {
        progress_of(&Progress { done, total, message: message.map(str::to_owned), at: String::new(), run: 1 })
    };
    assert_eq!(progress(Some(1.0), Some(3.0), None), "33 % (1 of 3)");
    assert_eq!(progress(Some(2.5), None, Some("pages")), "2.5 done: pages");
    assert_eq!(progress(None, Some(9.0), None), "of 9");
    assert_eq!(progress(None, None, Some("warming up")), "warming up");
    assert_eq!((priority_of(-100).as_str(), priority_of(7).as_str()), ("critical (-100)", "7"));
}

#[test]
fn every_outcome_has_its_sentence() {
    for outcome in queue_core::task::Outcome::ALL {
        let task = task("failed.json");
        let attempt = Attempt { outcome: outcome.name().to_owned(), ..task.attempts[0].clone() };
        let text = ending_of(&attempt, &task);
        let bare = ["cancelled"].contains(&outcome.name());
        assert_eq!(text == outcome.name(), bare, "{text}");
    }
}

#[test]
fn durations_and_sizes_are_short() {
    let table = [(0, "0 ms"), (99, "99 ms"), (300, "0.3 s"), (59_999, "59.9 s"), (90_500, "1m 30s"), (7_200_000, "2h")];
    for (ms, text) in table {
        assert_eq!(duration(ms), text);
    }
    assert_eq!((size(4096).as_str(), size(12_582_912).as_str()), ("4 KiB", "12 MiB"));
}
