//! Whole conversations with a worker in this process, over a pair of sockets.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use common::{COOKIE, Played, play, run_of, welcome};
use ipc_contract::{FromWorker, Level, Payload, Reject, Retry, RunRef, StopReason, ToWorker, Welcome, limits};
use serde::Deserialize;
use worker::samples::samples;
use worker::{Context, Ended, Failure, Worker};

/// Openings of the gate that wait to be seen.
const GATE_SIGNALS_MAX: usize = 16;

/// `echo` and `fail` of the samples, `wait` (until told to stop), and `gate` (until the test opens it).
fn gated() -> (Worker, SyncSender<()>) {
    let (open, gate): (SyncSender<()>, Receiver<()>) = sync_channel(GATE_SIGNALS_MAX);
    let gate = Mutex::new(gate);
    let worker = samples()
        .task("wait", |context: &Context, (): ()| -> Result<(), Failure> {
            context.log(Level::Info, "started");
            let reason = context.wait_stop(Duration::MAX);
            Err(Failure::new(format!("{reason:?}")))
        })
        .task("gate", move |context: &Context, (): ()| -> Result<(), Failure> {
            context.log(Level::Info, "started");
            Ok(gate.lock().unwrap().recv()?)
        });
    (worker, open)
}

fn played(concurrency: u32) -> Played {
    play(gated().0.concurrency(concurrency))
}

fn dismiss(mut played: Played) {
    played.peer.stop();
    played.peer.bye();
    assert_eq!(played.ended(), Ended::Drained);
}

#[test]
fn the_handshake_tells_who_the_worker_is() {
    let mut played = played(3);
    let hello = played.peer.greet();
    assert_eq!((hello.protocol_min, hello.protocol_max, hello.concurrency), (1, 1, 3));
    assert_eq!((hello.cookie.as_str(), hello.sdk.as_str()), (COOKIE, worker::SDK));
    assert_eq!(
        hello.kinds,
        "blob busy context crash echo enqueue fail gate log noop print progress raise retire sleep spend stubborn \
         text_stats wait"
            .split_whitespace()
            .collect::<Vec<_>>()
    );
    assert_eq!(hello.features, ["beat", "note", "enqueue"]);
    dismiss(played);
}

#[test]
fn echo_returns_any_args_as_they_are() {
    let mut played = played(1);
    played.peer.greet();
    for (task, args) in
        [Payload(vec![]), Payload(vec![0xc0]), Payload::of(&("a", [1_u8], -5)).unwrap()].into_iter().enumerate()
    {
        let task = task as u64;
        let run = ipc_contract::Run { args: args.clone(), ..run_of(task, "echo", &()) };
        played.peer.send(ToWorker::Run(run));
        let done = played.peer.done();
        assert_eq!((done.task, done.epoch, done.cut, done.result), (task, 1, false, args));
    }
    dismiss(played);
}

#[test]
fn runs_start_in_their_order_and_are_answered_when_they_end() {
    let (open, gate) = (0..3).map(|_| sync_channel::<()>(1)).unzip::<_, _, Vec<_>, Vec<_>>();
    let gates = gate.into_iter().map(Mutex::new).collect::<Vec<_>>();
    let (tell, started) = sync_channel(GATE_SIGNALS_MAX);
    let worker =
        Worker::new().concurrency(3).task("gate", move |context: &Context, at: usize| -> Result<(), Failure> {
            tell.send(context.task())?;
            Ok(gates[at].lock().unwrap().recv()?)
        });
    let mut played = play(worker);
    assert_eq!(played.peer.greet().concurrency, 3);
    for (at, task) in [5, 3, 4].into_iter().enumerate() {
        played.peer.run(task, "gate", &at);
        assert_eq!(started.recv().unwrap(), task, "each runs while the others do");
    }
    for (at, task) in [(1, 3), (2, 4), (0, 5)] {
        open[at].send(()).unwrap();
        assert_eq!(played.peer.done().task, task);
    }
    dismiss(played);
}

#[test]
fn a_handler_knows_its_run() {
    let worker = Worker::new().task("facts", |context: &Context, (): ()| -> Result<_, Failure> {
        let limited = context.time_left().is_some_and(|left| left <= Duration::from_secs(3600));
        let facts = (context.task(), context.epoch(), context.attempt(), context.effect_key().to_owned());
        Ok((facts, context.kind().to_owned(), limited, context.stop_reason().is_none()))
    });
    let mut played = play(worker);
    played.peer.greet();
    let mut run = run_of(7, "facts", &());
    (run.epoch, run.attempt, run.time_left_ms) = (9, 2, Some(3_600_000));
    played.peer.send(ToWorker::Run(run));
    let facts: ((u64, u64, u32, String), String, bool, bool) = played.peer.done().result.read().unwrap();
    assert_eq!(facts, ((7, 9, 2, "key-7".to_owned()), "facts".to_owned(), true, true));
    let unlimited = ipc_contract::Run { time_left_ms: Some(u64::MAX), ..run_of(8, "facts", &()) };
    played.peer.send(ToWorker::Run(unlimited));
    assert_eq!(played.peer.done().task, 8);
    dismiss(played);
}

#[test]
fn a_failure_says_whether_to_retry() {
    let mut played = played(1);
    played.peer.greet();
    let table = [
        (serde_json::json!({}), "failed, as asked", Retry::Default),
        (serde_json::json!({"error": "x", "retry": "default"}), "x", Retry::Default),
        (serde_json::json!({"error": "x", "retry": "never"}), "x", Retry::Never),
        (serde_json::json!({"error": "x", "retry": {"after_ms": 250}}), "x", Retry::AfterMs(250)),
    ];
    for (task, (args, error, retry)) in table.into_iter().enumerate() {
        played.peer.run(task as u64, "fail", &args);
        let fail = played.peer.fail();
        assert_eq!((fail.task, fail.error.as_str(), fail.retry, fail.exit), (task as u64, error, retry, None));
    }
    dismiss(played);
}

#[test]
fn what_cannot_be_run_is_refused_with_a_sentence() {
    let mut played = played(1);
    played.peer.greet();
    let table = [
        ("sleep", serde_json::json!({"ms": "soon"}), "the args do not fit the handler of `sleep`", Retry::Never),
        ("sleep", serde_json::json!(null), "the args do not fit the handler of `sleep`", Retry::Never),
        (
            "dream",
            serde_json::json!({}),
            "this worker has no handler for the kind `dream`; it offers blob,",
            Retry::Never,
        ),
    ];
    for (kind, args, error, retry) in table {
        played.peer.run(1, kind, &args);
        let fail = played.peer.fail();
        assert!(fail.error.starts_with(error), "{}", fail.error);
        assert_eq!(fail.retry, retry);
    }
    let garbage = ipc_contract::Run { args: Payload(vec![0xc1]), ..run_of(1, "sleep", &()) };
    played.peer.send(ToWorker::Run(garbage));
    assert_eq!(played.peer.fail().retry, Retry::Never);
    dismiss(played);
}

#[test]
fn a_panic_is_a_failure_and_the_worker_goes_on() {
    #[derive(Deserialize)]
    enum How {
        Text,
        Format,
        Value,
    }
    let worker = Worker::new().task("panic", |_: &Context, how: How| -> Result<(), Failure> {
        match how {
            How::Text => panic!("plain"),
            How::Format => panic!("number {}", 7),
            How::Value => std::panic::panic_any(7),
        }
    });
    let mut played = play(worker);
    played.peer.greet();
    for (how, text) in [("Text", "plain"), ("Format", "number 7"), ("Value", "a value that is no text")] {
        played.peer.run(1, "panic", &how);
        let fail = played.peer.fail();
        assert_eq!((fail.error, fail.retry), (format!("the handler panicked: {text}"), Retry::Default));
    }
    dismiss(played);
}

#[test]
fn a_stop_reaches_the_run_it_names_and_no_other_and_a_recall_none_that_runs() {
    let mut played = played(2);
    played.peer.greet();
    for task in [1, 2] {
        played.peer.run(task, "wait", &());
        played.peer.started();
    }
    played.peer.stop_run(9, StopReason::Cancel, 0);
    played.peer.stop_run(1, StopReason::Recall, 0);
    played.peer.stop_run(2, StopReason::Budget, 0);
    assert_eq!(played.peer.fail().error, "Some(Budget)");
    played.peer.stop_run(1, StopReason::Cancel, 0);
    assert_eq!(played.peer.fail().error, "Some(Cancel)", "not the recall");
    played.peer.run(3, "echo", &());
    assert_eq!(played.peer.done().task, 3);
    dismiss(played);
}

#[test]
fn a_stopping_worker_finishes_what_runs() {
    let (worker, open) = gated();
    let mut played = play(worker.concurrency(2));
    played.peer.greet();
    for task in [1, 2] {
        played.peer.run(task, "gate", &());
        played.peer.started();
    }
    played.peer.stop();
    for _ in 0..2 {
        open.send(()).unwrap();
        played.peer.done();
    }
    played.peer.bye();
    assert_eq!(played.ended(), Ended::Drained);
}

#[test]
fn a_worker_stopped_before_it_is_ready_leaves() {
    let mut played = played(1);
    played.peer.receive();
    played.peer.send(welcome());
    played.peer.stop();
    loop {
        match played.peer.receive() {
            Some(FromWorker::Ready(_)) => {}
            Some(FromWorker::Bye(_)) => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(played.ended(), Ended::Drained);
}

#[test]
fn the_end_of_the_channel_without_a_stop_ends_the_worker_at_once() {
    let (worker, open) = gated();
    let (tell, told) = sync_channel(1);
    let worker = worker.concurrency(2).task("hear", move |context: &Context, (): ()| -> Result<(), Failure> {
        context.log(Level::Info, "started");
        Ok(tell.send(context.wait_stop(Duration::MAX))?)
    });
    let mut played = play(worker);
    played.peer.greet();
    for (task, kind) in [(1, "gate"), (2, "hear")] {
        played.peer.run(task, kind, &());
        played.peer.started();
    }
    played.close();
    let ended = played.ended();
    assert_eq!((&ended, ended.exit_code()), (&Ended::Abandoned, 1), "whatever still runs");
    assert_eq!(told.recv().unwrap(), Some(StopReason::Unknown), "a handler that listens is told");
    drop(open);
}

#[test]
fn a_channel_that_ends_after_the_stop_is_no_surprise() {
    let (worker, open) = gated();
    let mut played = play(worker);
    played.peer.greet();
    played.peer.run(1, "gate", &());
    played.peer.started();
    played.peer.stop();
    played.close();
    open.send(()).unwrap();
    assert_eq!(played.peer.done().task, 1);
    played.peer.bye();
    assert_eq!(played.ended(), Ended::Drained);
}

#[test]
fn a_supervisor_that_does_not_read_ends_the_worker() {
    let (worker, open) = gated();
    let mut played = play(worker);
    played.peer.greet();
    played.peer.run(1, "gate", &());
    played.peer.started();
    played.peer.stop();
    played.peer.writer.shutdown(std::net::Shutdown::Both).unwrap();
    open.send(()).unwrap();
    let ended = played.ended();
    assert!(matches!(&ended, Ended::Io(text) if text.starts_with("cannot write to the supervisor")), "{ended:?}");
    assert_eq!(ended.exit_code(), 74);
}

#[test]
fn a_refused_worker_ends_with_the_reason() {
    let mut played = played(1);
    played.peer.receive();
    played.peer.send(ToWorker::Reject(Reject { reason: "kind `sing` is missing".into() }));
    let ended = played.ended();
    assert_eq!(ended, Ended::Rejected("kind `sing` is missing".into()));
    assert_eq!(ended.exit_code(), 78);
}

#[test]
fn garbage_from_the_supervisor_ends_the_worker() {
    let frame = |body: &[u8]| [&(body.len() as u32).to_be_bytes(), body].concat();
    let table: &[(&str, Vec<u8>)] = &[
        ("text", b"Traceback (most recent call last)".to_vec()),
        ("an empty frame", vec![0; 4]),
        ("a frame over the limit", vec![0xff; 4]),
        ("no message", frame(&[0xc0])),
        ("an unknown message", frame(b"\x81\xa4sing\x80")),
        ("a message of the other side", frame(b"\x81\xa5ready\x80")),
        ("trailing bytes", frame(b"\x81\xa4stop\x80\xc0")),
        ("a second welcome", ipc_contract::encode(&welcome()).unwrap()),
        ("half a frame", vec![0, 0, 0, 9, 0x81]),
    ];
    for (what, bytes) in table {
        let mut played = played(1);
        played.peer.greet();
        played.peer.run(1, "wait", &());
        played.peer.started();
        played.peer.send_bytes(bytes);
        played.close();
        assert!(played.peer.receive().is_none(), "{what}: nothing is said into a broken conversation");
        let ended = played.ended();
        assert!(matches!(ended, Ended::Protocol(_)), "{what}: {ended:?}");
        assert_eq!(ended.exit_code(), 76);
    }
}

#[test]
fn a_protocol_that_was_not_offered_is_refused() {
    let mut played = played(1);
    played.peer.receive();
    played.peer.send(ToWorker::Welcome(Welcome { protocol: 2, ..Welcome::default() }));
    assert!(matches!(played.ended(), Ended::Protocol(text) if text.contains("protocol 2")));
}

#[test]
fn a_result_over_the_limit_is_a_failure_and_one_at_the_limit_is_whole_between_beats() {
    const TEXT_HEADER_BYTES: usize = 5;
    let worker = Worker::new()
        .task("long", |_: &Context, size_bytes: usize| -> Result<String, Failure> { Ok("x".repeat(size_bytes)) });
    let mut played = play(worker);
    played.peer.greet();
    let most_bytes = limits::RESULT_BYTES.default as usize - TEXT_HEADER_BYTES;
    played.peer.run(1, "long", &most_bytes);
    assert_eq!(played.peer.done().result.0.len(), limits::RESULT_BYTES.default as usize);
    played.peer.run(2, "long", &(most_bytes + 1));
    let fail = played.peer.fail();
    assert_eq!(fail.retry, Retry::Never);
    assert!(fail.error.contains("result has 1048577 bytes, the limit is 1048576"), "{}", fail.error);
    dismiss(played);
}

#[test]
fn what_a_handler_says_is_cut_to_a_frame_that_is_taken() {
    let worker = Worker::new().task("talk", |context: &Context, (): ()| -> Result<(), Failure> {
        context.log(Level::Warn, &"é".repeat(1 << 20));
        Err(Failure::new("é".repeat(20 << 20)))
    });
    let mut played = play(worker);
    played.peer.greet();
    played.peer.run(4, "talk", &());
    let Some(FromWorker::Log(log)) = played.peer.receive() else { panic!("no log") };
    assert_eq!((log.message.len(), log.level, log.run), (16 << 10, Level::Warn, Some(RunRef { task: 4, epoch: 1 })));
    assert_eq!(played.peer.fail().error.len(), 64 << 10);
    dismiss(played);
}

#[test]
fn beats_go_on_while_a_handler_is_busy() {
    let (worker, open) = gated();
    let mut played = play(worker);
    played.peer.greet();
    played.peer.run(1, "gate", &());
    played.peer.started();
    for _ in 0..3 {
        assert!(matches!(played.peer.receive_any(), Some(FromWorker::Beat(_))));
    }
    open.send(()).unwrap();
    assert_eq!(played.peer.done().task, 1);
    dismiss(played);
}

#[test]
fn a_worker_put_together_wrongly_is_refused() {
    let handler = |_: &Context, (): ()| -> Result<(), Failure> { Ok(()) };
    let error = |worker: Worker| worker.play(std::io::empty(), std::io::sink(), "").unwrap_err().to_string();
    let table = [
        (Worker::new().task("a", handler).task("a", handler), "the kind `a` has two handlers; remove one of them"),
        (Worker::new().task("No Name", handler).task("a", handler), "kind \"No Name\" is no name"),
        (Worker::new(), "the worker has no handlers"),
        (Worker::new().task("a", handler).concurrency(0), "concurrency is 0 runs, it must be 1 to 1024"),
        (Worker::new().task("a", handler).concurrency(1_025), "concurrency is 1025 runs"),
    ];
    for (worker, text) in table {
        let error = error(worker);
        assert!(error.starts_with(text), "{error}");
    }
}
