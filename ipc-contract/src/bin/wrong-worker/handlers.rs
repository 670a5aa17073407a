//! The handlers of SPEC.md section 9, and the answer that each run gets.

use std::time::{Duration, Instant};

use ipc_contract::limits::{FOLLOW_UPS, FOLLOW_UPS_BYTES, RESULT_BYTES};
use ipc_contract::{
    Done, Fail, Feature, FromWorker, Log, Note, Payload, Retry, Run, RunRef, Scope, StopReason, TaskSpec,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::args::{self, Args, Time};
use crate::desk::Desk;
use crate::print::{Print, print};
use crate::wrong::Wrong;

/// Every kind, in the order of the specification.
pub(crate) const KINDS: [&str; 16] = [
    "echo", "noop", "sleep", "stubborn", "fail", "raise", "print", "crash", "context", "blob", "busy", "log",
    "progress", "spend", "enqueue", "retire",
];
/// The signal of `crash` when none is given.
const SIGSEGV: i32 = 11;

type Answer = Result<(Payload, Vec<TaskSpec>), Failure>;

struct Failure {
    error: String,
    retry: Retry,
    scope: Scope,
}

impl From<String> for Failure {
    fn from(error: String) -> Self {
        Self { error, retry: Retry::Default, scope: Scope::Task }
    }
}

/// Runs the handler.
pub(crate) fn answer(desk: &Desk, run: &Run) -> FromWorker {
    let RunRef { task, epoch } = RunRef { task: run.task, epoch: run.epoch };
    match handle(desk, run) {
        Ok((result, _)) if result.0.len() as u64 > RESULT_BYTES.default && !desk.wrong.is("sends-large-results") => {
            let error = format!("the result has {} bytes, the limit is {}", result.0.len(), RESULT_BYTES.default);
            FromWorker::Fail(Fail { task, epoch, error, retry: Retry::Never, ..Fail::default() })
        }
        Ok((result, enqueue)) => FromWorker::Done(Done { task, epoch, result, enqueue, ..Done::default() }),
        Err(Failure { retry, scope, error }) => {
            let retry = if desk.wrong.is("never-says-retry") { Retry::Default } else { retry };
            let scope = if desk.wrong.is("never-says-scope") { Scope::Task } else { scope };
            FromWorker::Fail(Fail { task, epoch, error, retry, scope, ..Fail::default() })
        }
    }
}

/// The kind that this worker has no handler for, though it should.
pub(crate) fn missing(wrong: Wrong) -> &'static str {
    match wrong.0 {
        "lacks-a-handler" => "blob",
        "names-what-it-has-not" => "spend",
        _ => "",
    }
}

fn handle(desk: &Desk, run: &Run) -> Answer {
    match run.kind.as_str() {
        "echo" => Ok((echo(desk, run), Vec::new())),
        "noop" => Ok(Default::default()),
        "print" => plain(print(&read::<Print>(desk, run)?, desk.wrong)?),
        "context" => plain(context(desk, run)),
        "sleep" => sleep(desk, run, read::<Time>(desk, run)?.ms),
        "stubborn" => {
            let Time { ms } = read(desk, run)?;
            std::thread::sleep(Duration::from_millis(ms));
            plain(ms)
        }
        "busy" => plain(busy(read::<Time>(desk, run)?.ms)),
        kind if KINDS.contains(&kind) && kind != missing(desk.wrong) => of_args(desk, run, read(desk, run)?),
        kind if desk.wrong.is("dies-of-unknown-kinds") => panic!("no handler for {kind}"),
        kind => {
            let retry = if desk.wrong.is("retries-unknown-kinds") { Retry::Default } else { Retry::Never };
            Err(Failure { error: format!("no handler for {kind}"), retry, scope: Scope::Task })
        }
    }
}

fn of_args(desk: &Desk, run: &Run, args: Args) -> Answer {
    match run.kind.as_str() {
        "fail" => Err(Failure { error: args.error, retry: args.retry, scope: args.scope }),
        "raise" if desk.wrong.is("dies-of-errors") => panic!("{}", args.error),
        "raise" => Err(args.error.into()),
        "crash" => crash(&args),
        "blob" => plain("x".repeat(usize::try_from(args.bytes).unwrap_or_default())),
        "log" => {
            let about = Some(RunRef { task: run.task, epoch: run.epoch });
            let message = args.message.unwrap_or_default();
            desk.say(&FromWorker::Log(Log { run: about, level: args.level, message }));
            Ok(Default::default())
        }
        "progress" => {
            let (done, total, message) = (Some(args.done), args.total, args.message);
            note(desk, Note { task: run.task, epoch: run.epoch, done, total, message, ..Note::default() });
            Ok(Default::default())
        }
        "spend" => spend(desk, run, &args),
        "enqueue" => enqueue(desk, args.tasks),
        _ => {
            // `retire`: the life of the worker looks at the kind after the answer.
            Ok(Default::default())
        }
    }
}

fn plain(value: impl serde::Serialize) -> Answer {
    Ok((Payload::of(&value).map_err(|error| error.to_string())?, Vec::new()))
}

fn read<T: DeserializeOwned>(desk: &Desk, run: &Run) -> Result<T, Failure> {
    let retry = if desk.wrong.is("retries-unreadable-args") { Retry::Default } else { Retry::Never };
    args::read(run, desk.wrong).map_err(|error| Failure { error, retry, scope: Scope::Task })
}

fn echo(desk: &Desk, run: &Run) -> Payload {
    let as_json = || run.args.read::<Value>().unwrap_or_default();
    match desk.wrong.0 {
        "makes-floats-of-numbers" => Payload::of(&floats(as_json())).unwrap_or_default(),
        "loses-large-numbers" => Payload::of(&rounded(as_json())).unwrap_or_default(),
        "loses-bytes" => serde_json::from_value(json!(run.args)).unwrap_or_default(),
        "answers-nothing" => Payload::default(),
        _ => run.args.clone(),
    }
}

fn floats(value: Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => items.into_iter().map(floats).collect(),
        Value::Object(map) => Value::Object(map.into_iter().map(|(key, value)| (key, floats(value))).collect()),
        other => other,
    }
}

fn rounded(value: Value) -> Value {
    match value {
        Value::Number(number) if number.as_u64().is_some_and(|number| number > 1 << 53) => json!(1_u64 << 53),
        Value::Array(items) => items.into_iter().map(rounded).collect(),
        Value::Object(map) => Value::Object(map.into_iter().map(|(key, value)| (key, rounded(value))).collect()),
        other => other,
    }
}

fn context(desk: &Desk, run: &Run) -> Value {
    let attempt = if desk.wrong.is("counts-attempts-itself") { 1 } else { run.attempt };
    let effect_key = if desk.wrong.is("makes-effect-keys") { "mine" } else { &run.effect_key };
    let time_left_ms = run.time_left_ms.filter(|_| !desk.wrong.is("forgets-the-time"));
    json!({
        "task": run.task, "epoch": run.epoch, "attempt": attempt, "kind": run.kind, "effect_key": effect_key,
        "time_left_ms": time_left_ms,
    })
}

fn sleep(desk: &Desk, run: &Run, ms: u64) -> Answer {
    let stop = desk.wait(Some(Duration::from_millis(ms)), |state| state.live.get(&run.task)?.stop);
    match stop {
        None => plain(ms),
        Some(_) if desk.wrong.is("keeps-the-reason-to-itself") => Err("stopped".to_owned().into()),
        Some(reason) => Err(format!("told to stop: {}", word(reason)).into()),
    }
}

fn word(reason: StopReason) -> String {
    json!(reason).as_str().unwrap_or("unknown").to_owned()
}

fn busy(ms: u64) -> u64 {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(ms) {
        std::hint::spin_loop();
    }
    ms
}

fn crash(args: &Args) -> Answer {
    if let Some(code) = args.exit {
        std::process::exit(code);
    }
    let number = args.signal.unwrap_or(SIGSEGV);
    let Some(signal) = rustix::process::Signal::from_named_raw(number) else {
        return Err(format!("no signal {number}").into());
    };
    // The runtime of the language takes the first SIGSEGV for an overflow of the stack and only the next one ends it.
    loop {
        rustix::process::kill_process(rustix::process::getpid(), signal).map_err(|error| error.to_string())?;
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn note(desk: &Desk, note: Note) {
    if desk.lock().features.has(Feature::Note) || desk.wrong.is("notes-unasked") {
        desk.say(&FromWorker::Note(note));
    }
}

fn spend(desk: &Desk, run: &Run, args: &Args) -> Answer {
    if !desk.lock().features.has(Feature::Note) && !desk.wrong.is("notes-unasked") {
        return plain(args.times);
    }
    for _ in 0..args.times {
        let seq = desk.change(|state| {
            let live = state.live.entry(run.task).or_default();
            live.numbered += if desk.wrong.is("skips-numbers") { 2 } else { 1 };
            live.numbered - u64::from(desk.wrong.is("numbers-from-zero"))
        });
        let amount = if desk.wrong.is("spends-too-much") { u64::MAX } else { args.amount };
        let spend = [(args.unit.clone(), amount)].into();
        note(desk, Note { task: run.task, epoch: run.epoch, spend, seq, ..Note::default() });
        if !desk.wrong.is("spends-without-waiting") {
            desk.wait(None, |state| (state.live.get(&run.task)?.acknowledged >= seq).then_some(()));
        }
    }
    plain(args.times)
}

fn enqueue(desk: &Desk, tasks: Vec<Value>) -> Answer {
    if !desk.lock().features.has(Feature::Enqueue) && !desk.wrong.is("enqueues-unasked") {
        return Err(Failure {
            error: "the supervisor takes no follow-ups".to_owned(),
            retry: Retry::Never,
            scope: Scope::Task,
        });
    }
    let count = tasks.len();
    let specs =
        follow_ups(tasks, desk.wrong).map_err(|error| Failure { error, retry: Retry::Never, scope: Scope::Task })?;
    let kept = if desk.wrong.is("loses-follow-ups") { Vec::new() } else { specs };
    Ok((Payload::of(&count).map_err(|error| error.to_string())?, kept))
}

fn follow_ups(tasks: Vec<Value>, wrong: Wrong) -> Result<Vec<TaskSpec>, String> {
    let specs: Result<Vec<TaskSpec>, _> = tasks.into_iter().map(serde_json::from_value).collect();
    let specs = specs.map_err(|error| error.to_string())?;
    if !wrong.is("sends-too-many-follow-ups") {
        FOLLOW_UPS.check(specs.len()).map_err(|error| error.to_string())?;
    }
    if !wrong.is("sends-large-follow-ups") {
        let args_bytes: usize = specs.iter().map(|spec| spec.args.0.len()).sum();
        FOLLOW_UPS_BYTES.check(args_bytes).map_err(|error| error.to_string())?;
    }
    if !wrong.is("sends-illegal-follow-ups") && !wrong.is("sends-large-follow-ups") {
        specs.iter().try_for_each(TaskSpec::validate).map_err(|error| error.to_string())?;
    }
    Ok(specs)
}
