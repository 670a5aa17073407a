//! What cases say in one line: a task and its answer, a stop, a farewell. Built on `peer`; knows no bytes.

use serde_json::{Value, json};

use super::hear::Exits;
use super::peer::{Peer, encoded};
use super::value::is_same;
use super::{Failure, Verdict};
use crate::message::{Ack, Done, Fail, FromWorker, Hello, Note, Reject, Run, RunRef, Stop, StopReason, ToWorker};
use crate::payload::Payload;

/// Time until a worker that is told to stop would be killed.
pub(super) const GRACE_MS: u64 = 20_000;

/// The payload of a JSON value.
///
/// # Panics
/// Never for values that stand in code: only more than 64 levels cannot be written.
pub fn payload(value: Value) -> Payload {
    serde_json::from_value(value).expect("args of a case are not nested deeply")
}

impl Peer {
    /// Waits for `hello`.
    ///
    /// # Errors
    /// When the worker says something else.
    pub fn hello(&mut self) -> Verdict<Hello> {
        match self.expect(&json!({ "hello": {} }))? {
            FromWorker::Hello(hello) => Ok(hello),
            other => Err(unexpected("hello", &other)),
        }
    }

    /// A run of the next task with these args. It is not sent yet.
    pub fn next_run(&mut self, kind: &str, args: Payload) -> Run {
        self.last_task += 1;
        let effect_key = format!("check:{}", self.last_task);
        Run { task: self.last_task, epoch: 1, kind: kind.to_owned(), args, attempt: 1, effect_key, ..Run::default() }
    }

    /// Sends a run of the next task.
    ///
    /// # Errors
    /// Those of [`send`](Self::send).
    pub fn run(&mut self, kind: &str, args: Value) -> Verdict<RunRef> {
        let run = self.next_run(kind, payload(args));
        self.send_run(run)
    }

    /// Sends this run.
    ///
    /// # Errors
    /// Those of [`send`](Self::send).
    pub fn send_run(&mut self, run: Run) -> Verdict<RunRef> {
        let name = RunRef { task: run.task, epoch: run.epoch };
        self.send(&ToWorker::Run(run))?;
        Ok(name)
    }

    /// Sends the next task in a form of one's own: these bytes mean a run of this kind with these args.
    ///
    /// # Errors
    /// Those of [`send`](Self::send).
    pub fn send_form(&mut self, kind: &str, args: Payload, frame: &[u8]) -> Verdict<RunRef> {
        let run = self.next_run(kind, args);
        let name = RunRef { task: run.task, epoch: run.epoch };
        self.send_as(&ToWorker::Run(run), frame)?;
        Ok(name)
    }

    /// Sends a message in pieces, each only when the one before has been read.
    ///
    /// # Errors
    /// Those of [`send`](Self::send), and when the worker does not read.
    pub fn trickle(&mut self, message: &ToWorker, piece_bytes: usize) -> Verdict {
        let frame = encoded(message)?;
        self.send_as(message, &[])?;
        for piece in frame.chunks(piece_bytes) {
            self.link.push(piece)?;
            self.drain()?;
        }
        Ok(())
    }

    /// Sends runs in one piece.
    ///
    /// # Errors
    /// Those of [`send`](Self::send).
    pub fn send_together(&mut self, runs: &[Run]) -> Verdict {
        let mut frames = Vec::new();
        for run in runs {
            let message = ToWorker::Run(run.clone());
            frames.extend(encoded(&message)?);
            self.send_as(&message, &[])?;
        }
        self.link.push(&frames)
    }

    /// Waits until each of these runs is `done` and gives its args back, in whatever order.
    ///
    /// # Errors
    /// When the worker says something else.
    pub fn done_in_any_order(&mut self, runs: &[Run]) -> Verdict {
        let mut waiting: Vec<&Run> = runs.iter().collect();
        while !waiting.is_empty() {
            let patterns: Vec<_> =
                waiting.iter().map(|run| answer("done", RunRef { task: run.task, epoch: run.epoch })).collect();
            let (place, message) = self.expect_any(&patterns)?;
            let run = waiting.remove(place);
            if let FromWorker::Done(done) = message {
                same_value(&done.result, &run.args)?;
            }
        }
        Ok(())
    }

    /// Waits for `done` of this run.
    ///
    /// # Errors
    /// When the worker says something else.
    pub fn done(&mut self, run: RunRef) -> Verdict<Done> {
        match self.expect(&answer("done", run))? {
            FromWorker::Done(done) => Ok(done),
            other => Err(unexpected("done", &other)),
        }
    }

    /// Waits for `fail` of this run.
    ///
    /// # Errors
    /// When the worker says something else.
    pub fn fail(&mut self, run: RunRef) -> Verdict<Fail> {
        self.fail_with(run, json!({}))
    }

    /// Waits for `fail` of this run with these fields.
    ///
    /// # Errors
    /// When the worker says something else.
    pub fn fail_with(&mut self, run: RunRef, fields: Value) -> Verdict<Fail> {
        match self.expect(&with(answer("fail", run), "fail", fields))? {
            FromWorker::Fail(fail) => Ok(fail),
            other => Err(unexpected("fail", &other)),
        }
    }

    /// Waits for a `note` of this run with these fields.
    ///
    /// # Errors
    /// When the worker says something else.
    pub fn note_with(&mut self, run: RunRef, fields: Value) -> Verdict<Note> {
        match self.expect(&with(answer("note", run), "note", fields))? {
            FromWorker::Note(note) => Ok(note),
            other => Err(unexpected("note", &other)),
        }
    }

    /// Waits for `done` of this run whose result is this value, in whatever form it is written.
    ///
    /// # Errors
    /// When the worker says something else.
    pub fn done_with(&mut self, run: RunRef, result: &Payload) -> Verdict {
        same_value(&self.done(run)?.result, result)
    }

    /// Runs a task and waits for this result.
    ///
    /// # Errors
    /// When the worker says something else.
    pub fn call(&mut self, kind: &str, args: Value, result: Value) -> Verdict {
        let run = self.run(kind, args)?;
        self.done_with(run, &payload(result))
    }

    /// The worker has survived what was before, and has nothing left to say of it.
    ///
    /// # Errors
    /// When it does not answer the next run as it should.
    pub fn goes_on(&mut self) -> Verdict {
        self.call("echo", json!({ "still": "here" }), json!({ "still": "here" }))
    }

    /// Tells a run to stop.
    ///
    /// # Errors
    /// Those of [`send`](Self::send).
    pub fn stop_run(&mut self, run: RunRef, reason: StopReason) -> Verdict {
        self.send(&ToWorker::Stop(Stop { run: Some(run), reason, grace_ms: GRACE_MS }))
    }

    /// Tells the worker to stop.
    ///
    /// # Errors
    /// Those of [`send`](Self::send).
    pub fn stop(&mut self) -> Verdict {
        self.send(&ToWorker::Stop(Stop { run: None, reason: StopReason::Shutdown, grace_ms: GRACE_MS }))
    }

    /// Acknowledges what was numbered so.
    ///
    /// # Errors
    /// Those of [`send`](Self::send).
    pub fn ack(&mut self, run: RunRef, seq: u64) -> Verdict {
        self.send(&ToWorker::Ack(Ack { task: run.task, epoch: run.epoch, seq }))
    }

    /// Refuses the worker.
    ///
    /// # Errors
    /// Those of [`send`](Self::send).
    pub fn reject(&mut self, reason: &str) -> Verdict {
        self.send(&ToWorker::Reject(Reject { reason: reason.to_owned() }))
    }

    /// Waits for `bye`, and exit code 0.
    ///
    /// # Errors
    /// When the worker does something else.
    pub fn leaves(&mut self) -> Verdict {
        self.expect(&json!({ "bye": {} }))?;
        self.exits(Exits::Code(0))
    }

    /// Tells the worker to stop, and sees it leave with nothing more to say. The end of most cases: an answer too many
    /// would show here.
    ///
    /// # Errors
    /// When the worker does something else.
    pub fn farewell(&mut self) -> Verdict {
        self.stop()?;
        self.leaves()
    }

    /// Waits until stderr has this text.
    ///
    /// # Errors
    /// When it has not in time.
    pub fn logs(&mut self, text: &str) -> Verdict {
        self.log_has(&format!("{text:?}"), |log| log.contains(text))
    }

    /// Waits until stderr has this line so often.
    ///
    /// # Errors
    /// When it has not in time.
    pub fn logs_lines(&mut self, line: &str, times: usize) -> Verdict {
        self.log_has(&format!("{times} lines {line:?}"), |log| log.lines_of(line) >= times)
    }
}

/// Time that a run is given to begin, at first.
const BEGIN_MS: u64 = 25;
/// Longest time that a run is given to begin.
const BEGIN_MS_MAX: u64 = 3_200;

/// Plays something that needs a run which has begun. Nothing tells when one has, and one that has not may be given
/// back: then `play` gives false, and is played again with more time for the run to begin.
///
/// # Errors
/// Those of `play`, or when a run never begins.
pub fn with_begun(mut play: impl FnMut(u64) -> Verdict<bool>) -> Verdict {
    let mut begin_ms = BEGIN_MS;
    while begin_ms <= BEGIN_MS_MAX {
        if play(begin_ms)? {
            return Ok(());
        }
        begin_ms *= 2;
    }
    Err(Failure::new("a run that begins", format!("`back` for one that was sent {BEGIN_MS_MAX} ms before")))
}

/// The pattern of a message about this run.
pub fn answer(kind: &str, run: RunRef) -> Value {
    json!({ kind: { "task": run.task, "epoch": run.epoch } })
}

fn same_value(seen: &Payload, expected: &Payload) -> Verdict {
    let same = is_same(seen, expected)
        .map_err(|error| Failure::new("a result that is one MessagePack value (SPEC 2.1)", error.to_string()))?;
    Failure::unless(same, format!("the result {}", brief(expected)), format!("the result {}", brief(seen)))
}

fn with(mut pattern: Value, kind: &str, fields: Value) -> Value {
    if let (Some(body), Value::Object(fields)) = (pattern[kind].as_object_mut(), fields) {
        body.extend(fields);
    }
    pattern
}

fn unexpected(wanted: &str, message: &FromWorker) -> Failure {
    Failure::new(wanted, super::peer::shown(message).to_string())
}

fn brief(payload: &Payload) -> String {
    format!("{} ({} bytes)", super::pattern::shortened(payload.preview()), payload.0.len())
}
