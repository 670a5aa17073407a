//! Golden files: the JSON that leaves, byte for byte. Set `UPDATE_GOLDEN=1` to write them anew after a wanted change.

use std::collections::BTreeMap;
use std::path::Path;

use ipc_contract::Payload;
use ipc_contract::message;
use queue_core::book::{Census, QueueCensus};
use queue_core::explain::{Before, Held, HeldKey, QueueWait, TaskWait};
use queue_core::hold::{Gate, Hold};
use queue_core::op::Reply;
use queue_core::policy::Limits;
use queue_core::priority::TaskPriority;
use queue_core::state::{FailReason, TaskState};
use queue_core::store::{AttemptView, BudgetView, Finding, Page, ProgressView, TaskView};
use queue_core::task::{Now, Outcome, Overrides, PoolId, Progress as Said, Tally, TaskId, WorkerId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::*;
use crate::config::{Scale, Workers};
use crate::core::decisions::Decision as Decided;
use crate::core::log_line::{self, Source};
use crate::core::{HeldBy, KindView, PoolHold, PoolView, WorkerView};
use crate::http::answer;
use crate::http::sentences::{explain_queue, explain_task};
use crate::shell::cgroup::{Level, Verdict};
use crate::shell::handle::Pools;
use crate::shell::host::Facts;
use crate::shell::pulse::Condition;
use crate::shell::stats;

fn view() -> TaskView {
    TaskView {
        id: TaskId(42),
        kind: "resize".to_owned(),
        queue: "images".to_owned(),
        priority: TaskPriority::new(-10).unwrap(),
        name: Some("resize:/a.png".to_owned()),
        key: Some("user:7".to_owned()),
        cost: BTreeMap::from([("tokens".to_owned(), 500)]),
        budget: vec![BudgetView { unit: "usd".to_owned(), amount: 3, spent: 2 }],
        args: Payload::of(&json!({ "path": "/a.png", "width": 640 })).unwrap().0,
        overrides: Overrides { timeout_ms: Some(60_000), max_attempts: Some(2), max_crashes: None },
        created_at_us: 1_795_437_296_000_123,
        state: TaskState::Failed,
        reason: Some(FailReason::Crashes),
        cancelling: false,
        tally: Tally { epoch: 4, runs: 3, attempts: 0, crashes: 3, lost: 0 },
        due_at_us: None,
        claimed_at_us: None,
        finished_at_us: Some(1_795_437_299_500_000),
        wait_us: Some(1_250),
        run_us: Some(300_999),
        result: Vec::new(),
        cut: false,
        progress: Some(ProgressView {
            epoch: 4,
            progress: Said { done: Some(2.5), total: Some(4.0), message: Some("half\x07 way".to_owned()) },
            noted_at_us: 1_795_437_299_400_999,
        }),
        spent: vec![("token".to_owned(), 1_200), ("usd.micro".to_owned(), 35)],
    }
}

fn attempt() -> AttemptView {
    AttemptView {
        epoch: 4,
        outcome: Outcome::Signal,
        detail: "the worker died".to_owned(),
        code: None,
        signal: Some(11),
        peak_rss_bytes: Some(12_582_912),
        cpu_ms: Some(290),
        started_at_us: 1_795_437_299_199_000,
        ended_at_us: 1_795_437_299_500_000,
        run_us: 300_999,
        worker: Some(WorkerId(7)),
        pid: Some(4242),
        output: b"\x1b[31mresizing\x1b[0m\n\xff".to_vec(),
    }
}

fn check<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(name: &str, value: &T) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http/golden").join(name);
    let json = serde_json::to_string_pretty(value).unwrap() + "\n";
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &json).unwrap();
    }
    assert_eq!(json, std::fs::read_to_string(&path).unwrap(), "{name}");
    assert_eq!(serde_json::from_str::<T>(&json).unwrap(), *value, "{name} is read back by the command line");
}

#[test]
fn what_leaves_is_as_it_was() {
    let done = TaskView {
        state: TaskState::Completed,
        reason: None,
        tally: Tally { epoch: 1, ..Tally::default() },
        result: Payload::of(&json!({ "size_bytes": 17, "ratio": 0.5 })).unwrap().0,
        cut: true,
        ..view()
    };
    let waiting = TaskView {
        state: TaskState::Retryable,
        reason: None,
        due_at_us: Some(1_795_437_300_000_000),
        finished_at_us: None,
        wait_us: None,
        run_us: None,
        name: None,
        progress: None,
        ..view()
    };
    check("failed.json", &Task::of(view(), vec![attempt()], Limits::default()));
    check("completed.json", &Task::of(done, Vec::new(), Limits::default()));
    let next = Some("-7.42.images".parse().unwrap());
    check("list.json", &TaskList::of(&Page { tasks: vec![waiting], next }));
    check("enqueued.json", &Enqueued { id: 42, existing: true });
    check("cancelled.json", &Cancelled { id: 42, outcome: "stopping".to_owned() });
    check("reprioritised.json", &Reprioritised { id: 42, priority: -10 });
    let paused = answer::gate(
        "images".to_owned(),
        Some("user:7".to_owned()),
        Reply::Gate(Gate::ClosedUntil(1_795_437_300_000_000)),
    );
    check("paused.json", &paused.unwrap());
    check("retried.json", &answer::retried(TaskId(42), Reply::Retried).unwrap());
    let bulk = Reply::EnqueuedAll(vec![(TaskId(42), false), (TaskId(7), true)]);
    check("bulk.json", &answer::enqueued_all(bulk).unwrap());
    let finding = Finding { rule: "a task is in some phase", detail: "broken by 42".to_owned() };
    check("live.json", &Live { live: true });
    check("ready.json", &Readiness::of(Some(Condition::default())));
    let reasons = vec!["the supervisor is stopping".to_owned()];
    check("not-ready.json", &Readiness::of(Some(Condition { reasons, ..Condition::default() })));
    check("reloaded.json", &Reloaded { changes: vec!["pools.images.workers: 0..8 -> 0..12".to_owned()] });
    check("doctor.json", &Examination::of([finding]));
}

#[test]
fn the_errors_that_leave_are_as_they_were() {
    let taken = || Reply::NameTaken { id: Some(TaskId(42)), index: 1 };
    check("error.json", &answer::enqueued(taken()).unwrap_err().body);
    check("error-in-bulk.json", &answer::enqueued_all(taken()).unwrap_err().body);
}

#[test]
fn the_counts_that_leave_are_as_they_were() {
    let queue = QueueCensus { available: 3, running: 1, gate: Gate::ClosedUntil(1_795_437_300_000_000) };
    let mut tasks = Census { queues: BTreeMap::from([("images".to_owned(), queue)]), stale: 2, ..Census::default() };
    tasks.counts.add(TaskState::Available, 3);
    tasks.counts.add(TaskState::Running, 1);
    let workers = BTreeMap::from([("working", 1), ("ready", 2)]);
    let hold = Some(PoolHold { by: HeldBy::Memory, why: "waits for memory".to_owned() });
    let pool = stats::PoolStats { name: "images".to_owned(), wanted: 4, workers, hold, ..Default::default() };
    let gone = stats::PoolStats { name: "pictures".to_owned(), is_gone: true, ..Default::default() };
    check("stats.json", &Stats::of(stats::Stats { up_us: 7_199_999_999, tasks, pools: vec![gone, pool] }));
}

fn pool() -> PoolView {
    let worker = |id, pid, state, task| WorkerView {
        id: WorkerId(id),
        pid,
        state,
        task,
        tasks: 17,
        age_us: 3_723_000_000,
        rss_bytes: 268_435_456,
        is_unresponsive: false,
        why: (state == "draining").then(|| "has run 17 tasks".to_owned()),
    };
    PoolView {
        id: PoolId(0),
        name: "images".to_owned(),
        queues: vec!["images".to_owned(), "thumbs".to_owned()],
        state: "serving",
        hold: Some(PoolHold {
            by: HeldBy::Memory,
            why: "waits for memory: a worker may need 512.0 MiB, and of the budget of 1.0 GiB 24.0 MiB are free"
                .to_owned(),
        }),
        bounds: Workers { min: 0, max: 4 },
        scale: Scale::default(),
        target: 3,
        workers: vec![
            worker(7, Some(4242), "draining", Some((TaskId(42), 1_500_000))),
            worker(8, None, "starting", None),
        ],
        waiting: 25,
        rate: 2.5,
        boot_s: Some(0.25),
        memory_bytes: Some(536_870_912),
        kinds: vec![KindView {
            kind: "resize".to_owned(),
            runs: 120,
            service_s: Some(0.052_125),
            peak_rss_bytes: 314_572_800,
        }],
        decisions: vec![
            Decided { at: 1_000_000, from: 0, to: 3, why: "25 tasks wait".to_owned() },
            Decided { at: 9_000_000, from: 3, to: 3, why: "waits for memory".to_owned() },
        ],
    }
}

#[test]
fn the_pools_that_leave_are_as_they_were() {
    let now = Now { wall_us: 1_795_437_300_000_000, mono_us: 10_000_000 };
    check("pool.json", &Pool::of(&pool(), now));
    let gone = PoolView { queues: vec![], workers: vec![], ..pool() };
    let (memory_budget_bytes, memory_reserved_bytes) = (1 << 30, 1_048_576_000);
    let pools = Pools { now, memory_budget_bytes, memory_reserved_bytes, pools: vec![pool(), gone] };
    check("pools.json", &PoolList::of(&pools));
    let boundless = Pools { memory_budget_bytes: u64::MAX, pools: vec![], ..pools };
    assert_eq!(PoolList::of(&boundless).memory_budget_bytes, None);
    check("worker-stopped.json", &StoppedWorker::of(7, "images", pool().workers.first()));
    assert_eq!(StoppedWorker::of(7, "images", None).state, "gone");
}

#[test]
fn what_the_host_gives() {
    let facts = Facts {
        kernel: "6.12.0".to_owned(),
        cores: 4,
        memory_bytes: 8 << 30,
        memory_budget_bytes: 6 << 30,
        cgroup: Verdict { level: Level::KillOnly, why: "the group /g is given no controllers".to_owned() },
        has_pidfd: true,
        has_subreaper: true,
        root_pools: vec!["commands".to_owned()],
        ..Facts::default()
    };
    check("system.json", &System::of(&facts));
}

#[test]
fn the_lines_that_leave_are_as_they_were() {
    let line = |source| {
        let text = "\\u{1b}[31mresizing".to_owned();
        LogLine::of(4, log_line::LogLine { at_us: 1_795_437_299_199_999, source, text })
    };
    let levels =
        [message::Level::Debug, message::Level::Info, message::Level::Warn, message::Level::Error].map(Source::Log);
    check("log.json", &Vec::from_iter([Source::Output, Source::Supervisor].into_iter().chain(levels).map(line)));
}

#[test]
fn the_explanations_that_leave_are_as_they_were() {
    let held = |by, reason: &str| Held { by, reason: reason.to_owned() };
    let until = 1_795_437_300_000_000;
    let pool = stats::PoolStats {
        name: "images".to_owned(),
        wanted: 4,
        workers: BTreeMap::from([("working", 4)]),
        ..Default::default()
    };
    let holds =
        vec![held(Hold::QueueClosed(Gate::ClosedUntil(until)), "deploy"), held(Hold::Pools(vec![PoolId(0)]), "")];
    let wait = TaskWait {
        id: TaskId(42),
        state: TaskState::Available,
        queue: "images".to_owned(),
        key: Some("user:7".to_owned()),
        holds: vec![holds[0].clone()],
        before: Before { count: 12, ..Before::default() },
        pace_per_s: None,
    };
    check("explained.json", &explain_task(&wait, std::slice::from_ref(&pool)));
    let wait = QueueWait {
        queue: "images".to_owned(),
        available: 20,
        running: 4,
        holds,
        keys: vec![HeldKey {
            key: "user:7".to_owned(),
            waiting: 9,
            held: held(Hold::KeyLimit { running: 2, limit: 2 }, ""),
        }],
        held_keys: 3,
        held_tasks: 14,
        is_least: false,
        pace_per_s: Some(0.5),
    };
    check("explained-queue.json", &explain_queue(&wait, &[pool]));
}
