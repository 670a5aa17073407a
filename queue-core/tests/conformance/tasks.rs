//! Bodies and names.

use std::collections::BTreeMap;

use queue_core::store::{LinePlace, Phase, SPENT_MAX, StoreErrorKind};
use queue_core::task::{NewTask, Overrides, TaskId};

use crate::bed::{Bed, refusal};
use crate::values::task;

pub(crate) fn a_body_is_read_back_as_given(bed: &mut Bed) {
    let full = NewTask {
        kind: "kind".into(),
        queue: "queue".into(),
        priority: "-100".parse().unwrap(),
        args: vec![0, 255, 7],
        name: Some("ação: 1".into()),
        key: Some("cliente: é".into()),
        budget: BTreeMap::from([("usd".to_owned(), SPENT_MAX)]),
        cost: BTreeMap::from([("tokens".to_owned(), u32::MAX)]),
        delay_us: 0,
        overrides: Overrides { timeout_ms: Some(i64::MAX), max_attempts: Some(u32::MAX), max_crashes: Some(0) },
    };
    let bare = NewTask::default();
    for (id, new) in [(1, full), (i64::MAX, bare)] {
        bed.insert_task(TaskId(id), &new, -5, 99).unwrap();
        bed.put_ready(&new.queue, -5, TaskId(id), None).unwrap();
        bed.step();
        let (queue, key, priority) = (new.queue.clone(), new.key.clone(), new.priority);
        let place = LinePlace { queue, key, priority, since_us: -5 };
        let view = bed.task(TaskId(id)).unwrap().unwrap();
        assert_eq!((view.key, view.cost), (new.key, new.cost));
        assert_eq!((view.id, view.created_at_us), (TaskId(id), 99));
        assert_eq!((view.kind, view.queue, view.priority), (new.kind, new.queue.clone(), new.priority));
        assert_eq!((view.args, view.name, view.overrides), (new.args, new.name, new.overrides));
        assert_eq!(bed.phase(TaskId(id)).unwrap(), Some(Phase::Available(place)));
    }
    assert_eq!(bed.task(TaskId(2)).unwrap(), None);
}

pub(crate) fn an_id_is_used_once(bed: &mut Bed) {
    bed.body(1);
    bed.step();
    assert_eq!(refusal(bed.insert_task(TaskId(1), &task(), 0, 0)), StoreErrorKind::Constraint);
}

pub(crate) fn a_name_finds_its_task(bed: &mut Bed) {
    let id = bed.named(4, "n");
    assert_eq!(bed.find_name("n").unwrap(), None, "a name is held from the moment it is put");
    bed.put_name("n", id).unwrap();
    bed.step();
    assert_eq!(bed.find_name("n").unwrap(), Some((id, task().kind, task().args)));
    for other in ["N", "n ", "", "%"] {
        assert_eq!(bed.find_name(other).unwrap(), None, "{other:?}");
    }
}

pub(crate) fn a_name_is_held_by_one_task(bed: &mut Bed) {
    let (first, second) = (bed.named(1, "n"), bed.named(2, "n"));
    bed.put_name("n", first).unwrap();
    bed.step();
    assert_eq!(refusal(bed.put_name("n", second)), StoreErrorKind::Constraint);
}
