//! Claims: signed credits, refills, bounds, and the queues of a pool in turn.

use queue_core::op::{Op, Reply, RunKey};
use queue_core::plan::CLAIMS_MAX;
use queue_core::state::TaskState;
use queue_core::task::{Ending, NewTask, Outcome, Overrides, PoolId, TaskId};
use queue_core::tick::Turn;

use crate::shorthand::*;

fn ids(turn: &Turn) -> Vec<i64> {
    claims(turn).iter().map(|claimed| claimed.run.task.0).collect()
}

fn refilling(run: RunKey, pool: PoolId) -> Op {
    Op::Finish { run, ending: Ending::bare(Outcome::Ok, ""), refill: Some(pool) }
}

#[test]
fn a_claim_says_all_that_a_worker_needs() {
    let mut rig = Rig::memory();
    let overrides = Overrides { timeout_ms: Some(70), ..Overrides::default() };
    rig.enqueue(NewTask { args: vec![1, 2], overrides, ..task() });
    for attempt in 1..=2 {
        let claimed = rig.claim(1).remove(0);
        assert_eq!((claimed.run.task, claimed.run.epoch, claimed.attempt), (TaskId(1), attempt.into(), attempt));
        assert_eq!((claimed.pool, claimed.kind.as_str(), claimed.args), (MAIN, "plain", vec![1, 2]));
        assert_eq!(claimed.timeout_ms, Some(70));
        rig.end(claimed.run, Outcome::Signal);
    }
    rig.pass(SECOND);
    let third = rig.claim(1).remove(0);
    rig.end(third.run, Outcome::Recalled);
    let fourth = rig.claim(1).remove(0);
    assert_eq!((fourth.run.epoch, fourth.attempt), (4, third.attempt), "what was given back was no attempt");
}

#[test]
fn credits_are_signed_and_wait_for_tasks() {
    let mut rig = Rig::memory();
    rig.turn(&[put(task()), put(task())], &[]);
    assert_eq!(ids(&rig.turn(&[], &[demand(MAIN, 2), demand(MAIN, -3)])), [], "a debt claims nothing");
    assert_eq!(ids(&rig.turn(&[], &[demand(MAIN, 2)])), [1], "2 pay for a debt of 1");
    assert_eq!(ids(&rig.turn(&[], &[demand(MAIN, 3)])), [2]);
    assert_eq!(ids(&rig.turn(&[put(task())], &[])), [3], "a free slot waits; the task runs in the turn of its enqueue");
    assert_eq!(rig.book.rows().credits[&MAIN], 1);
}

#[test]
fn a_finish_that_refills_is_answered_with_the_next_task() {
    let mut rig = Rig::memory();
    rig.turn(&[put(task()), put(task()), put(task())], &[]);
    let run = rig.run();
    let turn = rig.turn(&[refilling(run, MAIN)], &[]);
    assert_eq!((turn.replies.as_slice(), ids(&turn)), (&[Reply::Applied][..], vec![2]));
    let second = claims(&turn)[0].run;
    let turn = rig.turn(&[finish(second, Outcome::Ok)], &[]);
    assert_eq!(ids(&turn), [], "without a refill the slot is gone");
    let turn = rig.turn(&[refilling(run, MAIN)], &[]);
    assert_eq!(
        (turn.replies.as_slice(), ids(&turn)),
        (&[Reply::Stale][..], vec![3]),
        "a late answer frees its slot too"
    );
}

#[test]
fn a_turn_claims_a_bounded_number_and_says_that_there_is_more() {
    let mut rig = Rig::memory();
    let count = CLAIMS_MAX as i64 + 1;
    rig.turn(&vec![put(task()); count as usize], &[]);
    let turn = rig.turn(&[], &[demand(MAIN, count)]);
    assert_eq!((ids(&turn), turn.more), ((1..count).collect(), true));
    let turn = rig.turn(&[], &[]);
    assert_eq!((ids(&turn), turn.more), (vec![count], false));
    assert_eq!(rig.count(TaskState::Running), count);
}

#[test]
fn the_queues_of_a_pool_take_turns() {
    let mut rig = Rig::memory();
    let on = |queue: &str| put(NewTask { queue: queue.into(), ..task() });
    rig.turn(&[on("a"), on("a"), on("a"), on("b"), on("b"), on("q")], &[]);
    let one_by_one: Vec<i64> = (0..5).map(|_| rig.claim_for(SIDE, 1)[0].run.task.0).collect();
    assert_eq!(one_by_one, [1, 4, 2, 5, 3]);
    assert_eq!(rig.book.rows().ready.keys().collect::<Vec<_>>(), ["q"], "a queue that nobody asked for is left alone");
}

#[test]
fn pools_that_share_a_queue_share_its_head() {
    let mut rig = Rig::memory();
    rig.turn(&[put(task()), put(task()), put(task())], &[]);
    let turn = rig.turn(&[], &[demand(HELPER, 2), demand(MAIN, 1)]);
    let whose: Vec<_> = claims(&turn).iter().map(|claimed| (claimed.pool, claimed.run.task.0)).collect();
    assert_eq!(whose, [(MAIN, 1), (HELPER, 2), (HELPER, 3)]);
}

#[test]
fn the_census_says_what_stands_where() {
    let mut rig = Rig::memory();
    let on = |queue: &str| put(NewTask { queue: queue.into(), ..task() });
    let later = put(NewTask { delay_us: SECOND, ..task() });
    rig.turn(&[on("a"), on("a"), on("b"), on("b"), on("q"), later], &[demand(SIDE, 3), demand(MAIN, 1)]);
    let run = rig.book.rows().running.keys().next().map(|task| RunKey { task: *task, epoch: 1 }).unwrap();
    let turn = rig.turn(&[finish(run, Outcome::Ok), finish(run, Outcome::Ok)], &[]);
    let census = rig.book.census();
    let queues: Vec<_> =
        census.queues.iter().map(|(name, queue)| (name.as_str(), queue.available, queue.running)).collect();
    assert_eq!(queues, [("a", 0, 1), ("b", 1, 1), ("q", 0, 1)]);
    assert_eq!((census.stale, census.counts, turn.counts), (1, rig.book.rows().counts, rig.book.rows().counts));
    assert_eq!(census.counts.unfinished(), 5, "one of six has ended");
}
