//! Cancel: in each state, against every end of a run, and over a restart.

use queue_core::op::{Notice, Op, Reply};
use queue_core::state::TaskState;
use queue_core::task::{Outcome, TaskId};

use crate::shorthand::*;

const GONE: Notice = Notice::Finished { id: FIRST, state: TaskState::Cancelled, reason: None };

#[test]
fn what_waits_is_cancelled_at_once() {
    for state in [TaskState::Scheduled, TaskState::Available, TaskState::Retryable] {
        let mut rig = standing_in(state);
        let turn = rig.turn(&[Op::Cancel(FIRST)], &[demand(MAIN, 1)]);
        assert_eq!((turn.replies, turn.notices), (vec![Reply::Cancelled], vec![GONE]), "{state:?}");
        rig.pass(3_600 * SECOND);
        assert_eq!(rig.turn(&[], &[]).notices, [], "{state:?}: it never runs");
        assert_eq!(rig.view(FIRST).state, TaskState::Cancelled);
    }
}

#[test]
fn what_is_final_stays_as_it_is() {
    for state in [TaskState::Completed, TaskState::Failed, TaskState::Cancelled] {
        let mut rig = standing_in(state);
        let before = rig.view(FIRST);
        assert_eq!(rig.ask(Op::Cancel(FIRST)), Reply::AlreadyFinal(state));
        assert_eq!(rig.view(FIRST), before);
    }
    assert_eq!(Rig::memory().ask(Op::Cancel(TaskId(7))), Reply::NoSuchTask);
}

#[test]
fn what_runs_is_stopped_first_and_asked_only_once() {
    let mut rig = standing_in(TaskState::Running);
    let run = queue_core::op::RunKey { task: FIRST, epoch: 1 };
    let turn = rig.turn(&[Op::Cancel(FIRST), Op::Cancel(FIRST)], &[]);
    assert_eq!(turn.replies, [Reply::Stopping, Reply::Stopping]);
    assert_eq!(turn.notices, [Notice::StopWanted(run)]);
    assert_eq!(rig.turn(&[Op::Cancel(FIRST)], &[]).notices, []);
    let view = rig.view(FIRST);
    assert_eq!(
        (view.state, view.cancelling),
        (TaskState::Running, true),
        "not cancelled before its processes are gone"
    );
}

#[test]
fn a_cancelled_run_that_is_done_is_done_and_every_other_end_is_the_cancel() {
    for outcome in Outcome::ALL {
        for in_one_turn in [false, true] {
            let mut rig = standing_in(TaskState::Running);
            let run = queue_core::op::RunKey { task: FIRST, epoch: 1 };
            if in_one_turn {
                rig.turn(&[Op::Cancel(FIRST), finish(run, outcome)], &[]);
            } else {
                rig.ask(Op::Cancel(FIRST));
                rig.ask(finish(run, outcome));
            }
            let want = if outcome == Outcome::Ok { TaskState::Completed } else { TaskState::Cancelled };
            let view = rig.view(FIRST);
            assert_eq!((view.state, view.reason, view.cancelling), (want, None, false), "{outcome:?} {in_one_turn}");
        }
    }
}

#[test]
fn a_cancel_that_follows_the_end_in_one_turn_finds_what_the_end_left() {
    for (outcome, want) in [
        (Outcome::Ok, Reply::AlreadyFinal(TaskState::Completed)),
        (Outcome::Error, Reply::Cancelled),
        (Outcome::Signal, Reply::Cancelled),
    ] {
        let mut rig = standing_in(TaskState::Running);
        let run = queue_core::op::RunKey { task: FIRST, epoch: 1 };
        let turn = rig.turn(&[finish(run, outcome), Op::Cancel(FIRST)], &[demand(MAIN, 1)]);
        assert_eq!((claims(&turn), &turn.replies), (vec![], &vec![Reply::Applied, want]), "{outcome:?}");
    }
}

#[test]
fn a_task_can_be_cancelled_in_the_turn_of_its_enqueue() {
    let mut rig = Rig::memory();
    let turn = rig.turn(&[put(task()), Op::Cancel(FIRST)], &[demand(MAIN, 1)]);
    assert_eq!((turn.replies[1].clone(), turn.notices), (Reply::Cancelled, vec![GONE]));
}

#[test]
fn a_cancel_outlives_the_supervisor() {
    let mut rig = Rig::file();
    rig.enqueue(task());
    rig.run();
    rig.ask(Op::Cancel(FIRST));
    rig.next_life();
    assert_eq!(rig.view(FIRST).state, TaskState::Cancelled);
    assert_eq!(rig.turn(&[], &[demand(MAIN, 1)]).notices, []);
}
