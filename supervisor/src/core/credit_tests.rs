//! Credits are conserved: whatever happens in whatever order, what the queue believes to be free is what is free.

use ipc_contract::message::FromWorker;
use proptest::prelude::*;
use queue_core::op::Op;

use super::command::Command;
use super::event::{Event, Exit};
use super::play::{Play, back, broken, bye, cancel, claim, cleaned, done, fail, gone, hello, ready, says, spawned};
use super::slot::Phase;

const WORKERS: i64 = 3;
/// Workers of a pool of three that one sequence can see, replacements included.
const NUMBERS: std::ops::Range<i64> = 1..12;

/// One thing that happens: which, to which worker, and how long after the last one.
type Step = (u8, i64, i64);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let pause_ms = prop_oneof![4 => 0..10i64, 1 => 100..6_000i64, 1 => 9_000..70_000i64];
    prop::collection::vec((0..18u8, NUMBERS, pause_ms), 1..80)
}

/// What a step is, given the task that the worker has and the next one that can be claimed.
fn event(what: u8, worker: i64, task: i64, next: i64) -> Event {
    match what {
        0 | 1 => spawned(worker),
        2 | 3 => says(worker, FromWorker::Hello(hello())),
        4 | 5 => ready(worker),
        6..=8 => claim(next, Some(5_000)),
        9 | 10 => done(worker, task.unsigned_abs()),
        11 => fail(worker, task.unsigned_abs()),
        12 => cleaned(worker),
        13 => back(worker, task.unsigned_abs()),
        14 => broken(worker),
        15 => bye(worker),
        16 => cancel(task),
        _ => gone(worker, Exit::Signal(11)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_queue_counts_exactly_the_workers_that_are_ready(steps in steps(), shutdown_at in 0..120usize) {
        let mut play = Play::of(WORKERS as u32);
        // As the book of the queue has it: credits given, less what was claimed for them.
        let (mut credits, mut now_ms, mut next) = (0, 0, 100);
        let handle = |play: &mut Play, at_ms: i64, event: Event, credits: &mut i64| {
            *credits -= i64::from(matches!(event, Event::Notice(queue_core::op::Notice::Claimed(_))));
            for command in play.machine.handle(event, at_ms * 1_000, 0) {
                *credits += match command {
                    Command::Demand(demand) => demand.credits,
                    Command::Submit(Op::Finish { refill: Some(_), .. }) => 1,
                    _ => 0,
                };
            }
            play.machine.slots().values().filter(|slot| slot.phase == Phase::Ready).count() as i64
        };
        handle(&mut play, 0, Event::Start, &mut credits);
        for (at, (what, worker, pause_ms)) in steps.into_iter().enumerate() {
            now_ms += pause_ms;
            if at == shutdown_at {
                handle(&mut play, now_ms, Event::Shutdown, &mut credits);
            }
            let has = play.machine.slots().get(&queue_core::task::WorkerId(worker)).and_then(|slot| slot.run());
            let task = has.map_or(1, |run| run.key.task.0);
            // The queue claims only against a credit, or has done so before a worker left: one more at most.
            if (6..=8).contains(&what) && credits < 0 {
                continue;
            }
            let event = event(what, worker, task, next);
            next += 1;
            let ready = handle(&mut play, now_ms, event.clone(), &mut credits);
            prop_assert_eq!(credits, ready, "after {:?} at {} ms", event, now_ms);
        }
    }
}
