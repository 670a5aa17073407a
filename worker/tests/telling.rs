//! What a run tells while it goes on, as the supervisor hears it: notes, spend and its acks, follow-ups, the wish to leave.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use common::{Played, play, welcome_with};
use ipc_contract::{Booting, FromWorker, Level, Log, Payload, Retry, StopReason, ToWorker};
use serde_json::json;
use worker::samples::samples;
use worker::{Context, Ended, Failure, TaskSpec, Worker, task};

fn dismiss(mut played: Played) {
    played.peer.stop();
    played.peer.bye();
    assert_eq!(played.ended(), Ended::Drained);
}

/// A worker with one kind, `tell`.
fn telling(handler: impl Fn(&Context) -> Result<(), Failure> + Send + Sync + 'static) -> Worker {
    Worker::new().task("tell", move |context: &Context, (): ()| handler(context))
}

#[test]
fn the_first_and_the_last_word_are_heard_before_the_answer() {
    let worker = telling(|context| {
        for percent in 0..=100 {
            context.progress(f64::from(percent), Some(100.0), (percent == 0).then_some("going"));
        }
        context.note("almost");
        context.note("there");
        Ok(())
    });
    let mut played = play(worker);
    played.peer.greet();
    played.peer.run(1, "tell", &());
    let first = played.peer.note();
    assert_eq!((first.done, first.total, first.message.as_deref()), (Some(0.0), Some(100.0), Some("going")));
    let mut last = first;
    loop {
        match played.peer.receive() {
            Some(FromWorker::Note(note)) => last = note,
            Some(FromWorker::Done(_)) => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((last.done, last.message.as_deref(), last.seq), (Some(100.0), Some("there"), 0));
    dismiss(played);
}

#[test]
fn a_note_that_waits_leaves_while_the_handler_is_busy() {
    let (open, gate) = sync_channel::<()>(1);
    let gate = Mutex::new(gate);
    let worker = telling(move |context| {
        context.note("one");
        context.note("two");
        Ok(gate.lock().unwrap().recv()?)
    });
    let mut played = play(worker);
    played.peer.greet();
    played.peer.run(1, "tell", &());
    assert_eq!([played.peer.note(), played.peer.note()].map(|note| note.message.unwrap()), ["one", "two"]);
    open.send(()).unwrap();
    played.peer.done();
    dismiss(played);
}

#[test]
fn spend_is_told_one_note_at_a_time_and_the_answer_waits_for_all() {
    let worker = telling(|context| {
        let first = context.spend("tokens", 5)?;
        context.log(Level::Info, "started");
        if !first.wait(Duration::MAX) || context.spend("My Unit", 1).is_ok() {
            return Err(Failure::new("not so"));
        }
        for amount in 1..=3 {
            context.spend("tokens", amount)?;
        }
        Ok(())
    });
    let mut played = play(worker);
    played.peer.greet();
    played.peer.run(1, "tell", &());
    let spent = |tokens: u64| BTreeMap::from([("tokens".to_owned(), tokens)]);
    let first = played.peer.note();
    assert_eq!((first.seq, &first.spend), (1, &spent(5)));
    played.peer.started();
    played.peer.ack(&first);
    let second = played.peer.note();
    assert_eq!((second.seq, &second.spend), (2, &spent(1)));
    played.peer.ack(&second);
    // Two and three were spent before the ack had come: the session refuses a note that did not wait for it.
    let mut left = 2 + 3;
    while left > 0 {
        let note = played.peer.note();
        left -= note.spend["tokens"];
        played.peer.ack(&note);
    }
    played.peer.done();
    dismiss(played);
}

#[test]
fn without_the_feature_nothing_is_told_and_nothing_is_waited_for() {
    let worker = telling(|context| {
        context.progress(1.0, None, None);
        let stored = context.spend("tokens", 5)?.wait(Duration::MAX);
        if stored { Err(Failure::new("who stored it?")) } else { Ok(()) }
    });
    let mut played = play(worker);
    played.peer.receive();
    played.peer.send(welcome_with(&["beat"]));
    played.peer.receive();
    played.peer.run(1, "tell", &());
    played.peer.done();
    dismiss(played);
}

#[test]
fn receipts_end_with_the_supervisor() {
    let (tell, told) = sync_channel(1);
    let worker = telling(move |context| {
        let receipt = context.spend("tokens", 5)?;
        Ok(tell.send((receipt.wait(Duration::MAX), context.stop_reason()))?)
    });
    let mut played = play(worker);
    played.peer.greet();
    played.peer.run(1, "tell", &());
    played.peer.note();
    played.close();
    assert_eq!(played.ended(), Ended::Abandoned);
    assert_eq!(told.recv().unwrap(), (false, Some(StopReason::Unknown)));
}

#[test]
fn follow_ups_leave_with_a_result_and_with_nothing_else() {
    let worker = Worker::new().task("tell", |context: &Context, good: bool| {
        context.enqueue(task("next", &json!({"of": context.task()}))?);
        context.enqueue(TaskSpec { delay_ms: Some(50), name: Some("later".into()), ..task("next", &())? });
        if good { Ok(()) } else { Err(Failure::new("no")) }
    });
    let mut played = play(worker);
    played.peer.greet();
    played.peer.run(1, "tell", &true);
    let tasks = played.peer.done().enqueue;
    let first = TaskSpec { kind: "next".into(), args: Payload::of(&json!({"of": 1})).unwrap(), ..TaskSpec::default() };
    assert_eq!((tasks.len(), &tasks[0]), (2, &first));
    assert_eq!((tasks[1].delay_ms, tasks[1].name.as_deref()), (Some(50), Some("later")));
    played.peer.run(2, "tell", &false);
    assert_eq!((played.peer.fail().error.as_str()), "no");
    dismiss(played);
}

#[test]
fn follow_ups_that_cannot_be_taken_fail_the_run_for_good() {
    let worker = || {
        telling(|context| {
            context.enqueue(TaskSpec { kind: "No Name".into(), ..TaskSpec::default() });
            Ok(())
        })
        .task("plain", |context: &Context, (): ()| {
            context.enqueue(task("next", &())?);
            Ok::<_, Failure>(())
        })
    };
    for (features, kind, told) in [
        (&["enqueue"][..], "tell", "a follow-up task is refused: kind \"No Name\" is no name"),
        (&["note"], "plain", "this supervisor takes no follow-up tasks"),
    ] {
        let mut played = play(worker());
        played.peer.receive();
        played.peer.send(welcome_with(features));
        played.peer.receive();
        played.peer.run(1, kind, &());
        let fail = played.peer.fail();
        assert!(fail.error.starts_with(told), "{}", fail.error);
        assert_eq!(fail.retry, Retry::Never);
        dismiss(played);
    }
}

#[test]
fn a_worker_retires_after_the_run_that_asks_for_it() {
    let mut played = play(samples());
    played.peer.greet();
    played.peer.run(1, "retire", &json!({}));
    assert_eq!(played.peer.done().task, 1);
    played.peer.bye();
    assert_eq!(played.ended(), Ended::Drained);
}

#[test]
fn what_is_prepared_is_prepared_between_the_welcome_and_ready() {
    let worker = samples()
        .start(|start| {
            start.booting();
            start.log(Level::Warn, "first");
            Ok::<_, Failure>(())
        })
        .start(|start| {
            start.log(Level::Info, "second");
            Ok::<_, Failure>(())
        });
    let mut played = play(worker);
    played.peer.receive();
    played.peer.send(welcome_with(&[]));
    let log = |level, message: &str| FromWorker::Log(Log { run: None, level, message: message.into() });
    for expected in [FromWorker::Booting(Booting {}), log(Level::Warn, "first"), log(Level::Info, "second")] {
        assert_eq!(played.peer.receive(), Some(expected));
    }
    assert!(matches!(played.peer.receive(), Some(FromWorker::Ready(_))));
    dismiss(played);
}

#[test]
fn a_worker_that_cannot_prepare_itself_says_why() {
    let failing = samples().start(|_| Err(Failure::new("no disk")));
    let panicking = samples().start(|_| -> Result<(), Failure> { panic!("no luck") });
    for (worker, why) in [(failing, "no disk"), (panicking, "the preparation panicked: no luck")] {
        let mut played = play(worker);
        played.peer.receive();
        played.peer.send(welcome_with(&[]));
        let ended = played.ended();
        assert_eq!((&ended, ended.exit_code()), (&Ended::NotReady(why.into()), 70));
    }
}

#[test]
fn the_samples_tell_what_they_are_asked_to() {
    let mut played = play(samples());
    played.peer.greet();
    played.peer.run(1, "progress", &json!({"done": 1.5, "total": 3, "message": "half"}));
    let note = played.peer.note();
    assert_eq!((note.done, note.total, note.message.as_deref()), (Some(1.5), Some(3.0), Some("half")));
    played.peer.done();
    played.peer.run(2, "spend", &json!({"unit": "tokens", "amount": 7, "times": 2}));
    for seq in [1, 2] {
        let note = played.peer.note();
        assert_eq!((note.seq, note.spend["tokens"]), (seq, 7));
        played.peer.ack(&note);
    }
    assert_eq!(played.peer.done().result.read::<u32>().unwrap(), 2);
    played.peer.run(3, "log", &json!({"level": "warn", "message": "hot"}));
    let Some(FromWorker::Log(log)) = played.peer.receive() else { panic!("no log") };
    assert_eq!((log.level, log.message.as_str()), (Level::Warn, "hot"));
    played.peer.done();
    played.peer.run(4, "enqueue", &json!({"tasks": [{"kind": "echo", "args": [1], "priority": "high"}]}));
    let done = played.peer.done();
    assert_eq!((done.result.read::<u32>().unwrap(), done.enqueue[0].args.read::<[u8; 1]>().unwrap()), (1, [1]));
    played.peer.run(5, "enqueue", &json!({"tasks": [{"kind": "echo", "priority": 200}]}));
    assert_eq!(played.peer.fail().retry, Retry::Never);
    played.peer.run(6, "raise", &json!({"error": "unexpected"}));
    assert_eq!(played.peer.fail().error, "the handler panicked: unexpected");
    played.peer.run(7, "blob", &json!({"bytes": 3}));
    assert_eq!(played.peer.done().result.read::<String>().unwrap(), "xxx");
    played.peer.run(8, "context", &json!({}));
    let facts = json!({
        "task": 8, "epoch": 1, "attempt": 1, "kind": "context", "effect_key": "key-8", "time_left_ms": null,
    });
    assert_eq!(played.peer.done().result.read::<serde_json::Value>().unwrap(), facts);
    for (task, kind) in [(9, "busy"), (10, "stubborn"), (11, "sleep")] {
        played.peer.run(task, kind, &json!({"ms": 1}));
        assert_eq!(played.peer.done().result.read::<u64>().unwrap(), 1);
    }
    dismiss(played);
}

#[test]
fn what_is_said_after_the_answer_is_not_heard_but_for_lines() {
    let (tell, told) = sync_channel(1);
    let worker = telling(move |context| Ok(tell.send(context.clone())?));
    let mut played = play(worker);
    played.peer.greet();
    played.peer.run(1, "tell", &());
    played.peer.done();
    let context = told.recv().unwrap();
    context.progress(1.0, None, None);
    assert!(!context.spend("tokens", 1).unwrap().wait(Duration::MAX));
    context.log(Level::Info, "late");
    let Some(FromWorker::Log(log)) = played.peer.receive() else { panic!("the line alone is expected") };
    assert_eq!(log.message, "late");
    played.peer.send(ToWorker::Stop(ipc_contract::Stop { run: None, reason: StopReason::Shutdown, grace_ms: 1 }));
    played.peer.bye();
}
