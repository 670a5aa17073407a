//! Other policies while the queue runs: nothing is lost or claimed twice, and what only the book knew goes along.

use queue_core::meter::Rate;
use queue_core::op::Op;
use queue_core::policy::{Limits, Order, Policies, PoolPolicy, QueuePolicy};
use queue_core::reconfigure::{Progress, reconfigure};
use queue_core::state::TaskState;
use queue_core::task::{NewTask, Outcome, PoolId, TaskId};

use crate::shorthand::*;
use crate::support::values::policies;

/// More than a slice of the way into a new order.
const LONG: usize = 1_500;

fn with(policy: QueuePolicy) -> Policies {
    Policies { queues: [("q".to_owned(), policy)].into(), ..policies() }
}

fn fair() -> QueuePolicy {
    QueuePolicy { order: Order::Fair, ..QueuePolicy::default() }
}

fn of(key: &str) -> NewTask {
    NewTask { key: Some(key.into()), ..task() }
}

fn ids(claimed: &[queue_core::op::Claimed]) -> Vec<i64> {
    claimed.iter().map(|claimed| claimed.run.task.0).collect()
}

#[test]
fn a_slot_that_is_free_stays_free_and_serves_the_new_queue() {
    let mut rig = Rig::file();
    rig.turn(&[], &[demand(MAIN, 2)]);
    rig.enqueue(NewTask { queue: "late".into(), ..task() });
    let mut next = policies();
    next.pools[0].queues.push("late".into());
    next.pools.push(PoolPolicy { name: "new".into(), queues: vec!["late".into()], ..PoolPolicy::default() });
    rig.reconfigure(next);
    let turn = rig.turn(&[], &[demand(PoolId(3), 1)]);
    assert_eq!((claims(&turn)[0].run.task, claims(&turn)[0].pool), (FIRST, MAIN));
    rig.enqueue(NewTask { queue: "late".into(), ..task() });
    assert_eq!(rig.book.rows().credits, [(MAIN, 0), (PoolId(3), 1)].into(), "one was free, and took the second");
}

#[test]
fn a_place_that_serves_nothing_any_more_claims_nothing_and_its_runs_end() {
    let mut rig = Rig::file();
    let first = rig.enqueue(task());
    let run = rig.run();
    rig.turn(&[], &[demand(MAIN, 1)]);
    let mut next = policies();
    next.pools[0].queues.clear();
    rig.reconfigure(next.clone());
    rig.enqueue(task());
    assert_eq!(rig.count(TaskState::Running), 1, "the credit is of no use");
    rig.end(run, Outcome::Ok);
    assert_eq!(rig.view(first).state, TaskState::Completed);
    rig.reconfigure(policies());
    assert_eq!(claims(&rig.turn(&[], &[])).len(), 1, "and of use again when the pool is back in its place");
}

#[test]
fn limits_count_what_runs_already() {
    let mut rig = Rig::file();
    rig.turn(&["a", "a", "a", "b"].map(|key| put(of(key))), &[]);
    let runs = rig.claim(2);
    rig.reconfigure(with(QueuePolicy { limit: Some(3), limit_per_key: Some(1), ..QueuePolicy::default() }));
    assert_eq!(claims(&rig.turn(&[], &[demand(MAIN, 9)])).len(), 1, "b, since two of a run");
    rig.end(runs[0].run, Outcome::Ok);
    assert_eq!(rig.count(TaskState::Running), 2, "one of a still runs");
    rig.reconfigure(policies());
    assert_eq!(claims(&rig.turn(&[], &[])).len(), 1, "the last of a");
}

#[test]
fn a_long_queue_comes_into_a_new_order_step_by_step_and_back() {
    let mut rig = Rig::file();
    rig.turn(&[Op::EnqueueAll(vec![of("a"); LONG]), Op::EnqueueAll(vec![of("b"); 3])], &[]);
    let steps = rig.reconfigure(with(fair()));
    assert!(steps > 2 * LONG / 1_000, "{steps} steps");
    let b = LONG as i64 + 1;
    assert_eq!(ids(&rig.claim(4)), [1, b, 2, b + 1]);
    rig.reconfigure(policies());
    assert_eq!(ids(&rig.claim(3)), [3, 4, 5]);
    assert_eq!(rig.count(TaskState::Available), LONG as i64 + 3 - 7);
}

#[test]
fn a_death_on_the_way_into_a_new_order_loses_nothing() {
    let mut rig = Rig::file();
    rig.turn(&[Op::EnqueueAll(vec![of("a"); LONG])], &[]);
    for steps in 1..5 {
        for _ in 0..steps {
            let step = reconfigure(&mut rig.store, &mut rig.book, &with(fair()), rig.now, &mut || 7);
            assert_eq!(step, Ok(Progress::More));
        }
        rig.next_life();
        assert_eq!(rig.count(TaskState::Available), LONG as i64, "after {steps} steps");
    }
    assert_eq!(ids(&rig.claim(2)), [1, 2]);
}

#[test]
fn keys_go_on_with_their_turns() {
    let mut rig = Rig::file();
    rig.reconfigure(with(fair()));
    rig.turn(&["a", "b"].map(|key| Op::EnqueueAll(vec![of(key); 40])), &[]);
    let first = ids(&rig.claim(20));
    // Whoever comes anew does not make up for what it missed, and nobody is set back.
    let heavy = QueuePolicy { weights: [("b".to_owned(), 3)].into(), ..fair() };
    rig.reconfigure(with(heavy));
    rig.enqueue(of("c"));
    let then = ids(&rig.claim(21));
    let of_b = |ids: &[i64]| ids.iter().filter(|id| (41..=80).contains(*id)).count();
    assert_eq!((of_b(&first), of_b(&then), then.iter().filter(|id| **id == 81).count()), (10, 15, 1));
}

#[test]
fn a_pool_that_loses_its_queues_is_told_that_nothing_waits_any_more() {
    let mut rig = Rig::file();
    let told = |turn: queue_core::tick::Turn| {
        turn.backlogs.iter().map(|backlog| (backlog.pool, backlog.tasks)).collect::<Vec<_>>()
    };
    assert_eq!(told(rig.turn(&[Op::EnqueueAll(vec![task(); 6])], &[])), [(MAIN, 6), (HELPER, 6)]);
    let mut gone = policies();
    gone.pools[MAIN.0].queues.clear();
    rig.reconfigure(gone);
    assert_eq!(told(rig.turn(&[], &[])), [(MAIN, 0)], "without waiting for the next look");
    rig.reconfigure(policies());
    assert_eq!(told(rig.turn(&[], &[])), [(MAIN, 6)]);
}

#[test]
fn a_key_that_is_empty_has_still_had_its_turns() {
    let mut rig = Rig::file();
    rig.reconfigure(with(fair()));
    rig.turn(&["a", "b"].map(|key| Op::EnqueueAll(vec![of(key); 5])), &[]);
    assert_eq!(ids(&rig.claim(4)), [1, 6, 2, 7]);
    rig.turn(&[3, 4, 5].map(|id| Op::Cancel(TaskId(id))), &[]);
    rig.reconfigure(with(QueuePolicy { limit: Some(99), ..fair() }));
    rig.enqueue(of("a"));
    assert_eq!([(); 3].map(|()| rig.run().task.0), [8, 9, 11]);
}

#[test]
fn a_turn_that_was_given_and_not_had_is_given_again() {
    let mut rig = Rig::file();
    rig.reconfigure(with(fair()));
    rig.turn(&["a", "b"].map(|key| Op::EnqueueAll(vec![of(key); 2])), &[]);
    assert_eq!(ids(&rig.claim(2)), [1, 3]);
    rig.reconfigure(with(QueuePolicy { aging_step_us: SECOND, ..fair() }));
    rig.turn(&[Op::EnqueueAll(vec![of("c"); 2])], &[]);
    assert_eq!(ids(&rig.claim(4)), [5, 2, 4, 6]);
}

#[test]
fn what_was_let_through_counts_under_another_rate() {
    let rate = |allowed| Rate { unit: "tasks".into(), allowed, per_us: 60 * SECOND, cost: 1 };
    let metered = |allowed| with(QueuePolicy { rates: vec![rate(allowed)], ..QueuePolicy::default() });
    let mut rig = Rig::file();
    rig.reconfigure(metered(4));
    rig.turn(&[Op::EnqueueAll(vec![task(); 20])], &[]);
    assert_eq!(claims(&rig.turn(&[], &[demand(MAIN, 20)])).len(), 4);
    rig.reconfigure(metered(6));
    let turn = rig.turn(&[], &[]);
    assert_eq!(claims(&turn).len(), 2, "two more in this minute");
    rig.now.wall_us += 3_600 * SECOND;
    rig.reconfigure(metered(7));
    assert_eq!(claims(&rig.turn(&[], &[])).len(), 1, "the wall clock is not asked again");
    rig.pass(62 * SECOND);
    assert_eq!(claims(&rig.turn(&[], &[])).len(), 7);
}

#[test]
fn what_a_run_may_cost_is_asked_at_its_end_and_what_was_stale_stays_counted() {
    let mut rig = Rig::file();
    let id = rig.enqueue(NewTask { kind: "once".into(), ..task() });
    let run = rig.run();
    let once = Limits { max_attempts: 1, ..Limits::default() };
    let mut next = policies();
    next.kinds.insert("once".into(), once);
    rig.turn(&[finish(queue_core::op::RunKey { task: TaskId(9), epoch: 1 }, Outcome::Ok)], &[]);
    rig.reconfigure(next);
    assert_eq!(rig.book.census().stale, 1);
    rig.end(run, Outcome::Error);
    assert_eq!(rig.view(id).state, TaskState::Failed);
}
