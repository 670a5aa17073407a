//! Lists: their order, their limits, their filters.

use queue_core::op::RunKey;
use queue_core::state::{FailReason, TaskState};
use queue_core::store::{Cursor, Filter, FinalFacts, LIST_MAX, Page, TaskView};
use queue_core::task::{NewTask, TaskId};

use crate::bed::Bed;
use crate::values::task;

/// More pages than any walk has.
const PAGES_MAX: usize = 2_000;

pub(crate) fn of_state(state: TaskState) -> Filter {
    Filter { state: Some(state), ..Filter::default() }
}

fn filters(states: &[Option<TaskState>], kinds: &[Option<&str>], queues: &[Option<&str>]) -> Vec<Filter> {
    let name = |name: &Option<&str>| name.map(str::to_owned);
    let mut all = Vec::new();
    for state in states {
        for kind in kinds {
            all.extend(queues.iter().map(|queue| Filter { state: *state, kind: name(kind), queue: name(queue) }));
        }
    }
    all
}

/// Puts a task into `state`; its place in the list of that state is `at`.
pub(crate) fn stand(bed: &mut Bed, id: i64, (kind, queue): (&str, &str), state: TaskState, at: i64) {
    let new = NewTask { kind: kind.into(), queue: queue.into(), ..task() };
    let id = TaskId(id);
    bed.insert_task(id, &new, at, 0).unwrap();
    match state {
        TaskState::Available => bed.put_ready(queue, at, id, None).unwrap(),
        TaskState::Scheduled | TaskState::Retryable => bed.put_later(id, at, state).unwrap(),
        TaskState::Running => bed.put_running(RunKey { task: id, epoch: 1 }, at, 0, 0).unwrap(),
        TaskState::Completed | TaskState::Failed | TaskState::Cancelled => {
            let reason = (state == TaskState::Failed).then_some(FailReason::Crashes);
            bed.put_final(id, state, reason, FinalFacts::default()).unwrap();
        }
    }
}

/// In each state six tasks: of kinds `j` and `k`, in queues `a`, `b` and `b.c`, at places 9, 8, 9, 7, 9, 9.
pub(crate) fn six_of_each(bed: &mut Bed) -> Vec<TaskState> {
    let bodies = [("j", "b.c"), ("k", "a"), ("j", "b"), ("k", "b"), ("j", "a"), ("j", "b")];
    for (first, state) in (1..).step_by(bodies.len()).zip(TaskState::ALL) {
        for ((id, body), at) in (first..).zip(bodies).zip([9, 8, 9, 7, 9, 9]) {
            stand(bed, id, body, state, at);
        }
    }
    bed.step();
    (0..bodies.len() * TaskState::ALL.len()).map(|index| TaskState::ALL[index / bodies.len()]).collect()
}

pub(crate) fn ids(page: &Page) -> Vec<i64> {
    page.tasks.iter().map(|view| view.id.0).collect()
}

/// All pages one after the other, each cursor as text between them; `between` may change what is not looked at.
pub(crate) fn walk(
    bed: &mut Bed,
    filter: &Filter,
    limit: i64,
    mut between: impl FnMut(&mut Bed, usize),
) -> Vec<TaskView> {
    let (mut seen, mut next) = (Vec::new(), None);
    for pages in 0..PAGES_MAX {
        let page = bed.list(filter, next.as_ref(), limit).unwrap();
        assert!(page.tasks.len() as i64 <= limit);
        seen.extend(page.tasks);
        let Some(cursor) = page.next else { return seen };
        next = Some(cursor.to_string().parse::<Cursor>().unwrap());
        between(bed, pages);
    }
    panic!("the walk has no end: {filter:?}")
}

pub(crate) fn a_list_has_its_order_and_limit(bed: &mut Bed) {
    for filter in filters(&TaskState::ALL.map(Some), &[None, Some("k")], &[None, Some("a")]) {
        assert_eq!(bed.list(&filter, None, 9).unwrap(), Page::default(), "{filter:?}");
    }
    six_of_each(bed);
    for (state, want) in [
        (TaskState::Scheduled, [4, 2, 1, 3, 5, 6]),
        (TaskState::Available, [8, 11, 10, 9, 12, 7]),
        (TaskState::Running, [18, 17, 16, 15, 14, 13]),
        (TaskState::Retryable, [22, 20, 19, 21, 23, 24]),
        (TaskState::Completed, [30, 29, 28, 27, 26, 25]),
        (TaskState::Failed, [36, 35, 34, 33, 32, 31]),
        (TaskState::Cancelled, [42, 41, 40, 39, 38, 37]),
    ] {
        for limit in [1, 2, 5, 6, 9] {
            let page = bed.list(&of_state(state), None, limit as i64).unwrap();
            assert_eq!(ids(&page), want[..limit.min(6)], "{state:?}");
            assert!(page.next.is_some() || limit > 6, "{state:?}: a page that is full may have a next one");
            assert!(page.tasks.iter().all(|view| view.state == state));
        }
        assert_eq!(bed.list(&of_state(state), None, 9).unwrap().next, None);
    }
    let all = Filter::default();
    assert_eq!(ids(&bed.list(&all, None, LIST_MAX).unwrap()), (1..=42).rev().collect::<Vec<_>>());
    for (limit, want) in [(3, 3), (0, 1), (i64::MIN, 1), (i64::MAX, 42)] {
        assert_eq!(bed.list(&all, None, limit).unwrap().tasks.len(), want, "limit {limit}");
    }
    for id in 43..LIST_MAX + 50 {
        bed.ready(id, "many", 0);
    }
    assert_eq!(bed.list(&all, None, i64::MAX).unwrap().tasks.len(), LIST_MAX as usize);
}

pub(crate) fn a_list_has_what_passes_its_filter(bed: &mut Bed) {
    let states = six_of_each(bed);
    let whole: Vec<TaskView> = (1..=42).map(|id| bed.task(TaskId(id)).unwrap().unwrap()).collect();
    for (view, state) in whole.iter().zip(states) {
        assert_eq!(view.state, state);
    }
    let each = TaskState::ALL.map(Some).into_iter().chain([None]).collect::<Vec<_>>();
    let queues = [None, Some("a"), Some("b"), Some("b.c"), Some("c")];
    for filter in filters(&each, &[None, Some("j"), Some("k"), Some("K")], &queues) {
        let passes = |view: &&TaskView| {
            filter.state.is_none_or(|state| view.state == state)
                && filter.kind.as_ref().is_none_or(|kind| view.kind == *kind)
                && filter.queue.as_ref().is_none_or(|queue| view.queue == *queue)
        };
        let want: Vec<i64> = whole.iter().filter(passes).map(|view| view.id.0).collect();
        let in_order = ids(&bed.list(&filter, None, 99).unwrap());
        let mut found = in_order.clone();
        found.sort_unstable();
        assert_eq!(found, want, "{filter:?}");
        for limit in [1, 2, 5, 42] {
            let walked: Vec<i64> = walk(bed, &filter, limit, |_, _| ()).iter().map(|view| view.id.0).collect();
            assert_eq!(walked, in_order, "{filter:?} in pages of {limit}");
        }
    }
}

pub(crate) fn a_list_leaves_payloads_out(bed: &mut Bed) {
    let run = bed.running(1);
    bed.add_spend(run.task, "usd", 1).unwrap();
    bed.put_progress(run, &Default::default(), 0).unwrap();
    assert!(bed.take_running(run).unwrap());
    bed.put_final(run.task, TaskState::Completed, None, FinalFacts::default()).unwrap();
    bed.put_result(run.task, &[1]).unwrap();
    bed.step();
    let whole = bed.task(run.task).unwrap().unwrap();
    assert!(!whole.args.is_empty() && !whole.result.is_empty() && !whole.spent.is_empty());
    let listed = bed.list(&Filter::default(), None, 1).unwrap().tasks.remove(0);
    assert_eq!((&listed.args, &listed.result, &listed.spent), (&vec![], &vec![], &vec![]));
    let (args, result, spent) = (whole.args.clone(), whole.result.clone(), whole.spent.clone());
    assert_eq!(TaskView { args, result, spent, ..listed }, whole);
}
