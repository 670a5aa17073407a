//! Phases and single tasks.

use queue_core::op::RunKey;
use queue_core::state::TaskState;
use queue_core::store::{FinalFacts, LinePlace, Phase};
use queue_core::task::TaskId;

use crate::bed::Bed;

pub(crate) fn the_phase_follows_the_row(bed: &mut Bed) {
    let id = bed.ready(1, "q", 5);
    let run = RunKey { task: id, epoch: 1 };
    let place = LinePlace { queue: "q".into(), key: None, priority: Default::default(), since_us: 5 };
    assert_eq!(bed.phase(id).unwrap(), Some(Phase::Available(place)));
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
