//! Vectors of the messages that a worker sends.

use ipc_contract::Direction;
use ipc_contract::scan::MAX_DEPTH;
use ipc_contract::{
    Back, Beat, Booting, Bye, ContractError, Done, Exit, Fail, FromWorker, Hello, Level, Log, Note, Park, Payload,
    PrioritySpec, Ready, Retry, RunRef, Save, Scope, TaskSpec, Until,
};
use serde_json::json;

use super::vector::{Vector, canonical, invalid, variant};

pub(super) fn vectors() -> Result<Vec<Vector>, ContractError> {
    let mut vectors = start()?;
    vectors.extend(talk()?);
    vectors.extend(notes()?);
    vectors.extend(saves()?);
    vectors.extend(answers()?);
    vectors.extend(parks()?);
    vectors.push(follow_ups()?);
    vectors.extend(refused());
    Ok(vectors)
}

fn start() -> Result<Vec<Vector>, ContractError> {
    let least_hello = Hello { protocol_min: 1, protocol_max: 1, concurrency: 1, ..Hello::default() };
    let full = Hello {
        protocol_min: 1,
        protocol_max: 2,
        cookie: "b7f3".to_owned(),
        sdk: "example/0.1.0".to_owned(),
        kinds: vec!["resize".to_owned(), "thumb".to_owned()],
        concurrency: 4,
        features: vec!["beat".to_owned(), "note".to_owned()],
    };
    let least = FromWorker::Hello(least_hello.clone());
    Ok(vec![
        canonical("full", "every field", &FromWorker::Hello(full))?,
        variant(
            "least",
            "only what has no default",
            b"\x81\xa5hello\x82\xacprotocol_min\x01\xacprotocol_max\x01",
            &least,
        ),
        canonical(
            "unknown-feature",
            "a feature that the reader does not know is ignored",
            &FromWorker::Hello(Hello { features: vec!["beat".to_owned(), "teleport".to_owned()], ..least_hello }),
        )?,
        canonical("plain", "still starting", &FromWorker::Booting(Booting {}))?,
        canonical("plain", "takes runs from now on", &FromWorker::Ready(Ready {}))?,
        variant(
            "map16",
            "a longer form of the same maps",
            b"\xde\x00\x01\xa5ready\xde\x00\x00",
            &FromWorker::Ready(Ready {}),
        ),
    ])
}

fn talk() -> Result<Vec<Vector>, ContractError> {
    let of_run = Log { run: Some(RunRef { task: 7, epoch: 2 }), level: Level::Warn, message: "olá\n".to_owned() };
    let of_worker = Log { message: "ready soon".to_owned(), ..Log::default() };
    // The message and its body are two of them.
    let deepest = [b"\x81\xa4beat\x81\xa1x".as_slice(), &[0x91; MAX_DEPTH - 2], b"\xc0"].concat();
    Ok(vec![
        canonical("plain", "the process is alive", &FromWorker::Beat(Beat {}))?,
        variant("deepest", "64 levels, in a field that is unknown", &deepest, &FromWorker::Beat(Beat {})),
        canonical("of-run", "a line of a run", &FromWorker::Log(of_run))?,
        canonical("of-worker", "a line of the worker: no run", &FromWorker::Log(of_worker.clone()))?,
        variant(
            "least",
            "level has a default",
            b"\x81\xa3log\x81\xa7message\xaaready soon",
            &FromWorker::Log(of_worker),
        ),
        canonical("plain", "the last message", &FromWorker::Bye(Bye::default()))?,
        canonical(
            "spawn-error",
            "from the shim, in place of hello",
            &FromWorker::Bye(Bye { spawn_error: Some("python3: no such file".to_owned()) }),
        )?,
        variant("least", "without its field", b"\x81\xa3bye\x80", &FromWorker::Bye(Bye::default())),
    ])
}

fn notes() -> Result<Vec<Vector>, ContractError> {
    let note = Note { task: 7, epoch: 2, ..Note::default() };
    let far = Note { done: Some(3.0), total: Some(10.0), message: Some("page 3".to_owned()), ..note.clone() };
    let half = Note { done: Some(0.5), ..note.clone() };
    let spend = [("tokens", 1_200), ("usd_micro", 1 << 53)].map(|(unit, amount)| (unit.to_owned(), amount));
    let spent = Note { spend: spend.into(), seq: 1, ..note.clone() };
    Ok(vec![
        canonical("progress", "3 of 10, and a line for people", &FromWorker::Note(far.clone()))?,
        canonical("fraction", "without a total; nothing else", &FromWorker::Note(half))?,
        canonical("spend", "two units; the second one is the largest amount", &FromWorker::Note(spent))?,
        variant(
            "whole-numbers",
            "done and total may be written as integers",
            b"\x81\xa4note\x85\xa4task\x07\xa5epoch\x02\xa4done\x03\xa5total\x0a\xa7message\xa6page 3",
            &FromWorker::Note(far),
        ),
        variant("least", "only the run", b"\x81\xa4note\x82\xa4task\x07\xa5epoch\x02", &FromWorker::Note(note)),
    ])
}

fn saves() -> Result<Vec<Vector>, ContractError> {
    let save = Save { task: 7, epoch: 2, seq: 1, ..Save::default() };
    let value = Payload::of(&json!({ "pages": 12 }))?;
    let step = Save { step: Some("fetch page 3".to_owned()), value: value.clone(), seq: 2, ..save.clone() };
    Ok(vec![
        canonical("step", "a step and what it returned", &FromWorker::Save(step))?,
        canonical(
            "checkpoint",
            "no step: it replaces the last checkpoint",
            &FromWorker::Save(Save { value, ..save.clone() }),
        )?,
        variant(
            "least",
            "a checkpoint of nothing",
            b"\x81\xa4save\x83\xa4task\x07\xa5epoch\x02\xa3seq\x01",
            &FromWorker::Save(save),
        ),
    ])
}

fn parks() -> Result<Vec<Vector>, ContractError> {
    let sleep = Park { task: 7, epoch: 2, until: Until::AfterMs(86_400_000), timeout_ms: None };
    let facts = Until::Facts(vec!["approval".to_owned(), "budget".to_owned()]);
    let facts = Park { until: facts, timeout_ms: Some(3_600_000), ..sleep.clone() };
    let children = Park { until: Until::Children, ..sleep.clone() };
    Ok(vec![
        canonical("sleep", "again in a day", &FromWorker::Park(sleep))?,
        canonical("facts", "until both facts are told, or an hour is over", &FromWorker::Park(facts))?,
        canonical("children", "until all tasks that it enqueued have ended", &FromWorker::Park(children.clone()))?,
        variant(
            "least",
            "without its optional field",
            b"\x81\xa4park\x83\xa4task\x07\xa5epoch\x02\xa5until\xa8children",
            &FromWorker::Park(children),
        ),
    ])
}

fn follow_ups() -> Result<Vector, ContractError> {
    let thumb = TaskSpec {
        kind: "thumb".to_owned(),
        args: Payload::of(&json!({ "path": "a.png" }))?,
        priority: Some(PrioritySpec::Number(-10)),
        name: Some("thumb:a.png".to_owned()),
        ..TaskSpec::default()
    };
    let mail = TaskSpec {
        kind: "mail".to_owned(),
        queue: Some("slow".to_owned()),
        priority: Some(PrioritySpec::Name("low".to_owned())),
        delay_ms: Some(60_000),
        timeout_ms: Some(5_000),
        max_attempts: Some(2),
        max_crashes: Some(1),
        key: Some("user:7".to_owned()),
        cost: [("tokens".to_owned(), 500)].into(),
        budget: [("tokens".to_owned(), 0), ("usd".to_owned(), 1 << 53)].into(),
        ..TaskSpec::default()
    };
    let done = Done { task: 7, epoch: 2, enqueue: vec![thumb, mail], ..Done::default() };
    canonical("follow-ups", "two tasks that come to be with the result", &FromWorker::Done(done))
}

fn answers() -> Result<Vec<Vector>, ContractError> {
    let result = Payload::of(&json!({ "path": "a.png", "bytes": 4096 }))?;
    let least = Done { task: 7, epoch: 2, ..Done::default() };
    let exit = Exit { code: Some(3), signal: None, oom: false, peak_rss_bytes: Some(1 << 20), cpu_ms: Some(125) };
    let killed = Exit { code: None, signal: Some(9), oom: true, peak_rss_bytes: None, cpu_ms: None };
    let fail = Fail { task: 7, epoch: 2, ..Fail::default() };
    let later = Fail { error: "429: too many".to_owned(), retry: Retry::AfterMs(30_000), ..fail.clone() };
    let all_later = Fail { scope: Scope::Queue, ..later.clone() };
    let never = Fail { error: "no such file".to_owned(), retry: Retry::Never, exit: Some(exit), ..fail.clone() };
    let oom = Fail { exit: Some(killed), ..fail.clone() };
    Ok(vec![
        canonical(
            "full",
            "a result, the last part of it",
            &FromWorker::Done(Done { result, cut: true, ..least.clone() }),
        )?,
        canonical("nothing", "no result: bin of no bytes", &FromWorker::Done(least.clone()))?,
        variant(
            "least",
            "no result: no field",
            b"\x81\xa4done\x82\xa4task\x07\xa5epoch\x02",
            &FromWorker::Done(least.clone()),
        ),
        variant(
            "nil-result",
            "no result: nil",
            b"\x81\xa4done\x83\xa4task\x07\xa5epoch\x02\xa6result\xc0",
            &FromWorker::Done(least.clone()),
        ),
        variant(
            "wide-integers",
            "a number may be written longer than it need be, and signed",
            b"\x81\xa4done\x82\xa4task\xcf\x00\x00\x00\x00\x00\x00\x00\x07\xa5epoch\xd1\x00\x02",
            &FromWorker::Done(least),
        ),
        canonical("retry-after", "not before 30 s from now", &FromWorker::Fail(later))?,
        canonical("queue-after", "nothing of its queue before 30 s from now", &FromWorker::Fail(all_later))?,
        canonical("retry-never", "a command that ended with code 3", &FromWorker::Fail(never))?,
        canonical("killed", "a command that a signal ended, out of memory", &FromWorker::Fail(oom))?,
        variant("least", "only the run", b"\x81\xa4fail\x82\xa4task\x07\xa5epoch\x02", &FromWorker::Fail(fail)),
        canonical("plain", "the run has not started", &FromWorker::Back(Back { task: 7, epoch: 2 }))?,
        canonical("largest", "the largest numbers", &FromWorker::Back(Back { task: u64::MAX, epoch: u64::MAX }))?,
    ])
}

/// What is wrong within a field that has a form of its own.
fn refused() -> impl Iterator<Item = Vector> {
    /// Group, then name, what it shows, the kind of error, the payload.
    type Row = (&'static str, (&'static str, &'static str, &'static str, &'static [u8]));
    const ROWS: &[Row] = &[
        (
            "fail",
            (
                "retry-after-is-text",
                "after_ms is an unsigned integer",
                "body",
                b"\x81\xa4fail\x83\xa4task\x07\xa5epoch\x02\xa5retry\x81\xa8after_ms\xa17",
            ),
        ),
        (
            "park",
            (
                "until-after-is-negative",
                "after_ms is an unsigned integer",
                "body",
                b"\x81\xa4park\x83\xa4task\x07\xa5epoch\x02\xa5until\x81\xa8after_ms\xff",
            ),
        ),
        (
            "park",
            (
                "until-facts-hold-number",
                "facts is an array of text",
                "body",
                b"\x81\xa4park\x83\xa4task\x07\xa5epoch\x02\xa5until\x81\xa5facts\x91\x07",
            ),
        ),
        (
            "park",
            (
                "until-is-both",
                "until is one of three",
                "body",
                b"\x81\xa4park\x83\xa4task\x07\xa5epoch\x02\xa5until\x82\xa8after_ms\x01\xa5facts\x90",
            ),
        ),
    ];
    ROWS.iter().map(|&(group, row)| invalid(group, Direction::FromWorker, row))
}
