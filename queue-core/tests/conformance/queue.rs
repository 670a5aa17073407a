//! The claimable and the waiting: order, limits, and that each is taken exactly once.

use queue_core::state::TaskState;
use queue_core::store::{Due, Head, StoreErrorKind};
use queue_core::task::{NewTask, Overrides, Tally, TaskId};

use crate::bed::{Bed, refusal};
use crate::values::task;

const TALLY: Tally = Tally { epoch: 7, runs: 6, attempts: 5, crashes: 4, lost: 3 };

fn head(bed: &mut Bed, queue: &str, count: u64) -> Vec<i64> {
    bed.head(queue, count).unwrap().iter().map(|head| head.id.0).collect()
}

/// Five tasks of queue `q`, best first 4, 2, 5, 3, 1; and one better one in another queue.
fn five(bed: &mut Bed) {
    for (id, rank) in [(1, 30), (2, -20), (3, 20), (4, i64::MIN), (5, 10)] {
        bed.ready(id, "q", rank);
    }
    bed.ready(6, "other", i64::MIN);
    bed.step();
}

pub(crate) fn the_head_goes_by_rank_then_id(bed: &mut Bed) {
    five(bed);
    bed.ready(8, "q", 10);
    bed.ready(7, "q", 10);
    bed.step();
    assert_eq!(head(bed, "q", 100), [4, 2, 5, 7, 8, 3, 1]);
    for (count, want) in [(0, &[][..]), (1, &[4]), (3, &[4, 2, 5])] {
        assert_eq!(head(bed, "q", count), want);
    }
    assert_eq!(head(bed, "other", u64::MAX), [6]);
    assert_eq!(head(bed, "none", 1), []);
}

pub(crate) fn a_head_has_all_that_a_claim_needs(bed: &mut Bed) {
    let overrides = Overrides { timeout_ms: Some(8), max_attempts: Some(9), max_crashes: None };
    let new = NewTask { priority: "high".parse().unwrap(), args: vec![1, 2], overrides, ..task() };
    for (id, tally) in [(1, Tally::default()), (2, TALLY)] {
        bed.insert_task(TaskId(id), &new, 5, 0).unwrap();
        bed.put_ready("q", 5, TaskId(id), None).unwrap();
        if tally != Tally::default() {
            bed.put_tally(TaskId(id), tally, 5).unwrap();
        }
    }
    bed.step();
    let (kind, args, priority) = (new.kind, new.args, new.priority);
    let want = |id, tally| Head {
        id,
        rank: 5,
        lane: None,
        since_us: 5,
        kind: kind.clone(),
        args: args.clone(),
        priority,
        overrides,
        tally,
    };
    assert_eq!(bed.head("q", 2).unwrap(), [want(TaskId(1), Tally::default()), want(TaskId(2), TALLY)]);
}

pub(crate) fn exactly_the_head_is_taken(bed: &mut Bed) {
    five(bed);
    let heads = bed.head("q", 3).unwrap();
    bed.take_head("q", &heads[2], 3).unwrap();
    bed.step();
    assert_eq!(head(bed, "q", 9), [3, 1]);
    assert_eq!(head(bed, "other", 9), [6]);
}

pub(crate) fn a_head_that_has_changed_is_an_error(bed: &mut Bed) {
    five(bed);
    let heads = bed.head("q", 3).unwrap();
    bed.take_ready("q", heads[0].rank, heads[0].id).unwrap();
    let few = bed.take_head("q", &heads[2], 3).unwrap_err();
    assert_eq!(few.kind, StoreErrorKind::Invariant);
    assert_eq!(few.detail, "2 rows of ready changed where 3 had to");
}

pub(crate) fn the_claimable_are_taken_once(bed: &mut Bed) {
    let id = bed.ready(1, "q", 5);
    bed.step();
    assert_eq!(refusal(bed.put_ready("q", 5, id, None)), StoreErrorKind::Constraint);
    for (queue, rank, id) in [("q", 4, id), ("other", 5, id), ("q", 5, TaskId(2))] {
        assert_eq!(refusal(bed.take_ready(queue, rank, id)), StoreErrorKind::Invariant, "{queue} {rank} {id}");
    }
    bed.take_ready("q", 5, id).unwrap();
    bed.step();
    assert_eq!(refusal(bed.take_ready("q", 5, id)), StoreErrorKind::Invariant);
    assert_eq!(head(bed, "q", 1), []);
}

/// Waiting tasks, due at 10, 20, 20 and 30.
fn four_waiting(bed: &mut Bed) {
    for (id, due_at) in [(1, 30), (2, 20), (3, 10), (4, 20)] {
        let state = if id == 3 { TaskState::Retryable } else { TaskState::Scheduled };
        let id = bed.body(id);
        bed.put_later(id, due_at, state).unwrap();
    }
    bed.put_tally(TaskId(3), TALLY, 0).unwrap();
    bed.step();
}

pub(crate) fn the_due_come_longest_overdue_first(bed: &mut Bed) {
    four_waiting(bed);
    for (now, count, want) in [
        (9, 9, &[][..]),
        (10, 9, &[3]),
        (20, 9, &[3, 2, 4]),
        (i64::MAX, 9, &[3, 2, 4, 1]),
        (99, 2, &[3, 2]),
        (99, 0, &[]),
    ] {
        let due: Vec<i64> = bed.due(now, count).unwrap().iter().map(|due| due.id.0).collect();
        assert_eq!(due, want, "at {now}, at most {count}");
    }
    let (queue, priority) = (task().queue, task().priority);
    let due = bed.due(20, 2).unwrap();
    let retryable =
        Due { id: TaskId(3), state: TaskState::Retryable, queue: queue.clone(), key: None, priority, tally: TALLY };
    let fresh = Tally::default();
    assert_eq!(
        due,
        [retryable, Due { id: TaskId(2), state: TaskState::Scheduled, queue, key: None, priority, tally: fresh }]
    );
}

pub(crate) fn the_next_due_is_the_earliest(bed: &mut Bed) {
    assert_eq!(bed.next_due().unwrap(), None);
    four_waiting(bed);
    assert_eq!(bed.next_due().unwrap(), Some(10));
    bed.take_later(TaskId(3)).unwrap();
    bed.step();
    assert_eq!(bed.next_due().unwrap(), Some(20));
}

pub(crate) fn the_waiting_are_taken_once(bed: &mut Bed) {
    four_waiting(bed);
    assert_eq!(refusal(bed.put_later(TaskId(1), 5, TaskState::Scheduled)), StoreErrorKind::Constraint);
    bed.take_later(TaskId(1)).unwrap();
    assert_eq!(refusal(bed.take_later(TaskId(1))), StoreErrorKind::Invariant);
    assert_eq!(refusal(bed.take_later(TaskId(99))), StoreErrorKind::Invariant);
}
