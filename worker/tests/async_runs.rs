//! Async handlers: many runs at once, the order to stop, receipts, panics; and the same in the test helper.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{Played, play};
use ipc_contract::{Retry, StopReason};
use serde_json::json;
use tokio::sync::Barrier;
use worker::testing::{self, Setup};
use worker::{Context, Ended, Failure, Worker};

fn dismiss(mut played: Played) {
    played.peer.stop();
    played.peer.bye();
    assert_eq!(played.ended(), Ended::Drained);
}

#[test]
fn async_runs_meet_while_a_sync_one_blocks() {
    const RUNS: usize = 8;
    let barrier = Arc::new(Barrier::new(RUNS));
    let worker = Worker::new()
        .concurrency(RUNS as u32 + 1)
        .task("wait", |context: &Context, (): ()| -> Result<(), Failure> {
            context.wait_stop(Duration::MAX);
            Err(Failure::new("stopped"))
        })
        .task_async("meet", move |_: Context, number: u64| {
            let barrier = Arc::clone(&barrier);
            async move {
                barrier.wait().await;
                Ok::<_, Failure>(number)
            }
        });
    let mut played = play(worker);
    played.peer.greet();
    played.peer.run(100, "wait", &());
    for task in 0..RUNS as u64 {
        played.peer.run(task, "meet", &task);
    }
    for _ in 0..RUNS {
        let done = played.peer.done();
        assert_eq!(done.result.read::<u64>().unwrap(), done.task);
    }
    played.peer.stop_run(100, StopReason::Cancel, 0);
    assert_eq!(played.peer.fail().task, 100);
    dismiss(played);
}

/// Waits to be stopped, for a receipt, or panics, as it is told.
async fn behave(context: Context, how: String) -> Result<String, Failure> {
    match how.as_str() {
        "stop" => {
            context.log(ipc_contract::Level::Info, "started");
            Ok(format!("{:?}", context.stopped().await))
        }
        "spend" => Ok(context.spend("tokens", 3)?.stored().await.to_string()),
        "early" => panic!("before the first await"),
        _ => {
            tokio::task::yield_now().await;
            panic!("after the first await")
        }
    }
}

#[test]
fn an_async_handler_is_stopped_paid_and_caught() {
    let mut played = play(Worker::new().task_async("behave", behave));
    played.peer.greet();
    let result = |played: &mut Played| played.peer.done().result.read::<String>().unwrap();
    played.peer.run(1, "behave", &"stop");
    played.peer.started();
    played.peer.stop_run(1, StopReason::Timeout, 0);
    assert_eq!(result(&mut played), "Timeout");
    played.peer.run(2, "behave", &"spend");
    let note = played.peer.note();
    played.peer.ack(&note);
    assert_eq!(result(&mut played), "true");
    for (task, how, place) in [(3, "early", "before"), (4, "late", "after")] {
        played.peer.run(task, "behave", &how);
        assert_eq!(played.peer.fail().error, format!("the handler panicked: {place} the first await"));
    }
    played.peer.run(5, "behave", &json!({"how": 7}));
    assert_eq!(played.peer.fail().retry, Retry::Never, "args that do not fit");
    dismiss(played);
}

#[test]
fn an_async_handler_that_does_not_stop_keeps_no_worker_whose_supervisor_is_gone() {
    let worker = Worker::new().task_async("hang", |context: Context, (): ()| async move {
        context.log(ipc_contract::Level::Info, "started");
        std::future::pending::<Result<(), Failure>>().await
    });
    let mut played = play(worker);
    played.peer.greet();
    played.peer.run(1, "hang", &());
    played.peer.started();
    played.close();
    assert_eq!(played.ended(), Ended::Abandoned);
}

#[test]
fn the_test_helper_runs_them_too() {
    let worker = Worker::new().task_async("behave", behave);
    assert_eq!(testing::run(&worker, "behave", &"spend").read::<String>().unwrap().as_deref(), Some("true"));
    let setup = Setup { stop_after_progress: Some(0), ..Setup::default() };
    let stopped = testing::run_with(&worker, "behave", &"stop", setup);
    assert_eq!(stopped.read::<String>().unwrap().as_deref(), Some("Cancel"));
    let panicked = testing::run(&worker, "behave", &"late");
    assert_eq!(panicked.failure().unwrap().error(), "the handler panicked: after the first await");
}
