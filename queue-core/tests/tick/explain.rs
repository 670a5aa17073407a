//! Why a task waits: each cause in the situation that makes it, and the place in line against what is started then.

use queue_core::explain::{BEFORE_MAX, Before, TaskWait, explain_queue, explain_task};
use queue_core::hold::{Gate, Hold};
use queue_core::meter::Rate;
use queue_core::op::Op;
use queue_core::policy::{Order, Policies, QueuePolicy};
use queue_core::priority::TaskPriority;
use queue_core::state::TaskState;
use queue_core::task::{NewTask, Outcome, PoolId, TaskId};

use crate::shorthand::*;
use crate::support::values::policies;

fn rig(policy: QueuePolicy) -> Rig {
    Rig::memory().under(Policies { queues: [("q".to_owned(), policy)].into(), ..policies() })
}

fn of(key: &str) -> NewTask {
    NewTask { key: Some(key.into()), ..task() }
}

fn pause(key: Option<&str>, for_us: Option<i64>) -> Op {
    Op::Pause { queue: "q".into(), key: key.map(str::to_owned), for_us, reason: "deploy".into() }
}

fn waits(rig: &mut Rig, id: TaskId) -> TaskWait {
    explain_task(&mut rig.store, &rig.book, id, rig.now).unwrap().expect("it waits")
}

fn holds(wait: &TaskWait) -> Vec<Hold> {
    wait.holds.iter().map(|held| held.by.clone()).collect()
}

const BUSY: [PoolId; 2] = [MAIN, PoolId(2)];

#[test]
fn without_a_free_slot_it_waits_for_its_pools_and_for_those_before_it() {
    let mut rig = rig(QueuePolicy::default());
    let (first, second) = (rig.enqueue(task()), rig.enqueue(task()));
    let wait = waits(&mut rig, second);
    assert_eq!(holds(&wait), [Hold::Pools(BUSY.to_vec())]);
    assert_eq!((wait.before, wait.earliest_us()), (Before { count: 1, ..Before::default() }, None));
    assert_eq!(waits(&mut rig, first).before.count, 0);
    rig.run();
    for id in [first, TaskId(99)] {
        assert_eq!(explain_task(&mut rig.store, &rig.book, id, rig.now).unwrap(), None, "it waits for nothing");
    }
}

#[test]
fn a_queue_that_no_pool_serves_is_told() {
    let mut rig = rig(QueuePolicy::default());
    let id = rig.enqueue(NewTask { queue: "elsewhere".into(), ..task() });
    assert_eq!(holds(&waits(&mut rig, id)), [Hold::NoPool]);
}

#[test]
fn before_its_time_that_is_the_cause_and_what_is_closed_even_then() {
    let mut rig = rig(QueuePolicy::default());
    let id = rig.enqueue(NewTask { delay_us: 9 * SECOND, ..of("a") });
    let due = rig.now.wall_us + 9 * SECOND;
    assert_eq!(holds(&waits(&mut rig, id)), [Hold::Due(TaskState::Scheduled, due)]);
    assert_eq!(waits(&mut rig, id).earliest_us(), Some(due));
    rig.ask(pause(None, Some(SECOND)));
    assert_eq!(holds(&waits(&mut rig, id)).len(), 1, "it is open by then");
    rig.ask(pause(Some("a"), Some(10 * SECOND)));
    assert_eq!(waits(&mut rig, id).earliest_us(), Some(due + SECOND));
    rig.ask(pause(None, None));
    let wait = waits(&mut rig, id);
    assert_eq!((wait.earliest_us(), wait.holds[2].reason.as_str()), (None, "deploy"));
}

#[test]
fn a_task_that_failed_waits_to_be_tried_again() {
    let mut rig = standing_in(TaskState::Retryable);
    let due = rig.view(FIRST).due_at_us.unwrap();
    assert_eq!(holds(&waits(&mut rig, FIRST)), [Hold::Due(TaskState::Retryable, due)]);
}

#[test]
fn a_closed_gate_is_told_with_its_end_and_its_reason() {
    let mut rig = rig(QueuePolicy::default());
    let id = rig.enqueue(of("a"));
    rig.enqueue(of("a"));
    rig.ask(pause(Some("a"), Some(SECOND)));
    rig.turn(&[], &[demand(MAIN, 1)]);
    let until = rig.now.wall_us + SECOND;
    let wait = waits(&mut rig, id);
    assert_eq!(holds(&wait), [Hold::KeyClosed(Gate::ClosedUntil(until))]);
    assert_eq!((wait.holds[0].reason.as_str(), wait.earliest_us()), ("deploy", Some(until)));
    rig.ask(pause(None, None));
    let wait = waits(&mut rig, id);
    assert_eq!(holds(&wait), [Hold::KeyClosed(Gate::ClosedUntil(until)), Hold::QueueClosed(Gate::Closed)]);
    assert_eq!(wait.earliest_us(), None, "nobody knows");
}

#[test]
fn limits_are_told_with_their_figures_and_a_key_at_its_limit_with_its_own_tasks() {
    let mut rig = rig(QueuePolicy { limit: Some(3), limit_per_key: Some(2), ..QueuePolicy::default() });
    let ids: Vec<TaskId> = ["a", "a", "a", "b", "a", "b"].map(|key| rig.enqueue(of(key))).to_vec();
    rig.turn(&[], &[demand(MAIN, 9)]);
    let wait = waits(&mut rig, ids[4]);
    let (key, queue) = (Hold::KeyLimit { running: 2, limit: 2 }, Hold::QueueLimit { running: 3, limit: 3 });
    assert_eq!(holds(&wait), [key.clone(), queue.clone()]);
    assert_eq!(wait.before, Before { count: 1, of_key: true, is_least: false });
    let wait = waits(&mut rig, ids[5]);
    assert_eq!((holds(&wait), wait.before.count), (vec![queue.clone()], 0), "those of a are in nobody's way");
    let wait = explain_queue(&mut rig.store, &rig.book, "q", rig.now).unwrap();
    assert_eq!((wait.available, wait.running, wait.holds[0].by.clone()), (3, 3, queue));
    assert_eq!((wait.held_keys, wait.held_tasks), (1, 2));
    assert_eq!((wait.keys[0].key.as_str(), wait.keys[0].waiting, &wait.keys[0].held.by), ("a", 2, &key));
}

#[test]
fn a_key_of_which_nothing_waits_holds_nothing_back_unless_it_is_closed() {
    let mut rig = rig(QueuePolicy { limit_per_key: Some(1), ..QueuePolicy::default() });
    rig.ask(Op::EnqueueAll(["x", "y", "y"].map(of).to_vec()));
    rig.ask(pause(Some("z"), None));
    rig.turn(&[], &[demand(MAIN, 9)]);
    let wait = explain_queue(&mut rig.store, &rig.book, "q", rig.now).unwrap();
    let told: Vec<(&str, u64)> = wait.keys.iter().map(|key| (key.key.as_str(), key.waiting)).collect();
    assert_eq!((told, wait.held_keys, wait.held_tasks), (vec![("y", 1), ("z", 0)], 2, 1));
}

#[test]
fn a_rate_is_told_with_the_moment_from_which_it_lets_the_next_one_through() {
    let rate = Rate { unit: "tokens".into(), allowed: 10, per_us: 60 * SECOND, cost: 1 };
    let mut rig = rig(QueuePolicy { rates: vec![rate], ..QueuePolicy::default() });
    let cost = [("tokens".to_owned(), 15)].into();
    rig.enqueue(NewTask { cost, ..task() });
    let (next, last) = (rig.enqueue(task()), rig.enqueue(task()));
    rig.turn(&[], &[demand(MAIN, 9)]);
    let next_due = rig.turn(&[], &[]).next_due;
    for id in [next, last] {
        let wait = waits(&mut rig, id);
        let [Hold::Meter(debit)] = &holds(&wait)[..] else { panic!("{wait:?}") };
        assert_eq!((debit.unit.as_str(), debit.allowed, debit.debt), ("tokens", 10, 5));
        assert_eq!((Some(debit.opens_at_us), wait.earliest_us()), (next_due, next_due), "as the tick says");
    }
}

#[test]
fn the_time_until_its_turn_follows_from_how_fast_the_queue_goes() {
    let mut rig = rig(QueuePolicy { limit: Some(1), ..QueuePolicy::default() });
    let ids: Vec<TaskId> = (0..60).map(|_| rig.enqueue(task())).collect();
    let mut run = rig.run();
    assert_eq!(waits(&mut rig, ids[59]).about_s(), None, "none has ended yet");
    for _ in 0..30 {
        rig.pass(2 * SECOND);
        let turn = rig.turn(&[finish(run, Outcome::Ok)], &[demand(MAIN, 1)]);
        run = claims(&turn)[0].run;
    }
    let about_s = waits(&mut rig, ids[50]).about_s().unwrap();
    assert!((35.0..=42.0).contains(&about_s), "20 before it at one in 2 s: {about_s}");
    rig.ask(pause(None, None));
    assert_eq!(waits(&mut rig, ids[50]).about_s(), None, "it does not go on by itself");
}

#[test]
fn the_count_of_those_before_it_has_a_limit() {
    let mut rig = rig(QueuePolicy::default());
    for _ in 0..=BEFORE_MAX / 1_000 {
        rig.ask(Op::EnqueueAll(vec![of("a"); 1_000]));
    }
    let wait = waits(&mut rig, TaskId(BEFORE_MAX as i64 + 1_000));
    assert!(wait.before.is_least && wait.before.count >= BEFORE_MAX, "{:?}", wait.before);
}

/// Tasks of several keys and priorities; each is started after as many as it was told, or, where keys take turns and two have
/// the same one, a few more or less.
fn told_and_true(order: Order, tolerance: u64) {
    let weights = [("b".to_owned(), 3)].into();
    let mut rig = rig(QueuePolicy { order, weights, ..QueuePolicy::default() });
    let mut ids = Vec::new();
    for number in 0..400_usize {
        let key = [Some("a"), Some("b"), None, Some("a"), Some("c")][number % 5].map(str::to_owned);
        let priority = TaskPriority::new([0, -20, 30, 7][number / 3 % 4]).unwrap();
        ids.push(rig.enqueue(NewTask { key, priority, ..task() }));
        rig.pass(SECOND);
    }
    for _ in 0..50 {
        let run = rig.run();
        rig.end(run, Outcome::Ok);
        ids.retain(|id| *id != run.task);
    }
    let told: Vec<(TaskId, Before)> = ids.iter().map(|id| (*id, waits(&mut rig, *id).before)).collect();
    let mut started = Vec::new();
    while started.len() < told.len() {
        let run = rig.run();
        started.push(run.task);
        rig.end(run, Outcome::Ok);
    }
    for (id, before) in told {
        let place = started.iter().position(|started| *started == id).unwrap() as u64;
        assert!(!before.of_key && before.count.abs_diff(place) <= tolerance, "{id}: {before:?}, and it was {place}");
    }
}

#[test]
fn a_task_starts_after_as_many_as_it_was_told() {
    told_and_true(Order::Rank, 0);
}

#[test]
fn where_keys_take_turns_too() {
    told_and_true(Order::Fair, 4);
}
