//! Phases, single tasks and lists.

use queue_core::op::RunKey;
use queue_core::state::{FailReason, TaskState};
use queue_core::store::{FinalFacts, LIST_MAX, Phase};
use queue_core::task::TaskId;

use crate::bed::Bed;

pub(crate) fn the_phase_follows_the_row(bed: &mut Bed) {
    let id = bed.ready(1, "q", 5);
    let run = RunKey { task: id, epoch: 1 };
    assert_eq!(bed.phase(id).unwrap(), Some(Phase::Ready { queue: "q".into(), rank: 5 }));
    bed.take_ready("q", 5, id).unwrap();
    for state in [TaskState::Scheduled, TaskState::Retryable] {
        bed.put_later(id, 8, state).unwrap();
        bed.step();
        assert_eq!(bed.phase(id).unwrap(), Some(Phase::Later { state }));
        let view = bed.task(id).unwrap().unwrap();
        assert_eq!((view.state, view.due_at_us), (state, Some(8)));
        bed.take_later(id).unwrap();
    }
    bed.put_running(run, 5, 2, 3).unwrap();
    bed.step();
    assert_eq!(bed.phase(id).unwrap(), Some(Phase::Running));
    let view = bed.task(id).unwrap().unwrap();
    assert_eq!((view.state, view.tally.epoch, view.claimed_at_us), (TaskState::Running, 1, Some(3)));
    bed.take_running(run).unwrap();
    bed.put_final(id, TaskState::Cancelled, None, FinalFacts::default()).unwrap();
    bed.step();
    assert_eq!(bed.phase(id).unwrap(), Some(Phase::Final { state: TaskState::Cancelled }));
    assert_eq!(bed.phase(TaskId(2)).unwrap(), None);
}

/// Two tasks in each state but `Available`, which has four in two queues.
fn two_of_each(bed: &mut Bed) {
    for (id, queue, rank) in [(1, "b", 1), (2, "a", 9), (3, "b", 0), (4, "a", 9)] {
        bed.ready(id, queue, rank);
    }
    for (id, due_at, state) in [
        (5, 20, TaskState::Scheduled),
        (6, 10, TaskState::Scheduled),
        (7, 9, TaskState::Retryable),
        (8, 9, TaskState::Retryable),
    ] {
        let id = bed.body(id);
        bed.put_later(id, due_at, state).unwrap();
    }
    bed.running(9);
    bed.running(10);
    let finals = [TaskState::Completed, TaskState::Failed, TaskState::Cancelled];
    for (id, state) in (11..).zip([finals, finals].concat()) {
        let id = bed.body(id);
        let reason = (state == TaskState::Failed).then_some(FailReason::Crashes);
        bed.put_final(id, state, reason, FinalFacts::default()).unwrap();
    }
    bed.step();
}

fn ids(bed: &mut Bed, state: Option<TaskState>, limit: i64) -> Vec<i64> {
    let views = bed.list(state, limit).unwrap();
    assert!(views.iter().all(|view| state.is_none_or(|state| view.state == state)));
    views.iter().map(|view| view.id.0).collect()
}

pub(crate) fn a_list_has_its_order_and_limit(bed: &mut Bed) {
    for state in TaskState::ALL.map(Some).into_iter().chain([None]) {
        assert_eq!(ids(bed, state, 9), [], "{state:?}");
    }
    two_of_each(bed);
    for (state, want) in [
        (TaskState::Available, &[2, 4, 3, 1][..]),
        (TaskState::Scheduled, &[6, 5]),
        (TaskState::Retryable, &[7, 8]),
        (TaskState::Running, &[10, 9]),
        (TaskState::Completed, &[14, 11]),
        (TaskState::Failed, &[15, 12]),
        (TaskState::Cancelled, &[16, 13]),
    ] {
        assert_eq!(ids(bed, Some(state), 9), want, "{state:?}");
        assert_eq!(ids(bed, Some(state), 1), want[..1], "{state:?}");
    }
    assert_eq!(ids(bed, None, LIST_MAX), (1..=16).rev().collect::<Vec<_>>());
    for (limit, want) in [(3, 3), (0, 1), (i64::MIN, 1), (i64::MAX, 16)] {
        assert_eq!(ids(bed, None, limit).len(), want, "limit {limit}");
    }
    for id in 17..LIST_MAX + 20 {
        bed.ready(id, "many", 0);
    }
    assert_eq!(ids(bed, None, i64::MAX).len(), LIST_MAX as usize);
}

pub(crate) fn a_list_leaves_payloads_out(bed: &mut Bed) {
    let id = bed.body(1);
    bed.put_final(id, TaskState::Completed, None, FinalFacts::default()).unwrap();
    bed.put_result(id, &[1]).unwrap();
    bed.step();
    let whole = bed.task(id).unwrap().unwrap();
    assert!(!whole.args.is_empty() && !whole.result.is_empty());
    let listed = bed.list(None, 1).unwrap().remove(0);
    assert_eq!((&listed.args, &listed.result), (&vec![], &vec![]));
    assert_eq!(queue_core::store::TaskView { args: whole.args.clone(), result: whole.result.clone(), ..listed }, whole);
}
