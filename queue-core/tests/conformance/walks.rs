//! Walks from page to page, while tasks come and go and where almost nothing passes the filter.

use queue_core::op::RunKey;
use queue_core::state::TaskState;
use queue_core::store::{Filter, FinalFacts, LIST_MAX, LOOKED_AT_MAX, Phase, TaskView};
use queue_core::task::TaskId;

use crate::bed::Bed;
use crate::lists::{ids, of_state, six_of_each, stand, walk};

/// What is promised: a task that stays where it is, is on exactly one page. Meanwhile others come before, at and behind the
/// place of every page, and some of them go again.
pub(crate) fn a_walk_meets_each_task_that_stays_once(bed: &mut Bed) {
    six_of_each(bed);
    let mut next_id = 43;
    for state in TaskState::ALL.map(Some).into_iter().chain([None]) {
        for limit in [1, 2, 4] {
            let filter = Filter { state, ..Filter::default() };
            let stay = ids(&bed.list(&filter, None, LIST_MAX).unwrap());
            let walked = walk(bed, &filter, limit, |bed, pages| {
                if pages >= 6 {
                    return;
                }
                for (state, at) in TaskState::ALL.into_iter().zip([6, 8, 9, 10, 6, 8, 9]) {
                    stand(bed, next_id, ("j", "b"), state, at);
                    next_id += 1;
                }
                let gone = (43..next_id).step_by(pages + 2).filter(|id| !stay.contains(id));
                for view in gone.filter_map(|id| bed.task(TaskId(id)).unwrap()).collect::<Vec<_>>() {
                    end(bed, &view);
                }
                bed.step();
            });
            let met: Vec<i64> = walked.iter().map(|view| view.id.0).filter(|id| stay.contains(id)).collect();
            assert_eq!(met, stay, "{state:?} in pages of {limit}");
        }
    }
}

/// The tasks that a page showed end before the next one is asked for, with that at which the cursor stands.
pub(crate) fn a_walk_goes_on_from_a_place_that_is_empty_by_now(bed: &mut Bed) {
    for (queue, rank, id) in [("a", 5, 1), ("a", 5, 2), ("b", 1, 3), ("b", 2, 4), ("b", 2, 5), ("c", 0, 6)] {
        stand(bed, id, ("k", queue), TaskState::Available, rank);
        stand(bed, id + 10, ("k", queue), TaskState::Scheduled, rank);
        stand(bed, id + 20, ("k", queue), TaskState::Running, 0);
    }
    bed.step();
    for (state, want) in [
        (TaskState::Available, [1, 2, 3, 4, 5, 6]),
        (TaskState::Scheduled, [16, 13, 14, 15, 11, 12]),
        (TaskState::Running, [26, 25, 24, 23, 22, 21]),
    ] {
        let (mut met, mut next) = (Vec::new(), None);
        loop {
            let page = bed.list(&of_state(state), next.as_ref(), 2).unwrap();
            for view in &page.tasks {
                end(bed, view);
            }
            bed.step();
            met.extend(ids(&page));
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        assert_eq!(met, want, "{state:?}");
        assert_eq!(bed.list(&of_state(state), None, 9).unwrap().tasks, []);
    }
}

fn end(bed: &mut Bed, view: &TaskView) {
    match view.state {
        TaskState::Available => {
            let Some(Phase::Available(place)) = bed.phase(view.id).unwrap() else { panic!("it is not claimable") };
            bed.take_ready(&place.queue, place.since_us, view.id).unwrap();
        }
        TaskState::Running => assert!(bed.take_running(RunKey { task: view.id, epoch: 1 }).unwrap()),
        TaskState::Scheduled | TaskState::Retryable => bed.take_later(view.id).unwrap(),
        ended => bed.take_final(view.id, ended).unwrap(),
    }
    bed.put_final(view.id, TaskState::Cancelled, None, FinalFacts::default()).unwrap();
}

/// However rare what is wanted, a page looks at a bounded number of rows; it says where to go on.
pub(crate) fn a_page_that_has_looked_enough_is_short_and_has_a_next_one(bed: &mut Bed) {
    stand(bed, 1, ("rare", "a"), TaskState::Retryable, 3);
    for id in 2..=LOOKED_AT_MAX + 1 {
        stand(bed, id, ("k", "a"), TaskState::Scheduled, 2);
    }
    stand(bed, LOOKED_AT_MAX + 2, ("rare", "a"), TaskState::Scheduled, 2);
    bed.step();
    let rare = Filter { kind: Some("rare".into()), ..Filter::default() };
    for (filter, first, second) in [
        (rare.clone(), &[LOOKED_AT_MAX + 2][..], &[1][..]),
        (Filter { state: Some(TaskState::Scheduled), ..rare }, &[], &[LOOKED_AT_MAX + 2]),
        (of_state(TaskState::Retryable), &[], &[1]),
    ] {
        let page = bed.list(&filter, None, 9).unwrap();
        assert_eq!(ids(&page), first, "{filter:?}");
        let page = bed.list(&filter, Some(&page.next.unwrap()), 9).unwrap();
        assert_eq!((ids(&page), page.next), (second.to_vec(), None), "{filter:?}");
    }
}
