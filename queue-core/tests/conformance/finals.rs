//! Final tasks and results.

use queue_core::state::{FailReason, TaskState};
use queue_core::store::{EndedRun, FinalFacts, Phase, StoreErrorKind};
use queue_core::task::TaskId;

use crate::bed::{Bed, refusal};

const FACTS: FinalFacts = FinalFacts { epoch: 4, finished_at_us: 5, wait_us: 6, run_us: 7, cut: true };

pub(crate) fn a_final_task_is_read_back_with_its_result(bed: &mut Bed) {
    let (with, without) = (bed.body(1), bed.body(2));
    bed.put_final(with, TaskState::Completed, None, FACTS).unwrap();
    bed.put_result(with, &[9, 0, 255]).unwrap();
    bed.put_final(without, TaskState::Completed, None, FinalFacts::default()).unwrap();
    bed.step();
    let view = bed.task(with).unwrap().unwrap();
    assert_eq!((view.state, view.reason, view.tally.epoch), (TaskState::Completed, None, FACTS.epoch));
    assert_eq!((view.finished_at_us, view.wait_us, view.run_us), (Some(5), Some(6), Some(7)));
    assert_eq!((view.result, view.cut), (vec![9, 0, 255], true));
    assert_eq!((view.due_at_us, view.claimed_at_us), (None, None));
    let view = bed.task(without).unwrap().unwrap();
    assert_eq!((view.result, view.cut), (vec![], false));
    assert_eq!(refusal(bed.put_result(with, &[])), StoreErrorKind::Constraint, "a result is put once");
}

pub(crate) fn every_state_and_reason_is_spelled_both_ways(bed: &mut Bed) {
    let failed = FailReason::ALL.map(|reason| (TaskState::Failed, Some(reason)));
    let others = [(TaskState::Completed, None), (TaskState::Cancelled, None)];
    for (id, (state, reason)) in (1..).zip(failed.into_iter().chain(others)) {
        let id = bed.body(id);
        bed.put_final(id, state, reason, FACTS).unwrap();
        bed.step();
        let view = bed.task(id).unwrap().unwrap();
        assert_eq!((view.state, view.reason), (state, reason));
        assert_eq!(bed.phase(id).unwrap(), Some(Phase::Final { state }));
    }
}

pub(crate) fn a_task_ends_once(bed: &mut Bed) {
    let id = bed.body(1);
    bed.put_final(id, TaskState::Cancelled, None, FACTS).unwrap();
    bed.step();
    assert_eq!(refusal(bed.put_final(id, TaskState::Cancelled, None, FACTS)), StoreErrorKind::Constraint);
}

pub(crate) fn ended_runs_are_listed_up_to_the_limit(bed: &mut Bed) {
    assert_eq!(bed.ended_runs(9).unwrap(), []);
    for (id, state, reason) in [
        (3, TaskState::Completed, None),
        (1, TaskState::Failed, Some(FailReason::Attempts)),
        (2, TaskState::Completed, None),
    ] {
        let id = bed.body(id);
        bed.put_final(id, state, reason, FinalFacts { run_us: id.0, ..FACTS }).unwrap();
    }
    bed.ready(4, "q", 0);
    bed.step();
    let (kind, epoch, finished_at_us, wait_us) = ("plain".to_owned(), FACTS.epoch, FACTS.finished_at_us, FACTS.wait_us);
    let ended = |state, run_us| EndedRun { kind: kind.clone(), state, epoch, finished_at_us, wait_us, run_us };
    let want = [ended(TaskState::Completed, 2), ended(TaskState::Completed, 3), ended(TaskState::Failed, 1)];
    assert_eq!(bed.ended_runs(9).unwrap(), want);
    assert_eq!(bed.ended_runs(2).unwrap(), want[..2]);
    assert_eq!(bed.task(TaskId(4)).unwrap().unwrap().run_us, None);
}
