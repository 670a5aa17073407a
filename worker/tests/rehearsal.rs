//! The test helper, as an author of handlers uses it.
#![allow(clippy::unwrap_used)]

use ipc_contract::{Level, Retry};
use serde::Deserialize;
use serde_json::json;
use worker::testing::{Progress, Setup, run, run_with};
use worker::{Context, Failure, Worker, task};

#[derive(Deserialize)]
struct Resize {
    #[serde(default)]
    files: Vec<String>,
}

fn resize(context: &Context, args: Resize) -> Result<usize, Failure> {
    for (done, file) in args.files.iter().enumerate() {
        if let Some(reason) = context.stop_reason() {
            return Err(Failure::new(format!("stopped after {done} ({reason:?})")));
        }
        if file.is_empty() {
            return Err(Failure::new("a file without a name").never());
        }
        context.spend("pixels", 100)?;
        context.enqueue(task("thumb", file)?);
        context.progress(done as f64 + 1.0, Some(args.files.len() as f64), None);
    }
    context.log(Level::Debug, &format!("attempt {} of {}", context.attempt(), context.kind()));
    if context.attempt() > 1 {
        context.retire();
    }
    Ok(args.files.len())
}

fn worker() -> Worker {
    Worker::new().task("resize", resize)
}

#[test]
fn everything_that_a_run_tells_is_there() {
    let outcome = run(&worker(), "resize", &json!({"files": ["a", "b"]}));
    assert_eq!(outcome.read::<usize>().unwrap(), Some(2));
    let half = Progress { done: Some(1.0), total: Some(2.0), message: None };
    assert_eq!((outcome.progress.len(), &outcome.progress[0]), (2, &half));
    assert_eq!(outcome.spent["pixels"], 200);
    assert_eq!(outcome.logs, [(Level::Debug, "attempt 1 of resize".to_owned())]);
    assert_eq!(outcome.enqueued.iter().map(|task| task.kind.as_str()).collect::<Vec<_>>(), ["thumb"; 2]);
    assert!(!outcome.retired);
    let again = run_with(&worker(), "resize", &json!({}), Setup { attempt: 2, ..Setup::default() });
    assert_eq!((again.logs[0].1.as_str(), again.retired), ("attempt 2 of resize", true));
}

#[test]
fn a_run_is_stopped_where_the_test_says() {
    for (after, told) in [(0, "stopped after 0 (Cancel)"), (2, "stopped after 2 (Cancel)")] {
        let setup = Setup { stop_after_progress: Some(after), ..Setup::default() };
        let outcome = run_with(&worker(), "resize", &json!({"files": ["a", "b", "c"]}), setup);
        assert_eq!((outcome.failure().unwrap().error(), outcome.progress.len()), (told, after as usize));
        assert!(outcome.enqueued.is_empty(), "a run that failed has none");
    }
}

#[test]
fn failures_are_those_of_real_life() {
    let twice = || worker().task("resize", resize);
    let table = [
        (worker(), "resize", json!({"files": [""]}), "a file without a name", Retry::Never),
        (worker(), "resize", json!({"files": 7}), "the args do not fit the handler of `resize`", Retry::Never),
        (worker(), "paint", json!({}), "this worker has no handler for the kind `paint`", Retry::Never),
        (twice(), "resize", json!({}), "the kind `resize` has two handlers", Retry::Default),
    ];
    for (worker, kind, args, told, retry) in table {
        let outcome = run(&worker, kind, &args);
        let failure = outcome.failure().unwrap();
        assert!(failure.error().starts_with(told), "{}", failure.error());
        assert_eq!(failure.retry(), retry);
    }
}
