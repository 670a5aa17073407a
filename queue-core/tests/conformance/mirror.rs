//! What a life begins with: the book rebuilt from rows, workers, counters, the uid.

use std::collections::BTreeMap;

use queue_core::book::{Counts, Mirror, QueueLine, Running};
use queue_core::op::{RunKey, WorkerRow};
use queue_core::policy::Limits;
use queue_core::state::{FailReason, TaskState};
use queue_core::store::{FinalFacts, StoreErrorKind};
use queue_core::task::{NewTask, Now, Overrides, Tally, TaskId, WorkerId};

use crate::bed::{Bed, refusal};
use crate::values::{policies, task};

const NOW: Now = Now { wall_us: 9, mono_us: 100 };

pub(crate) fn the_book_is_what_the_rows_say(bed: &mut Bed) {
    let fresh = bed.book(policies(), NOW).unwrap();
    assert_eq!(*fresh.rows(), Mirror { next_task: 1, next_worker: 1, ..Mirror::default() });
    let put: [(i64, &str); 3] = [(1, "a"), (2, "b"), (3, "b")];
    for (id, queue) in put {
        bed.ready(id, queue, 0);
    }
    for (id, state) in [(4, TaskState::Scheduled), (5, TaskState::Retryable), (6, TaskState::Retryable)] {
        let id = bed.body(id);
        bed.put_later(id, 0, state).unwrap();
    }
    let failed = Some(FailReason::Attempts);
    for (id, state, reason) in
        [(7, TaskState::Completed, None), (8, TaskState::Failed, failed), (9, TaskState::Cancelled, None)]
    {
        let id = bed.body(id);
        bed.put_final(id, state, reason, FinalFacts::default()).unwrap();
    }
    let overrides = Overrides { max_attempts: Some(2), ..Overrides::default() };
    bed.insert_task(TaskId(10), &NewTask { overrides, ..task() }, 0, 0).unwrap();
    bed.put_tally(TaskId(10), Tally { epoch: 4, runs: 3, attempts: 2, crashes: 1, lost: 0 }, 66).unwrap();
    bed.put_running(RunKey { task: TaskId(10), epoch: 5 }, 66, 7, 8).unwrap();
    bed.mark_stop(TaskId(10)).unwrap();
    let first = bed.running(11);
    bed.save_counters(12, 13, 14).unwrap();
    bed.step();

    let mut counts = Counts::default();
    for (state, count) in TaskState::ALL.into_iter().zip([1, 3, 2, 2, 1, 1, 1]) {
        counts.add(state, count);
    }
    let limits = policies().limits("q", "plain", overrides);
    assert_eq!(limits.max_attempts, 2);
    let tally = Tally { epoch: 5, runs: 3, attempts: 2, crashes: 1, lost: 0 };
    let stopped = Running {
        queue: "q".to_owned(),
        lane: None,
        priority: Default::default(),
        since_us: 66,
        tally,
        limits,
        wait_us: 7,
        claimed_at_us: 8,
        cancelling: true,
    };
    let fresh = Running {
        since_us: 110,
        tally: Tally { epoch: 1, ..Tally::default() },
        limits: Limits { max_attempts: Limits::default().max_attempts, ..limits },
        wait_us: 3,
        claimed_at_us: 4,
        cancelling: false,
        ..stopped.clone()
    };
    let want = Mirror {
        next_task: 12,
        next_worker: 13,
        counts,
        ready: BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)]),
        running: BTreeMap::from([(TaskId(10), stopped), (first.task, fresh)]),
        queues: BTreeMap::from([("q".to_owned(), QueueLine { running: 2, ..QueueLine::default() })]),
        ..Mirror::default()
    };
    let book = bed.book(policies(), NOW).unwrap();
    assert_eq!(*book.rows(), want);
    assert_eq!(book.clock_us(NOW), 14, "the clock goes on from the rows");
    assert_eq!(bed.check_book(&book).unwrap(), []);
    bed.take_ready("a", 0, TaskId(1)).unwrap();
    let findings = bed.check_book(&book).unwrap();
    let rules: Vec<&str> = findings.iter().map(|finding| finding.detail.split(':').next().unwrap()).collect();
    assert_eq!(rules, ["tasks by state", "claimable by queue"]);
}

pub(crate) fn workers_are_kept_until_dropped(bed: &mut Bed) {
    let worker = |id| WorkerRow {
        id: WorkerId(id),
        pool: "main".into(),
        pid: i32::MAX,
        start_time: i64::MAX,
        boot_id: "boot".into(),
        tag: "tag".into(),
    };
    for id in [3, 1, 2] {
        bed.put_worker(&worker(id), 5).unwrap();
    }
    bed.step();
    assert_eq!(bed.workers().unwrap(), [worker(1), worker(2), worker(3)]);
    assert_eq!(refusal(bed.put_worker(&worker(2), 5)), StoreErrorKind::Constraint);
    bed.drop_worker(WorkerId(2)).unwrap();
    bed.drop_worker(WorkerId(2)).unwrap();
    bed.step();
    assert_eq!(bed.workers().unwrap(), [worker(1), worker(3)], "and dropping one that is gone changes nothing");
}

pub(crate) fn counters_are_read_back(bed: &mut Bed) {
    for (task, worker, clock_us) in [(5, 6, 7), (i64::MAX, i64::MAX, i64::MAX)] {
        bed.save_counters(task, worker, clock_us).unwrap();
        bed.step();
        let book = bed.book(policies(), NOW).unwrap();
        assert_eq!((book.rows().next_task, book.rows().next_worker), (task, worker));
        assert_eq!(book.clock_us(NOW), clock_us);
    }
}

pub(crate) fn a_database_has_one_uid(bed: &mut Bed) {
    let uid = bed.uid().unwrap();
    assert_eq!(uid.len(), 8);
    bed.step();
    assert_eq!(bed.uid().unwrap(), uid);
}

pub(crate) fn an_offer_replaces_the_last_of_its_pool(bed: &mut Bed) {
    let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    for (pool, kinds) in [("b", &["k", "k", "j"][..]), ("a", &["k"]), ("a", &["z", "y"])] {
        bed.put_offer(pool, &named(kinds)).unwrap();
        bed.step();
    }
    let offers = |bed: &mut Bed| -> Vec<String> {
        bed.offers().unwrap().into_iter().map(|(pool, kind)| format!("{pool} {kind}")).collect()
    };
    assert_eq!(offers(bed), ["a y", "a z", "b j", "b k"], "and a kind that is named twice is one kind");
    bed.put_offer("b", &[]).unwrap();
    assert_eq!(offers(bed), ["a y", "a z"]);
}
