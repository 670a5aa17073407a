//! What waits for the workers of a pool: how many tasks could start now, and of which kinds.

use queue_core::backlog::{Backlog, LOOK_EVERY_US};
use queue_core::meter::Rate;
use queue_core::op::Op;
use queue_core::policy::{Order, Policies, QueuePolicy};
use queue_core::task::{NewTask, Outcome};

use crate::shorthand::*;
use crate::support::values::policies;

fn rig(policy: QueuePolicy) -> Rig {
    Rig::file().under(Policies { queues: [("q".to_owned(), policy)].into(), ..policies() })
}

fn of(key: &str, kind: &str) -> NewTask {
    NewTask { key: Some(key.into()), kind: kind.into(), ..task() }
}

/// What is told once a look is due.
fn told(rig: &mut Rig, ops: &[Op]) -> Option<u64> {
    rig.pass(LOOK_EVERY_US);
    rig.turn(ops, &[]).backlogs.first().map(|backlog| backlog.tasks)
}

#[test]
fn the_first_and_the_last_are_told_at_once_and_what_lies_between_ten_times_a_second() {
    let mut rig = rig(QueuePolicy::default());
    let first = rig.turn(&[Op::Enqueue(task())], &[]);
    let one = Backlog { pool: MAIN, tasks: 1, kinds: [("plain".to_owned(), 1)].into() };
    assert_eq!(first.backlogs[0], one);
    let second = rig.turn(&[Op::Enqueue(task())], &[]);
    assert_eq!((second.backlogs.len(), second.next_turn(rig.now)), (0, Some(rig.now.wall_us + LOOK_EVERY_US)));
    rig.pass(LOOK_EVERY_US);
    let then = rig.turn(&[], &[]);
    assert_eq!((then.backlogs[0].tasks, then.next_turn(rig.now)), (2, None));
    let last = rig.turn(&[], &[demand(MAIN, 2)]);
    assert_eq!((claims(&last).len(), &last.backlogs[0]), (2, &Backlog { pool: MAIN, ..Backlog::default() }));
    assert_eq!(told(&mut rig, &[]), None, "nothing new");
}

#[test]
fn only_what_may_start_counts() {
    let mut rig = rig(QueuePolicy { limit: Some(5), limit_per_key: Some(2), ..QueuePolicy::default() });
    let keyed = |key: &str| Op::EnqueueAll(vec![of(key, "plain"); 100]);
    assert_eq!(told(&mut rig, &[keyed("a")]), Some(2), "of one key two may run");
    assert_eq!(told(&mut rig, &[keyed("b"), keyed("c")]), Some(5), "of all keys five");
    let turn = rig.turn(&[], &[demand(MAIN, 3)]);
    assert_eq!(told(&mut rig, &[]), Some(2));
    let run = claims(&turn)[0].run;
    assert_eq!(told(&mut rig, &[finish(run, Outcome::Ok)]), Some(3));
    let close = Op::Pause { queue: "q".into(), key: None, for_us: None, reason: String::new() };
    assert_eq!(told(&mut rig, &[close]), Some(0));
    assert_eq!(told(&mut rig, &[Op::Resume { queue: "q".into(), key: None }]), Some(3));
}

#[test]
fn what_waits_in_lanes_counts_but_not_behind_a_closed_key() {
    let mut rig = rig(QueuePolicy { order: Order::Fair, ..QueuePolicy::default() });
    let keyed = |key: &str, kind: &str| Op::EnqueueAll(vec![of(key, kind); 50]);
    assert_eq!(told(&mut rig, &[keyed("a", "plain"), keyed("b", "slow")]), Some(100));
    let close = Op::Pause { queue: "q".into(), key: Some("a".into()), for_us: None, reason: String::new() };
    rig.pass(LOOK_EVERY_US);
    let turn = rig.turn(&[close], &[]);
    assert_eq!(turn.backlogs[0], Backlog { pool: MAIN, tasks: 50, kinds: [("slow".to_owned(), 1)].into() });
}

#[test]
fn a_meter_lets_through_what_it_has() {
    let per_us = 60 * SECOND;
    let rate = Rate { unit: "tasks".into(), allowed: 7, per_us, cost: 1 };
    let mut rig = rig(QueuePolicy { rates: vec![rate], ..QueuePolicy::default() });
    assert_eq!(told(&mut rig, &[Op::EnqueueAll(vec![task(); 100])]), Some(7));
    rig.turn(&[], &[demand(MAIN, 7)]);
    assert_eq!(told(&mut rig, &[]), Some(0));
    rig.pass(2 * per_us);
    assert_eq!(told(&mut rig, &[]), Some(7));
}

#[test]
fn each_pool_that_serves_a_queue_is_told() {
    let mut rig = Rig::memory();
    let turn = rig.turn(&[Op::Enqueue(task())], &[]);
    assert_eq!(
        turn.backlogs.iter().map(|backlog| (backlog.pool, backlog.tasks)).collect::<Vec<_>>(),
        [(MAIN, 1), (HELPER, 1)]
    );
}
