//! Credits are conserved: whatever happens in whatever order, what the queue believes to be free is what is free.

use ipc_contract::message::{Beat, FromWorker};
use ipc_contract::session::State;
use proptest::prelude::*;
use queue_core::op::{Notice, Op};
use queue_core::task::WorkerId;

use super::command::Command;
use super::event::{Event, Exit};
use super::play::{Play, back, broken, bye, cancel, claim, cleaned, done, fail, gone, hello, ready, says, spawned};
use super::slot::{Phase, Slot};

const WORKERS: u32 = 3;

/// One thing that happens: which, to the how-manieth living worker, and how long after the last one.
type Step = (u8, usize, i64);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let pause_ms = prop_oneof![6 => 0..10i64, 1 => 100..6_000i64, 1 => 9_000..70_000i64];
    prop::collection::vec((0..24u8, 0..WORKERS as usize, pause_ms), 1..120)
}

/// What a good worker would do next on its way to be ready.
fn onward(worker: i64, slot: &Slot) -> Event {
    match slot.session.state() {
        _ if slot.pid.is_none() => spawned(worker),
        State::Starting => says(worker, FromWorker::Hello(hello())),
        State::Welcomed => ready(worker),
        _ => says(worker, FromWorker::Beat(Beat {})),
    }
}

fn event(what: u8, worker: i64, slot: &Slot, unclaimed: i64) -> Event {
    let task = slot.run().map_or(1, |run| run.key.task.0);
    match what {
        0..8 => onward(worker, slot),
        8..12 => claim(unclaimed, Some(5_000)),
        12 | 13 => done(worker, task.unsigned_abs()),
        14 => fail(worker, task.unsigned_abs()),
        15 | 16 => cleaned(worker),
        17 => back(worker, task.unsigned_abs()),
        18 => broken(worker),
        19 => bye(worker),
        20 => cancel(task),
        21 => gone(worker, Exit::Signal(11)),
        _ => Event::Tick,
    }
}

/// How an event and what follows from it change the credits that the queue believes in.
fn balance(event: &Event, commands: &[Command]) -> i64 {
    let given = |command: &Command| match command {
        Command::Demand(demand) => demand.credits,
        Command::Submit(Op::Finish { refill: Some(_), .. }) => 1,
        _ => 0,
    };
    commands.iter().map(given).sum::<i64>() - i64::from(matches!(event, Event::Notice(Notice::Claimed(_))))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// A claim may come without a free worker: it was made before that worker left.
    #[test]
    fn the_queue_counts_exactly_the_workers_that_are_ready(steps in steps(), shutdown_at in 0..180usize) {
        let mut machine = Play::of(WORKERS).machine;
        let (mut credits, mut now, mut unclaimed) = (0, 0, 100);
        let mut events = vec![Event::Start];
        for (at, (what, nth, pause_ms)) in steps.into_iter().enumerate() {
            events.extend((at == shutdown_at).then_some(Event::Shutdown));
            for event in events.drain(..) {
                let commands = machine.handle(event.clone(), now, 0);
                credits += balance(&event, &commands);
                let free = machine.slots().values().filter(|slot| slot.phase == Phase::Ready).count();
                prop_assert_eq!(credits, free as i64, "after {:?} at {} us", event, now);
            }
            now += pause_ms * 1_000;
            unclaimed += 1;
            let living = machine.slots().iter().nth(nth);
            events.extend(living.map(|(&WorkerId(worker), slot)| event(what, worker, slot, unclaimed)));
        }
    }
}
