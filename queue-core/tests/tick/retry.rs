//! Retry of final tasks: from each state, with budgets as new, under epochs that go on.

use queue_core::op::{Notice, Op, Reply, RunKey};
use queue_core::state::{FailReason, TaskState};
use queue_core::store::EndedRun;
use queue_core::task::{Ending, NewTask, Outcome, Tally, TaskId};

use crate::shorthand::*;

const FINAL: [TaskState; 3] = [TaskState::Completed, TaskState::Failed, TaskState::Cancelled];

/// As many runs as one life of `outcome` may have, the last of which is final.
fn until_final(rig: &mut Rig, outcome: Outcome) -> u32 {
    for run in 1.. {
        rig.pass(3_600 * SECOND);
        let key = rig.run();
        if let Notice::Finished { .. } = rig.end(key, outcome) {
            return run;
        }
    }
    unreachable!()
}

#[test]
fn what_is_final_is_available_again() {
    for state in FINAL {
        let mut rig = standing_in(state);
        let before = rig.view(FIRST);
        rig.pass(SECOND);
        let turn = rig.turn(&[Op::Retry(FIRST)], &[]);
        assert_eq!((turn.replies, turn.notices), (vec![Reply::Retried], vec![]), "{state:?}");
        assert_eq!((turn.counts.get(TaskState::Available), turn.counts.get(state)), (1, 0));
        let view = rig.view(FIRST);
        let tally = Tally { epoch: before.tally.epoch, ..Tally::default() };
        assert_eq!((view.state, view.reason, view.tally), (TaskState::Available, None, tally), "{state:?}");
        assert_eq!((view.finished_at_us, view.wait_us, view.run_us), (None, None, None), "{state:?}");
        assert_eq!((view.args, view.created_at_us), (before.args, before.created_at_us), "{state:?}");
        let claimed = rig.claim(1).remove(0);
        assert_eq!((claimed.run.epoch, claimed.attempt), (before.tally.epoch + 1, 1), "{state:?}");
        rig.end(claimed.run, Outcome::Ok);
        assert_eq!(rig.view(FIRST).state, TaskState::Completed, "{state:?}");
    }
}

#[test]
fn only_what_is_final_is_tried_again() {
    for state in TaskState::ALL.into_iter().filter(|state| !state.is_final()) {
        let mut rig = standing_in(state);
        let before = rig.view(FIRST);
        assert_eq!(rig.ask(Op::Retry(FIRST)), Reply::NotFinal(state));
        assert_eq!(rig.view(FIRST), before);
    }
    assert_eq!(Rig::memory().ask(Op::Retry(TaskId(7))), Reply::NoSuchTask);
    let mut rig = standing_in(TaskState::Failed);
    let replies = rig.turn(&[Op::Retry(FIRST), Op::Retry(FIRST)], &[]).replies;
    assert_eq!(replies, [Reply::Retried, Reply::NotFinal(TaskState::Available)], "and only once");
}

#[test]
fn every_life_has_its_own_budgets() {
    for (outcome, runs, reason) in [
        (Outcome::Error, 5, FailReason::Attempts),
        (Outcome::Timeout, 5, FailReason::Attempts),
        (Outcome::Signal, 3, FailReason::Crashes),
        (Outcome::Lost, 15, FailReason::Crashes),
    ] {
        let mut rig = Rig::memory();
        rig.enqueue(task());
        for life in 1..=3 {
            assert_eq!(until_final(&mut rig, outcome), runs, "{outcome:?} in life {life}");
            let view = rig.view(FIRST);
            assert_eq!((view.reason, view.tally.epoch), (Some(reason), i64::from(life * runs)), "{outcome:?}");
            assert_eq!(rig.store.attempts(FIRST).unwrap().len() as u32, life * runs, "all that it did is kept");
            assert_eq!(rig.ask(Op::Retry(FIRST)), Reply::Retried);
        }
    }
}

#[test]
fn what_was_spent_before_is_forgotten_whole() {
    let mut rig = Rig::memory();
    rig.enqueue(task());
    let ends = [Outcome::Error, Outcome::Signal, Outcome::Lost, Outcome::Lost, Outcome::Lost, Outcome::Lost];
    for outcome in ends {
        rig.pass(3_600 * SECOND);
        let run = rig.run();
        rig.end(run, outcome);
    }
    rig.ask(Op::Cancel(FIRST));
    rig.ask(Op::Retry(FIRST));
    assert_eq!(rig.view(FIRST).tally, Tally { epoch: 6, ..Tally::default() });
    let run = rig.run();
    rig.end(run, Outcome::Lost);
    assert_eq!(rig.view(FIRST).tally.crashes, 0, "it would be the fifth in a row");
}

#[test]
fn an_answer_of_the_former_life_is_too_late() {
    let mut rig = standing_in(TaskState::Completed);
    let old = RunKey { task: FIRST, epoch: 1 };
    rig.ask(Op::Retry(FIRST));
    assert_eq!(rig.ask(finish(old, Outcome::Ok)), Reply::Stale);
    let new = rig.run();
    assert_eq!(rig.ask(finish(old, Outcome::Ok)), Reply::Stale);
    assert_eq!(rig.ask(finish(new, Outcome::Ok)), Reply::Applied);
    assert_eq!(new.epoch, 2);
}

#[test]
fn a_result_goes_and_the_run_that_had_it_is_remembered() {
    let mut rig = Rig::memory();
    rig.enqueue(task());
    let run = rig.run();
    rig.pass(5 * SECOND);
    let ending = Ending { result: vec![1], cut: true, run_us: 4 * SECOND, ..Ending::bare(Outcome::Ok, "") };
    rig.ask(Op::Finish { run, ending, refill: None });
    rig.pass(SECOND);
    rig.ask(Op::Retry(FIRST));
    let view = rig.view(FIRST);
    assert_eq!((view.result, view.cut), (vec![], false));
    let attempts = rig.store.attempts(FIRST).unwrap();
    let first = &attempts[0];
    assert_eq!((first.epoch, first.outcome, first.run_us), (1, Outcome::Ok, 4 * SECOND));
    assert_eq!((first.started_at_us, first.ended_at_us), (FIRST_WALL_US + SECOND, FIRST_WALL_US + 5 * SECOND));
    let run = rig.run();
    let ending = Ending { result: vec![2], ..Ending::bare(Outcome::Ok, "") };
    rig.ask(Op::Finish { run, ending, refill: None });
    assert_eq!(rig.view(FIRST).result, [2]);
    rig.ask(Op::Retry(FIRST));
    let epochs: Vec<i64> = rig.store.attempts(FIRST).unwrap().iter().map(|attempt| attempt.epoch).collect();
    assert_eq!(epochs, [1, 2], "each once");
}

#[test]
fn a_task_that_never_ran_is_tried_for_the_first_time() {
    let mut rig = Rig::file();
    rig.enqueue(task());
    for _ in 0..2 {
        rig.ask(Op::Cancel(FIRST));
        assert_eq!(rig.ask(Op::Retry(FIRST)), Reply::Retried, "also twice at one epoch");
    }
    assert_eq!(rig.store.attempts(FIRST).unwrap(), []);
    rig.next_life();
    assert_eq!(rig.run(), RunKey { task: FIRST, epoch: 1 });
    rig.end(RunKey { task: FIRST, epoch: 1 }, Outcome::Ok);
    let (kind, state) = ("plain".to_owned(), TaskState::Completed);
    let (finished_at_us, wait_us, run_us) = (rig.now.wall_us, 0, 0);
    let want = EndedRun { kind, state, epoch: 1, finished_at_us, wait_us, run_us };
    assert_eq!(rig.store.ended_runs(9).unwrap(), [want]);
}

#[test]
fn a_retry_queues_up_anew_under_its_priority() {
    let mut rig = Rig::memory();
    let low = NewTask { priority: "low".parse().unwrap(), ..task() };
    rig.enqueue(low);
    rig.ask(Op::Cancel(FIRST));
    rig.pass(SECOND);
    rig.turn(&[put(task()), Op::Retry(FIRST), put(task())], &[]);
    let order: Vec<i64> = rig.claim(3).iter().map(|claimed| claimed.run.task.0).collect();
    assert_eq!(order, [2, 3, 1]);
    assert_eq!(rig.book.rows().running[&FIRST].wait_us, 0, "what it waited in its former life does not count");
}

#[test]
fn a_name_is_kept_over_a_retry() {
    let mut rig = Rig::file();
    rig.enqueue(named("n"));
    let run = rig.run();
    rig.end(run, Outcome::Ok);
    rig.ask(Op::Retry(FIRST));
    assert_eq!(rig.ask(put(named("n"))), Reply::Enqueued { id: FIRST, existing: true });
    rig.next_life();
    assert_eq!(rig.ask(put(named("n"))), Reply::Enqueued { id: FIRST, existing: true });
}

#[test]
fn end_retry_and_claim_fit_in_one_turn() {
    let mut rig = standing_in(TaskState::Running);
    let run = RunKey { task: FIRST, epoch: 1 };
    let turn = rig.turn(&[finish(run, Outcome::Ok), Op::Retry(FIRST)], &[demand(MAIN, 1)]);
    assert_eq!(turn.replies, [Reply::Applied, Reply::Retried]);
    assert_eq!(claims(&turn)[0].run.epoch, 2);
    assert_eq!(turn.notices[0], Notice::Finished { id: FIRST, state: TaskState::Completed, reason: None });
}
