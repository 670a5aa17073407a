//! A machine under test and short words for what goes in and comes out of it, so that a scenario reads as a table:
//! moment, event, the commands that follow. No case of its own.

use std::collections::BTreeMap;

use ipc_contract::message::{Done, Fail, FromWorker, Hello, Ready, RunRef, ToWorker};
use queue_core::op::{Claimed, Notice, Op, RunKey, WorkerRow};
use queue_core::task::{PoolId, TaskId, WorkerId};

use super::command::{Command, Report, Signal};
use super::event::{Event, Exit, WorkerExit};
use super::host::HostFacts;
use super::machine::{Machine, SHUTDOWN_GRACE_US};
use crate::config::{Config, Kind, Offers, Pool, Program, Workers};

const MS: i64 = 1_000;

pub(super) struct Play {
    pub(super) machine: Machine,
}

impl Play {
    /// One pool, whose workers must offer `echo`; its first worker is number 1.
    pub(super) fn of(workers: u32) -> Play {
        let program = Program::Command(vec!["p".into()]);
        let pool = Pool::new("p", program, vec!["p".into()], Workers::fixed(workers));
        let echo = Kind { queue: Some("p".into()), ..Kind::default() };
        let kinds = BTreeMap::from([("echo".into(), echo)]);
        let config = Config { db: "q".into(), folder: "/".into(), pools: vec![pool], kinds, ..Config::default() };
        Play::under(config)
    }

    pub(super) fn under(config: Config) -> Play {
        Play::knowing(Offers::default(), config)
    }

    pub(super) fn knowing(offers: Offers, config: Config) -> Play {
        Play { machine: Machine::new(config, offers, 1, "db".into(), SHUTDOWN_GRACE_US) }
    }

    pub(super) fn on(self, host: HostFacts) -> Play {
        Play { machine: self.machine.on(host) }
    }

    /// What follows from an event, in short words.
    pub(super) fn all(&mut self, at_ms: i64, event: Event) -> Vec<String> {
        self.machine.handle(event, at_ms * MS, 0).iter().map(short).collect()
    }

    /// The same, without the log: it is kept at the end of every run and from time to time.
    pub(super) fn does(&mut self, at_ms: i64, event: Event) -> Vec<String> {
        self.all(at_ms, event).into_iter().filter(|word| !word.starts_with("keep ")).collect()
    }

    pub(super) fn at(&mut self, at_ms: i64, event: Event, expected: &[&str]) {
        assert_eq!(self.does(at_ms, event.clone()), expected, "at {at_ms} ms, on {event:?}");
    }

    /// A pool of one, whose worker is ready at 0 ms.
    pub(super) fn ready() -> Play {
        Play::ready_with(hello())
    }

    pub(super) fn ready_with(hello: Hello) -> Play {
        let mut play = Play::of(1);
        play.at(0, Event::Start, &["spawn 1"]);
        play.at(0, spawned(1), &["up 1"]);
        play.at(0, says(1, FromWorker::Hello(hello)), &["offer echo", "report ready 1", "welcome 1"]);
        play.at(0, ready(1), &["demand +1"]);
        play
    }

    /// A pool of one, whose worker has run 7/1 in its hands since 0 ms.
    pub(super) fn working(timeout_ms: Option<i64>) -> Play {
        let mut play = Play::ready();
        play.at(0, claim(7, timeout_ms), &["begin 1", "run 1: 7/1"]);
        play
    }

    /// The same, and it has failed: what is left of the run is being killed.
    pub(super) fn cleaning() -> Play {
        let mut play = Play::working(None);
        play.at(0, fail(1, 7), &["clean 1"]);
        play
    }

    /// The first alert that an event raises, in full.
    pub(super) fn alert(&mut self, at_ms: i64, event: Event) -> String {
        let commands = self.machine.handle(event, at_ms * MS, 0);
        let alert = |command| match command {
            Command::Report(Report::Alert { text, .. }) => Some(text),
            _ => None,
        };
        commands.into_iter().find_map(alert).unwrap()
    }
}

pub(super) fn spawned(worker: i64) -> Event {
    Event::Spawned(WorkerRow {
        id: WorkerId(worker),
        pool: "p".into(),
        pid: 1_000 + worker as i32,
        start_time: 5,
        boot_id: "boot".into(),
        tag: "tag".into(),
    })
}

pub(super) fn says(worker: i64, message: FromWorker) -> Event {
    Event::Frame(WorkerId(worker), message)
}

pub(super) fn hello() -> Hello {
    Hello {
        protocol_min: 1,
        protocol_max: 1,
        cookie: "tag".into(),
        sdk: "test/1".into(),
        kinds: vec!["echo".into()],
        concurrency: 1,
        features: vec!["beat".into(), "note".into(), "enqueue".into()],
    }
}

pub(super) fn ready(worker: i64) -> Event {
    says(worker, FromWorker::Ready(Ready {}))
}

/// Run 1 of a task.
pub(super) fn key(task: i64) -> RunKey {
    RunKey { task: TaskId(task), epoch: 1 }
}

pub(super) fn claim(task: i64, timeout_ms: Option<i64>) -> Event {
    claimed(PoolId(0), task, timeout_ms)
}

pub(super) fn claimed_for(pool: PoolId, task: i64) -> Event {
    claimed(pool, task, None)
}

fn claimed(pool: PoolId, task: i64, timeout_ms: Option<i64>) -> Event {
    let (run, kind, args) = (key(task), "echo".into(), vec![0xc0]);
    Event::Notice(Notice::Claimed(Claimed { run, pool, kind, args, attempt: 1, timeout_ms }))
}

pub(super) fn cancel(task: i64) -> Event {
    Event::Notice(Notice::StopWanted(key(task)))
}

pub(super) fn done(worker: i64, task: u64) -> Event {
    says(worker, FromWorker::Done(Done { task, epoch: 1, ..Done::default() }))
}

pub(super) fn fail(worker: i64, task: u64) -> Event {
    says(worker, FromWorker::Fail(Fail { task, epoch: 1, error: "no".into(), ..Fail::default() }))
}

pub(super) fn back(worker: i64, task: u64) -> Event {
    says(worker, FromWorker::Back(ipc_contract::message::Back { task, epoch: 1 }))
}

pub(super) fn bye(worker: i64) -> Event {
    says(worker, FromWorker::Bye(ipc_contract::message::Bye::default()))
}

pub(super) fn broken(worker: i64) -> Event {
    Event::Broken(WorkerId(worker), "it printed".into())
}

pub(super) fn cleaned(worker: i64) -> Event {
    Event::Cleaned(WorkerId(worker), b"said".to_vec())
}

pub(super) fn gone(worker: i64, exit: Exit) -> Event {
    let (peak_rss_bytes, cpu_ms, output) = (Some(4_096), Some(3), b"said".to_vec());
    Event::Gone(WorkerExit { worker: WorkerId(worker), exit, peak_rss_bytes, cpu_ms, oom: false, output })
}

fn short(command: &Command) -> String {
    match command {
        Command::Spawn { worker, .. } => format!("spawn {worker}"),
        Command::Send(worker, message) => format!("{} {worker}{}", verb(message), about(message)),
        Command::BeginOutput(worker) => format!("begin {worker}"),
        Command::AddLine(worker, _, text) => format!("line {worker}: {text}"),
        Command::KeepLog { worker, is_last, .. } => format!("keep {worker}{}", if *is_last { " last" } else { "" }),
        Command::Signal(worker, Signal::Abort) => format!("abort {worker}"),
        Command::Signal(worker, Signal::Term) => format!("term {worker}"),
        Command::Signal(worker, Signal::Kill) => format!("kill {worker}"),
        Command::Clean(worker) => format!("clean {worker}"),
        Command::Submit(op) => short_op(op),
        Command::Demand(demand) => format!("demand {:+}", demand.credits),
        Command::Report(Report::WorkerReady { worker, .. }) => format!("report ready {worker}"),
        Command::Report(Report::WorkerGone { worker, .. }) => format!("report gone {worker}"),
        Command::Report(Report::WorkerSaid { worker, text, .. }) => format!("report said {worker}: {text}"),
        Command::Report(Report::Alert { name, .. }) => format!("alert {name}"),
        Command::Finished => "finished".into(),
    }
}

fn verb(message: &ToWorker) -> &'static str {
    match message {
        ToWorker::Welcome(_) => "welcome",
        ToWorker::Reject(_) => "reject",
        ToWorker::Run(_) => "run",
        ToWorker::Stop(_) => "stop",
        ToWorker::Ack(_) => "ack",
    }
}

fn about(message: &ToWorker) -> String {
    match message {
        ToWorker::Run(run) => format!(": {}/{}", run.task, run.epoch),
        ToWorker::Stop(stop) => {
            let run = stop.run.map_or(String::new(), |RunRef { task, epoch }| format!(" {task}/{epoch}"));
            format!(":{run} {:?} {}ms", stop.reason, stop.grace_ms)
        }
        ToWorker::Ack(ack) => format!(": {}/{} {}", ack.task, ack.epoch, ack.seq),
        ToWorker::Welcome(_) | ToWorker::Reject(_) => String::new(),
    }
}

fn short_op(op: &Op) -> String {
    match op {
        Op::Finish { run, ending, refill } => {
            let refill = if refill.is_some() { " refill" } else { "" };
            let follow_ups = match ending.follow_ups.len() {
                0 => String::new(),
                count => format!(" +{count}"),
            };
            format!("finish {}/{} {}{follow_ups}{refill}", run.task, run.epoch, ending.outcome.name())
        }
        Op::Note { run, note } => {
            let done = note.progress.as_ref().and_then(|progress| progress.done);
            let done = done.map_or(String::new(), |done| format!(" {done}"));
            let seq = note.seq.map_or(String::new(), |seq| format!(" seq {seq}"));
            format!("note {}/{}{done}{seq}", run.task, run.epoch)
        }
        Op::WorkerUp(row) => format!("up {}", row.id),
        Op::WorkerGone(worker) => format!("down {worker}"),
        Op::Offer { kinds, .. } => format!("offer {}", kinds.join(" ")),
        Op::Enqueue(_)
        | Op::EnqueueAll(_)
        | Op::Cancel(_)
        | Op::Retry(_)
        | Op::Reprioritise { .. }
        | Op::Pause { .. }
        | Op::Resume { .. }
        | Op::Log { .. } => {
            panic!("not of the process machine: {op:?}")
        }
    }
}
