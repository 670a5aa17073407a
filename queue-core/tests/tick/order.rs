//! Who goes first: rank, aging, and the queue clock that no step of the wall clock moves.

use queue_core::priority::AGING_STEP_US;
use queue_core::task::{NewTask, Outcome, TaskId};

use crate::shorthand::*;

const DAY: i64 = 86_400 * SECOND;

fn with(priority: &str) -> NewTask {
    NewTask { priority: priority.parse().unwrap(), ..task() }
}

/// Claims everything that is claimable, and the order in which it came.
fn order(rig: &mut Rig) -> Vec<i64> {
    let count = rig.book.rows().ready["q"] as usize;
    rig.claim(count).iter().map(|claimed| claimed.run.task.0).collect()
}

#[test]
fn the_most_urgent_first_and_equals_in_order_of_arrival() {
    let mut rig = Rig::memory();
    let arrivals = ["bulk", "normal", "critical", "low", "high", "normal", "critical"];
    rig.turn(&arrivals.map(|priority| put(with(priority))), &[]);
    assert_eq!(order(&mut rig), [3, 7, 5, 2, 6, 4, 1]);
}

#[test]
fn urgency_overtakes_only_what_waits_for_less_than_its_steps() {
    for (pause_us, want) in
        [(10 * AGING_STEP_US - 1, [2, 1]), (10 * AGING_STEP_US, [1, 2]), (10 * AGING_STEP_US + 1, [1, 2])]
    {
        let mut rig = Rig::memory();
        rig.enqueue(with("normal"));
        rig.pass(pause_us);
        rig.enqueue(with("high"));
        assert_eq!(order(&mut rig), want, "after {pause_us} us");
    }
}

#[test]
fn a_task_that_is_given_back_keeps_its_place() {
    for outcome in [Outcome::Recalled, Outcome::Signal, Outcome::Lost] {
        let mut rig = Rig::memory();
        rig.enqueue(task());
        rig.pass(SECOND);
        rig.enqueue(task());
        let run = rig.run();
        rig.pass(SECOND);
        rig.end(run, outcome);
        assert_eq!(order(&mut rig), [1, 2], "{outcome:?}");
    }
}

#[test]
fn a_task_that_is_tried_again_later_queues_up_anew() {
    let mut rig = Rig::memory();
    rig.enqueue(task());
    let run = rig.run();
    rig.end(run, Outcome::Error);
    rig.pass(SECOND / 2);
    rig.enqueue(task());
    rig.pass(SECOND / 2);
    rig.turn(&[], &[]);
    assert_eq!(order(&mut rig), [2, 1]);
}

#[test]
fn a_step_of_the_wall_clock_reorders_nothing() {
    for step_us in [DAY, -DAY] {
        let mut rig = Rig::file();
        for _ in 0..3 {
            rig.enqueue(task());
            rig.pass(SECOND);
            rig.now.wall_us += step_us;
        }
        rig.restart();
        rig.now.wall_us -= 2 * step_us;
        rig.enqueue(task());
        assert_eq!(order(&mut rig), [1, 2, 3, 4], "steps of {step_us} us");
        let running = &rig.book.rows().running;
        let waits_s = [1, 2, 3, 4].map(|id| running[&TaskId(id)].wait_us / SECOND);
        assert_eq!(waits_s, [2, 1, 0, 0], "what was measured up to the last commit counts");
    }
}

#[test]
fn the_queue_clock_goes_on_where_the_former_life_left_it() {
    let mut rig = Rig::file();
    rig.pass(10 * SECOND);
    rig.enqueue(task());
    rig.restart();
    assert_eq!(rig.book.clock_us(rig.now), 10 * SECOND, "a night of not running is no waiting");
    rig.pass(SECOND);
    assert_eq!(rig.book.clock_us(rig.now), 11 * SECOND);
    rig.enqueue(task());
    assert_eq!(order(&mut rig), [1, 2]);
}
