//! Turns and savepoints.

use queue_core::store::Phase;
use queue_core::task::TaskId;

use crate::bed::Bed;

fn is_there(bed: &mut Bed, id: i64) -> bool {
    matches!(bed.phase(TaskId(id)).unwrap(), Some(Phase::Available(_)))
}

pub(crate) fn a_savepoint_is_released_or_undone(bed: &mut Bed) {
    bed.ready(1, "q", 0);
    bed.savepoint().unwrap();
    bed.ready(2, "q", 0);
    bed.undo().unwrap();
    bed.savepoint().unwrap();
    bed.ready(3, "q", 0);
    bed.release().unwrap();
    assert!(bed.undo().is_err(), "a released savepoint is gone");
    bed.step();
    assert_eq!([1, 2, 3].map(|id| is_there(bed, id)), [true, false, true]);
}

pub(crate) fn what_is_abandoned_never_was(bed: &mut Bed) {
    bed.ready(1, "q", 0);
    bed.step();
    bed.ready(2, "q", 0);
    bed.savepoint().unwrap();
    bed.ready(3, "q", 0);
    bed.abandon(None);
    bed.abandon(None);
    bed.begin().unwrap();
    bed.step();
    assert_eq!([1, 2, 3].map(|id| is_there(bed, id)), [true, false, false], "and leaving twice does no harm");
}
