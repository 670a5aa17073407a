//! Final tasks and results.

use queue_core::op::RunKey;
use queue_core::state::{FailReason, TaskState};
use queue_core::store::{Ended, EndedRun, FinalFacts, Phase, StoreErrorKind};
use queue_core::task::{Ending, NewTask, Outcome, Tally, TaskId};

use crate::bed::{Bed, refusal};
use crate::values::task;

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

pub(crate) fn a_final_task_is_taken_away_whole(bed: &mut Bed) {
    let new = NewTask { queue: "other".into(), priority: "high".parse().unwrap(), ..task() };
    for (id, state) in (1..).zip([TaskState::Completed, TaskState::Failed, TaskState::Cancelled]) {
        let id = TaskId(id);
        bed.insert_task(id, &new, 0, 0).unwrap();
        let reason = (state == TaskState::Failed).then_some(FailReason::Attempts);
        bed.put_final(id, state, reason, FACTS).unwrap();
        bed.put_result(id, &[1]).unwrap();
        bed.step();
        let ended = |tally| Ended { queue: "other".into(), key: None, priority: new.priority, tally, facts: FACTS };
        assert_eq!(bed.ended(id, state).unwrap(), ended(Tally { epoch: 4, ..Tally::default() }));
        let tally = Tally { epoch: 3, runs: 4, attempts: 3, crashes: 2, lost: 1 };
        bed.put_tally(id, tally, 0).unwrap();
        bed.step();
        assert_eq!(
            bed.ended(id, state).unwrap(),
            ended(Tally { epoch: 4, ..tally }),
            "under the epoch of its last run"
        );
        bed.take_final(id, state).unwrap();
        bed.step();
        assert_eq!(bed.ended_runs(9).unwrap(), []);
        assert_eq!(refusal(bed.take_final(id, state)), StoreErrorKind::Invariant, "only once");
        bed.put_ready("other", 0, id, None).unwrap();
        assert_eq!(bed.task(id).unwrap().unwrap().result, [], "and its result with it");
        bed.take_ready("other", 0, id).unwrap();
    }
    let other = bed.body(9);
    bed.put_final(other, TaskState::Failed, Some(FailReason::Attempts), FACTS).unwrap();
    assert_eq!(refusal(bed.take_final(other, TaskState::Completed)), StoreErrorKind::Invariant, "from where it is");
    assert!(bed.ended(other, TaskState::Completed).is_err());
}

/// What a retry is for: the budgets count only the runs behind it, and `check_rows` knows.
pub(crate) fn a_retry_is_where_the_budgets_begin(bed: &mut Bed) {
    let task = bed.ready(1, "q", 0);
    bed.save_counters(2, 1, 0).unwrap();
    for epoch in 1..=5 {
        bed.put_attempt(RunKey { task, epoch }, &Ending::bare(Outcome::Error, ""), 0, 0).unwrap();
    }
    let tally = Tally { epoch: 5, runs: 2, attempts: 2, crashes: 0, lost: 0 };
    bed.put_tally(task, tally, 0).unwrap();
    for (last, sound) in [(2, false), (3, true), (3, true), (1, true), (4, false)] {
        bed.put_retry(RunKey { task, epoch: last }, 7).unwrap();
        bed.step();
        assert_eq!(bed.check_rows().unwrap().is_empty(), sound, "retried after run {last}");
    }
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
