//! The life of the worker: greeting, runs, farewell. What is wrong in the order of things is made here.

use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use ipc_contract::check::wrong::GOOD;
use ipc_contract::{
    Back, Beat, Booting, Bye, Done, Feature, FromWorker, Hello, Log, PROTOCOL, Ready, RunRef, StopReason,
};

use nix::sys::signal::{SigSet, Signal};

use crate::channel::{Read1, Reader, Writer, take};
use crate::desk::{Desk, State};
use crate::handlers::{KINDS, answer, missing};
use crate::wrong::{EXIT_FAILED, Wrong, leave};

const EXIT_USAGE: i32 = 64;
const EXIT_CONFIG: i32 = 78;
/// Longer than any case waits.
const FOR_EVER: Duration = Duration::from_secs(3_600);
const SLOW_BEAT_MS: u64 = 5_000;
const FAST_BEAT_MS: u64 = 1;

pub(crate) fn live(wrong: Wrong) -> ExitCode {
    if wrong.is("ignores-sigterm") {
        // Before the first thread: each inherits it.
        let _ = SigSet::from(Signal::SIGTERM).thread_block();
    }
    let Ok(cookie) = std::env::var("MUTIRAO_COOKIE") else {
        let code = if wrong.is("takes-a-user-for-a-supervisor") { 0 } else { EXIT_USAGE };
        leave(code, "this is a worker for tests: a supervisor or contract-test starts it");
    };
    let channel = std::env::var("MUTIRAO_CHANNEL").unwrap_or_else(|_| "stdio".to_owned());
    if !["stdio", "fd3"].contains(&channel.as_str()) && !wrong.is("takes-any-channel") {
        leave(EXIT_CONFIG, &format!("no such channel: {channel}; this worker knows stdio and fd3"));
    }
    let (reader, writer) = match take(&channel, wrong) {
        Ok(ends) => ends,
        Err(error) => leave(EXIT_CONFIG, &format!("cannot take the channel {channel}: {error}")),
    };
    let desk = Arc::new(Desk::new(wrong, Writer::new(writer, wrong)));
    if wrong.is("prints-at-start") {
        desk.writer.hold().write(b"Loading model...\n");
    }
    repeat_booting(&desk);
    greet(&desk, cookie);
    let reading = Arc::clone(&desk);
    thread::spawn(move || read(Reader::new(reader, wrong), &reading));
    answered(&desk);
    start(&desk);
    work(&desk)
}

fn variable(name: &str, default: u32) -> u32 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn repeat_booting(desk: &Desk) {
    for _ in 0..variable("SAMPLE_BOOTING", 0) {
        desk.say(&FromWorker::Booting(Booting {}));
    }
}

fn greet(desk: &Desk, cookie: String) {
    let wrong = desk.wrong;
    let kinds = KINDS.iter().filter(|kind| **kind != missing(wrong));
    let mut hello = Hello {
        protocol_min: PROTOCOL,
        protocol_max: PROTOCOL,
        cookie,
        sdk: format!("wrong-worker/{}", if wrong.is(GOOD) { "0" } else { wrong.0 }),
        kinds: kinds.map(|kind| (*kind).to_owned()).collect(),
        concurrency: variable("SAMPLE_CONCURRENCY", 1),
        features: ["beat", "note", "enqueue"].map(str::to_owned).to_vec(),
    };
    match wrong.0 {
        "forgets-the-cookie" => hello.cookie = String::new(),
        "cleans-the-cookie" => hello.cookie.retain(|c| c.is_ascii_alphanumeric() || c == '-'),
        "says-another-version" => (hello.protocol_min, hello.protocol_max) = (2, 2),
        "turns-the-range-round" => (hello.protocol_min, hello.protocol_max) = (2, 1),
        "offers-no-run" => hello.concurrency = 0,
        "spells-kinds-wrongly" => hello.kinds.push("Resize Image".to_owned()),
        "ready-before-hello" => desk.say(&FromWorker::Ready(Ready {})),
        "says-nothing" => thread::sleep(FOR_EVER),
        _ => {}
    }
    let hello = FromWorker::Hello(hello);
    desk.say(&hello);
    match wrong.0 {
        "says-hello-twice" => desk.say(&hello),
        "does-not-wait-for-welcome" => desk.say(&FromWorker::Ready(Ready {})),
        "boots-before-welcome" => desk.say(&FromWorker::Booting(Booting {})),
        "logs-before-welcome" => desk.say(&FromWorker::Log(Log::default())),
        _ => {}
    }
}

/// Waits for the answer to `hello`.
fn answered(desk: &Desk) {
    let wrong = desk.wrong;
    match desk.wait(None, |state| state.greeting.clone()) {
        Some(Ok(PROTOCOL)) | None => {}
        Some(Ok(version)) if version > PROTOCOL && wrong.is("takes-a-later-version") => {}
        Some(Ok(version)) if version < PROTOCOL && wrong.is("takes-an-older-version") => {}
        Some(Ok(version)) => leave(EXIT_FAILED, &format!("version {version} was not offered")),
        Some(Err(_)) if wrong.is("ignores-reject") => {}
        Some(Err(reason)) if wrong.is("leaves-well-after-reject") => leave(0, &reason),
        Some(Err(_)) if wrong.is("keeps-the-refusal-to-itself") => std::process::exit(EXIT_CONFIG),
        Some(Err(reason)) => leave(EXIT_CONFIG, &format!("refused: {reason}")),
    }
}

/// From `welcome` to `ready`.
fn start(desk: &Arc<Desk>) {
    let wrong = desk.wrong;
    let (beats, beat_ms) = desk.change(|state| (state.features.has(Feature::Beat), state.beat_ms));
    if (beats || wrong.is("beats-unasked")) && !wrong.is("never-beats") {
        let beating = Arc::clone(desk);
        let beat_ms = match wrong.0 {
            "beats-slowly" => SLOW_BEAT_MS,
            "beats-too-often" => FAST_BEAT_MS,
            _ => beat_ms,
        };
        thread::spawn(move || beat(&beating, Duration::from_millis(beat_ms)));
    }
    repeat_booting(desk);
    if variable("SAMPLE_BOOTING", 0) > 0 {
        desk.say(&FromWorker::Log(Log { message: "starting".to_owned(), ..Log::default() }));
    }
    if wrong.is("never-ready") {
        return;
    }
    desk.say(&FromWorker::Ready(Ready {}));
    match wrong.0 {
        "says-ready-twice" => desk.say(&FromWorker::Ready(Ready {})),
        "boots-when-ready" => desk.say(&FromWorker::Booting(Booting {})),
        _ => {}
    }
}

fn beat(desk: &Desk, every: Duration) {
    loop {
        // Who beats only between runs is silent while one goes on.
        let is_silent = |state: &State| desk.wrong.is("beats-between-runs") && !state.live.is_empty();
        let over = desk.wait(Some(every), |state| state.said_bye.then_some(()));
        if over.is_some() {
            return;
        }
        if !is_silent(&desk.lock()) {
            desk.say(&FromWorker::Beat(Beat {}));
        }
    }
}

/// Reads to the end of the channel.
fn read(mut reader: Reader, desk: &Desk) {
    let wrong = desk.wrong;
    loop {
        if wrong.is("reads-between-runs") {
            desk.wait(None, |state| state.live.is_empty().then_some(()));
        }
        let error = match reader.next() {
            Read1::Message(message) => match desk.hear(message) {
                Ok(()) => continue,
                Err(violation) => violation,
            },
            Read1::End { is_partial: true } if wrong.is("takes-half-a-frame-for-the-end") => leave(0, "the end"),
            Read1::End { is_partial: true } => "the last frame is cut off".to_owned(),
            Read1::End { .. } if desk.lock().draining => return,
            Read1::End { .. } if wrong.is("takes-the-end-for-success") => leave(0, "the end"),
            Read1::End { .. } if wrong.is("outlives-its-supervisor") => return,
            Read1::End { .. } => "the supervisor is gone".to_owned(),
            Read1::Broken(error) => error,
        };
        match wrong.0 {
            "takes-errors-for-success" => leave(0, &error),
            "takes-errors-for-configuration" => leave(EXIT_CONFIG, &error),
            "keeps-errors-to-itself" => std::process::exit(EXIT_FAILED),
            _ => leave(EXIT_FAILED, &format!("the supervisor broke the contract: {error}")),
        }
    }
}

/// Runs what comes until it is told to stop.
fn work(desk: &Arc<Desk>) -> ExitCode {
    let wrong = desk.wrong;
    let concurrency = if wrong.is("one-run-after-the-other") { 1 } else { variable("SAMPLE_CONCURRENCY", 1).max(1) };
    for _ in 0..concurrency {
        let desk = Arc::clone(desk);
        thread::spawn(move || while one_run(&desk) {});
    }
    // At the end nothing runs, and what has not started goes back.
    let wanted = |state: &mut State| {
        let is_idle = state.live.len() == state.waiting.len();
        (state.draining && (is_idle || wrong.is("leaves-runs-unanswered"))).then_some(())
    };
    desk.wait(None, wanted);
    let waiting: Vec<_> = desk.change(|state| state.waiting.drain(..).collect());
    for run in waiting {
        desk.say(&FromWorker::Back(Back { task: run.task, epoch: run.epoch }));
    }
    match wrong.0 {
        "leaves-without-bye" => return ExitCode::SUCCESS,
        "stays-when-told-to-stop" => thread::sleep(FOR_EVER),
        _ => desk.say(&FromWorker::Bye(Bye::default())),
    }
    match wrong.0 {
        "fails-after-bye" => ExitCode::FAILURE,
        "stays-after-bye" => {
            thread::sleep(FOR_EVER);
            ExitCode::SUCCESS
        }
        _ => ExitCode::SUCCESS,
    }
}

/// Runs the next one; false when there will be no more.
fn one_run(desk: &Desk) -> bool {
    let wrong = desk.wrong;
    let run = desk.wait(None, |state| {
        if state.draining {
            return Some(None);
        }
        let run = state.waiting.pop_front()?;
        let live = state.live.entry(run.task).or_default();
        live.has_started = true;
        let is_recalled = live.stop == Some(StopReason::Recall) && !wrong.is("recall-stops-what-runs");
        Some(Some((run, is_recalled)))
    });
    let Some((run, is_recalled)) = run.flatten() else { return false };
    let (task, epoch) = (run.task, run.epoch);
    // A handler that panics takes this worker with it, as an author may have it who does not think of it.
    let answer = match is_recalled {
        true => FromWorker::Back(Back { task, epoch }),
        false => std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| answer(desk, &run)))
            .unwrap_or_else(|_| leave(EXIT_FAILED, "a handler has panicked")),
    };
    answer_with(desk, RunRef { task, epoch }, &answer);
    let retires = run.kind == "retire" && !wrong.is("never-retires");
    desk.change(|state| {
        state.live.remove(&task);
        state.draining |= retires;
    });
    true
}

fn answer_with(desk: &Desk, run: RunRef, answer: &FromWorker) {
    let RunRef { task, epoch } = run;
    match desk.wrong.0 {
        "answers-an-older-run" => {
            desk.say(&FromWorker::Done(Done { task, epoch: epoch.saturating_sub(1), ..Done::default() }))
        }
        "answers-another-task" => desk.say(&FromWorker::Done(Done { task: task + 1, epoch, ..Done::default() })),
        "never-answers-failures" if matches!(answer, FromWorker::Fail(_)) => {}
        "gives-back-what-has-run" => desk.say(&FromWorker::Back(Back { task, epoch })),
        _ => desk.say(answer),
    }
    match desk.wrong.0 {
        "answers-twice" => desk.say(answer),
        "logs-after-the-answer" => {
            desk.say(&FromWorker::Log(Log { run: Some(run), message: "done".to_owned(), ..Log::default() }));
        }
        _ => {}
    }
}
