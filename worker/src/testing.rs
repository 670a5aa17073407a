//! Running one handler in this process, with a recorder in the place of the supervisor, for the tests of its author.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ipc_contract::{ContractError, Level, Payload, Run, StopReason, TaskSpec};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::answer::{Conclusion, HANDLER, caught, conclude, unknown_kind};
use crate::context::{Context, Outlet};
use crate::error::WorkerError;
use crate::failure::Failure;
use crate::handler::{Handler, Handlers};
pub use crate::notes::Progress;
use crate::promise::Promise;
use crate::running::Stored;
use crate::stop::{StopOrder, StopSign};
use crate::sync::lock;
use crate::worker::Worker;

/// What a run is told to have until it is killed.
const GRACE: Duration = Duration::from_secs(10);

/// How a run is set up, beside its kind and its args.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// What the context says; 1 by default.
    pub attempt: u32,
    /// Tells the run to stop (`Cancel`) when it has told so often how far it is; 0 at its start.
    pub stop_after_progress: Option<u32>,
}

impl Default for Setup {
    fn default() -> Self {
        Self { attempt: 1, stop_after_progress: None }
    }
}

/// How a run ended, and what it told.
#[derive(Debug)]
pub struct Outcome {
    /// What would be sent: the encoded result, or the failure.
    pub result: Result<Payload, Failure>,
    /// Follow-up tasks; none of a run that failed.
    pub enqueued: Vec<TaskSpec>,
    /// Everything that `progress` and `note` were told, in order.
    pub progress: Vec<Progress>,
    /// Amounts by unit.
    pub spent: BTreeMap<String, u64>,
    pub logs: Vec<(Level, String)>,
    /// The worker was asked to leave after this run.
    pub retired: bool,
}

impl Outcome {
    /// The result, decoded. `None` when the run has failed.
    ///
    /// # Errors
    /// The result is no `T`.
    pub fn read<T: DeserializeOwned>(&self) -> Result<Option<T>, ContractError> {
        self.result.as_ref().ok().map(Payload::read).transpose()
    }

    /// The failure, if it is one.
    pub fn failure(&self) -> Option<&Failure> {
        self.result.as_ref().err()
    }
}

/// Runs the handler of a kind, sync or async, as a first attempt, and returns when it has ended. A panic is a failure, as in
/// real life. So are a kind that the worker does not have and a worker that is put together wrongly.
pub fn run(worker: &Worker, kind: &str, args: &impl Serialize) -> Outcome {
    run_with(worker, kind, args, Setup::default())
}

/// As [`run`], with another setup.
pub fn run_with(worker: &Worker, kind: &str, args: &impl Serialize, setup: Setup) -> Outcome {
    let recorder = Recorder::new(setup.stop_after_progress);
    let conclusion = match (worker.handlers(), Payload::of(args)) {
        (Err(mistake), _) => Err(Failure::from(mistake)),
        (_, Err(error)) => Err(Failure::from(error).never()),
        (Ok(handlers), Ok(args)) => {
            let (kind, effect_key) = (kind.to_owned(), "test:1".to_owned());
            let epoch = u64::from(setup.attempt);
            let run = Run { task: 1, epoch, kind, args, attempt: setup.attempt, effect_key, ..Run::default() };
            perform(handlers, &run, &recorder)
        }
    };
    recorder.told(conclusion)
}

fn perform(handlers: &Handlers, run: &Run, recorder: &Arc<Recorder>) -> Conclusion {
    let context = Context::new(run, Instant::now(), Arc::clone(&recorder.stop), Box::new(Arc::clone(recorder)));
    let outcome = match handlers.get(&run.kind) {
        Some(Handler::Sync(handler)) => caught(HANDLER, || handler(&context, &run.args)).flatten(),
        #[cfg(feature = "tokio")]
        Some(Handler::Async(handler)) => {
            let work = handler(context.clone(), &run.args);
            crate::async_runs::runtime(1)?.block_on(work)
        }
        None => Err(unknown_kind(&run.kind, handlers)),
    };
    conclude(outcome, context.take_follow_ups(), true)
}

/// Keeps what a run tells, and may stop it at a certain point.
struct Recorder {
    stop: Arc<StopSign>,
    stop_after_progress: Option<u32>,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    progress: Vec<Progress>,
    spent: BTreeMap<String, u64>,
    logs: Vec<(Level, String)>,
    retired: bool,
}

impl Recorder {
    fn new(stop_after_progress: Option<u32>) -> Arc<Self> {
        let recorder = Self { stop: Arc::default(), stop_after_progress, told: Mutex::default() };
        recorder.stop_if_due(0);
        Arc::new(recorder)
    }

    fn stop_if_due(&self, told: usize) {
        if self.stop_after_progress.is_some_and(|after| told >= after as usize) {
            self.stop.keep(StopOrder { reason: StopReason::Cancel, grace: GRACE });
        }
    }

    fn add(&self, progress: Progress) {
        let mut told = lock(&self.told);
        told.progress.push(progress);
        let count = told.progress.len();
        drop(told);
        self.stop_if_due(count);
    }

    fn told(&self, conclusion: Conclusion) -> Outcome {
        let Told { progress, spent, logs, retired } = std::mem::take(&mut *lock(&self.told));
        let (result, enqueued) = match conclusion {
            Ok((output, enqueued)) => (Ok(output.result), enqueued),
            Err(failure) => (Err(failure), Vec::new()),
        };
        Outcome { result, enqueued, progress, spent, logs, retired }
    }
}

impl Outlet for Arc<Recorder> {
    fn progress(&self, done: f64, total: Option<f64>, message: Option<&str>) {
        self.add(Progress { done: Some(done), total, message: message.map(str::to_owned) });
    }

    fn note(&self, message: &str) {
        self.add(Progress { message: Some(message.to_owned()), ..Progress::default() });
    }

    fn spend(&self, unit: &str, amount: u64) -> Result<Stored, WorkerError> {
        let mut told = lock(&self.told);
        let spent = told.spent.entry(unit.to_owned()).or_default();
        *spent = spent.saturating_add(amount);
        Ok(Arc::new(Promise::kept(true)))
    }

    fn log(&self, level: Level, message: &str) {
        lock(&self.told).logs.push((level, message.to_owned()));
    }

    fn retire(&self) {
        lock(&self.told).retired = true;
    }
}
