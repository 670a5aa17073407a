//! Who must wait: limits, turns, gates and meters, as claims show them.

use queue_core::hold::Gate;
use queue_core::meter::Rate;
use queue_core::op::{Op, Reply, RunKey};
use queue_core::policy::{Order, Policies, QueuePolicy};
use queue_core::priority::AGING_OFF_US;
use queue_core::state::TaskState;
use queue_core::task::{Ending, NewTask, Note, Outcome, RetryScope, RetryWish, TaskId};
use queue_core::tick::CLOSED_BY_RUN_US_MAX;

use crate::shorthand::*;
use crate::support::values::policies;

fn rig(policy: QueuePolicy) -> Rig {
    Rig::file().under(Policies { queues: [("q".to_owned(), policy)].into(), ..policies() })
}

fn of(key: &str) -> NewTask {
    NewTask { key: Some(key.into()), ..task() }
}

/// The tasks that a turn with so many free slots starts.
fn started(rig: &mut Rig, credits: i64) -> Vec<i64> {
    let turn = rig.turn(&[], &[demand(MAIN, credits)]);
    claims(&turn).iter().map(|claimed| claimed.run.task.0).collect()
}

#[test]
fn limits_hold_and_who_is_at_one_does_not_stand_in_the_way() {
    let mut rig = rig(QueuePolicy { limit: Some(3), limit_per_key: Some(2), ..QueuePolicy::default() });
    for key in ["a", "a", "a", "a", "b", "b"] {
        rig.enqueue(of(key));
    }
    assert_eq!(started(&mut rig, 9), [1, 2, 5]);
    let turn = rig.turn(&[finish(RunKey { task: TaskId(1), epoch: 1 }, Outcome::Ok)], &[]);
    assert_eq!(claims(&turn)[0].run.task, TaskId(3), "in the turn that made room");
    assert_eq!(rig.next_life().runs, 3, "a death frees what was running");
    assert_eq!(started(&mut rig, 9), [2, 3, 5]);
}

#[test]
fn in_a_fair_queue_keys_take_turns_by_their_weights() {
    let weights = [("heavy".to_owned(), 3)].into();
    let mut rig = rig(QueuePolicy { order: Order::Fair, weights, ..QueuePolicy::default() });
    let keys = ["heavy", "light"];
    let bulk = |key: &str| Op::EnqueueAll(vec![of(key); 200]);
    rig.turn(&keys.map(bulk), &[]);
    let first = started(&mut rig, 100);
    assert_eq!(first.iter().filter(|id| **id > 200).count(), 25);
    rig.ask(Op::EnqueueAll(vec![task(); 200]));
    let then = started(&mut rig, 100);
    assert_eq!(then.iter().filter(|id| **id > 400).count(), 20, "tasks without a key are one more");
}

#[test]
fn shares_are_those_of_the_weights_within_two_percent_over_restarts_as_well() {
    const STARTS: usize = 320;
    let weights = [("b".to_owned(), 2), ("c".to_owned(), 5)].into();
    let mut rig = rig(QueuePolicy { order: Order::Fair, weights, ..QueuePolicy::default() });
    rig.turn(&["a", "b", "c"].map(|key| Op::EnqueueAll(vec![of(key); 400])), &[]);
    let (mut shares, mut ended) = ([0_usize; 3], Vec::new());
    for start in 0..STARTS {
        if start % 80 == 79 {
            rig.turn(&std::mem::take(&mut ended), &[]);
            rig.next_life();
        }
        let turn = rig.turn(&ended, &[demand(MAIN, 1)]);
        let [claimed] = &claims(&turn)[..] else { panic!("one slot starts one task") };
        shares[usize::try_from(claimed.run.task.0 - 1).unwrap() / 400] += 1;
        ended = vec![finish(claimed.run, Outcome::Ok)];
    }
    for (share, weight) in shares.into_iter().zip([1, 2, 5]) {
        let exact = STARTS * weight / 8;
        assert!(share.abs_diff(exact) * 50 <= STARTS, "{shares:?}");
    }
}

#[test]
fn a_queue_or_key_that_is_paused_starts_nothing_until_it_is_resumed_or_its_time_has_come() {
    let mut rig = rig(QueuePolicy::default());
    for new in [task(), of("a"), of("b")] {
        rig.enqueue(new);
    }
    let pause = |key: Option<&str>, for_us: Option<i64>| Op::Pause {
        queue: "q".into(),
        key: key.map(str::to_owned),
        for_us,
        reason: "deploy".into(),
    };
    assert_eq!(rig.ask(pause(None, None)), Reply::Gate(Gate::Closed));
    let until = rig.now.wall_us + SECOND;
    assert_eq!(rig.ask(pause(Some("a"), Some(SECOND))), Reply::Gate(Gate::ClosedUntil(until)));
    assert_eq!(started(&mut rig, 9), []);
    rig.next_life();
    assert_eq!(rig.ask(Op::Resume { queue: "q".into(), key: None }), Reply::Gate(Gate::Open));
    let turn = rig.turn(&[], &[demand(MAIN, 9)]);
    assert_eq!(claims(&turn).len(), 2);
    assert_eq!(turn.next_due, Some(rig.now.wall_us + SECOND));
    rig.pass(SECOND);
    assert_eq!(started(&mut rig, 0), [2]);
}

#[test]
fn no_handler_closes_its_queue_for_ever() {
    let mut rig = rig(QueuePolicy::default());
    rig.enqueue(task());
    let run = rig.run();
    let (retry, scope) = (RetryWish::AfterMs(u64::MAX), RetryScope::Queue);
    let ending = Ending { retry, scope, ..Ending::bare(Outcome::Error, "429") };
    rig.ask(Op::Finish { run, ending, refill: None });
    rig.enqueue(task());
    let turn = rig.turn(&[], &[demand(MAIN, 9)]);
    assert_eq!((claims(&turn).len(), turn.next_due), (0, Some(rig.now.wall_us + CLOSED_BY_RUN_US_MAX)));
    rig.pass(CLOSED_BY_RUN_US_MAX);
    assert_eq!(started(&mut rig, 0), [2]);
}

#[test]
fn a_debt_that_is_never_paid_holds_nothing_but_its_queue() {
    let rate = Rate { unit: "tokens".into(), allowed: 1, per_us: 365 * 86_400 * SECOND, cost: 1 };
    let mut rig = rig(QueuePolicy { rates: vec![rate], ..QueuePolicy::default() });
    rig.enqueue(task());
    rig.enqueue(task());
    let run = rig.run();
    // The wall clock is ahead of that of the meters from now on.
    rig.now.wall_us += 86_400 * SECOND;
    let note = Note { spend: [("tokens".to_owned(), i64::MAX)].into(), ..Note::default() };
    rig.ask(Op::Note { run, note });
    let turn = rig.turn(&[], &[demand(MAIN, 9)]);
    assert_eq!((claims(&turn).len(), turn.next_due), (0, Some(i64::MAX)));
}

#[test]
fn a_handler_may_close_its_queue_or_key_for_a_time() {
    for (scope, open) in [(RetryScope::Task, &[2, 3][..]), (RetryScope::Key, &[3]), (RetryScope::Queue, &[])] {
        let mut rig = rig(QueuePolicy::default());
        for key in ["a", "a", "b"] {
            rig.enqueue(of(key));
        }
        let run = rig.run();
        let retry = RetryWish::AfterMs(2_000);
        let ending = Ending { retry, scope, ..Ending::bare(Outcome::Error, "429") };
        rig.ask(Op::Finish { run, ending, refill: None });
        assert_eq!(started(&mut rig, 9), open, "{scope:?}");
        rig.pass(2 * SECOND);
        started(&mut rig, 0);
        assert_eq!(rig.count(TaskState::Running), 3, "{scope:?}");
    }
}

#[test]
fn a_rate_lets_through_what_it_allows_and_takes_back_what_was_spent() {
    let rate = Rate { unit: "tokens".into(), allowed: 10, per_us: 60 * SECOND, cost: 2 };
    let mut rig = rig(QueuePolicy { rates: vec![rate], ..QueuePolicy::default() });
    for cost in [None, Some(5), None, None] {
        let cost = cost.map(|cost| ("tokens".to_owned(), cost)).into_iter().collect();
        rig.enqueue(NewTask { cost, ..task() });
    }
    let turn = rig.turn(&[], &[demand(MAIN, 9)]);
    let runs: Vec<_> = claims(&turn).iter().map(|claimed| claimed.run).collect();
    assert_eq!(runs.len(), 3);
    assert_eq!(turn.next_due, Some(rig.now.wall_us + 61 * SECOND - rig.now.wall_us % SECOND));
    let note = Note { spend: [("tokens".to_owned(), 11)].into(), ..Note::default() };
    rig.ask(Op::Note { run: runs[0], note });
    rig.restart();
    rig.try_recover().unwrap();
    rig.pass(61 * SECOND);
    assert_eq!(started(&mut rig, 9), [], "all of the period goes to the debt");
    rig.pass(61 * SECOND);
    assert_eq!(started(&mut rig, 9), [1, 2, 3], "and again as much is let through, 1 being still in debt");
}

#[test]
fn priority_alone_decides_where_aging_is_off_and_may_be_given_anew() {
    let mut rig = rig(QueuePolicy { aging_step_us: AGING_OFF_US, ..QueuePolicy::default() });
    let at = |priority: &str| priority.parse().unwrap();
    rig.enqueue(NewTask { priority: at("low"), ..task() });
    rig.pass(1_000_000 * SECOND);
    rig.enqueue(task());
    rig.enqueue(of("a"));
    assert_eq!(rig.ask(Op::Reprioritise { id: TaskId(3), priority: at("critical") }), Reply::Applied);
    rig.next_life();
    assert_eq!(rig.view(TaskId(3)).priority, at("critical"));
    assert_eq!(started(&mut rig, 2), [3, 2]);
    let run = Op::Reprioritise { id: TaskId(3), priority: at("low") };
    assert_eq!(rig.ask(run), Reply::NotWaiting(TaskState::Running));
}

#[test]
fn a_key_of_which_nothing_is_left_is_forgotten() {
    for order in Order::ALL {
        let mut rig = rig(QueuePolicy { order, limit_per_key: Some(1), ..QueuePolicy::default() });
        rig.ask(Op::EnqueueAll((0..100).map(|number| of(&format!("key-{}", number % 50))).collect()));
        for left in [50, 0] {
            let turn = rig.turn(&[], &[demand(MAIN, 50)]);
            assert_eq!(rig.book.rows().lanes.len(), 50, "{order:?}");
            let ends: Vec<Op> = claims(&turn).iter().map(|claimed| finish(claimed.run, Outcome::Ok)).collect();
            rig.turn(&ends, &[]);
            assert_eq!(rig.book.rows().lanes.len(), left, "{order:?}");
        }
        // A fair queue keeps such a key while others wait, until it has come to the next turn of the key.
        assert!(rig.book.rows().spent_lanes.is_empty(), "{order:?}");
        rig.enqueue(of("other"));
        assert_eq!(rig.book.rows().lanes.len(), 1, "{order:?}");
    }
}
