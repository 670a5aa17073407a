//! What live runs say of themselves: progress, spend and logs; and that nothing is kept of what comes too late.

use std::collections::BTreeMap;

use queue_core::op::{Notice, Op, Reply, RunKey};
use queue_core::state::{FailReason, TaskState};
use queue_core::store::{BudgetView, LogPart, ProgressView, SPENT_MAX};
use queue_core::task::{LogParts, NewTask, Note, Outcome, Progress, TaskId};

use crate::shorthand::*;

fn progress(done: f64, message: Option<&str>) -> Progress {
    Progress { done: Some(done), total: None, message: message.map(str::to_owned) }
}

fn spending(seq: u64, spend: &[(&str, i64)]) -> Note {
    let spend: BTreeMap<String, i64> = spend.iter().map(|(unit, amount)| ((*unit).to_owned(), *amount)).collect();
    Note { progress: None, spend, seq: Some(seq) }
}

fn note(run: RunKey, note: Note) -> Op {
    Op::Note { run, note }
}

fn log(run: RunKey, parts: &[(i64, &[u8])], dropped: std::ops::Range<i64>) -> Op {
    let parts = parts.iter().map(|(part, bytes)| (*part, bytes.to_vec())).collect();
    Op::Log { run, log: LogParts { parts, dropped } }
}

fn spent(rig: &mut Rig) -> Vec<(String, i64)> {
    rig.view(FIRST).spent
}

/// (run, part, bytes) of all that a task printed.
fn printed(rig: &mut Rig, id: TaskId) -> Vec<(i64, i64, Vec<u8>)> {
    let parts = rig.store.log(id, 0, true, (0, -1)).unwrap();
    parts.into_iter().map(|LogPart { epoch, part, bytes }| (epoch, part, bytes)).collect()
}

#[test]
fn the_last_word_on_progress_counts() {
    let mut rig = standing_in(TaskState::Running);
    let run = RunKey { task: FIRST, epoch: 1 };
    assert_eq!(rig.view(FIRST).progress, None);
    for (done, message) in [(0.5, Some("half")), (0.25, None)] {
        rig.pass(SECOND);
        let said = Note { progress: Some(progress(done, message)), ..Note::default() };
        let turn = rig.turn(&[note(run, said)], &[]);
        assert_eq!((turn.replies, turn.notices), (vec![Reply::Applied], vec![]), "what spends nothing has no number");
        let want = ProgressView { epoch: 1, progress: progress(done, message), noted_at_us: rig.now.wall_us };
        assert_eq!(rig.view(FIRST).progress, Some(want));
    }
    rig.ask(note(run, spending(1, &[("usd", 1)])));
    assert_eq!(rig.view(FIRST).progress.unwrap().progress.done, Some(0.25), "nothing new was said of it");
    rig.end(run, Outcome::Signal);
    let second = rig.run();
    assert_eq!(rig.view(FIRST).progress.unwrap().epoch, 1, "until the next run says more");
    rig.ask(note(second, Note { progress: Some(Progress::default()), ..Note::default() }));
    let view = rig.view(FIRST).progress.unwrap();
    assert_eq!((view.epoch, view.progress), (2, Progress::default()));
}

#[test]
fn a_budget_is_told_of_when_it_is_overspent_and_is_as_new_after_a_retry() {
    let mut rig = Rig::file();
    let id = rig.enqueue(NewTask { budget: BTreeMap::from([("usd".to_owned(), 10)]), ..task() });
    let run = rig.run();
    let turn = rig.turn(&[note(run, spending(1, &[("usd", 10), ("tokens", 1_000)]))], &[]);
    assert_eq!(turn.notices, [Notice::Noted { run, seq: 1 }], "all of it may be spent, and anything without a budget");
    rig.end(run, Outcome::Lost);
    rig.next_life();
    let again = rig.run();
    let turn = rig.turn(&[note(again, spending(1, &[("usd", 1)]))], &[]);
    let overspent = Notice::Overspent { run: again, unit: "usd".into() };
    assert_eq!(turn.notices, [overspent, Notice::Noted { run: again, seq: 1 }]);
    rig.end(again, Outcome::Budget);
    let view = rig.view(id);
    assert_eq!((view.state, view.reason), (TaskState::Failed, Some(FailReason::Budget)));
    assert_eq!(view.budget, [BudgetView { unit: "usd".into(), amount: 10, spent: 11 }]);
    rig.ask(Op::Retry(id));
    assert_eq!(rig.view(id).budget[0].spent, 0);
    assert_eq!(rig.view(id).spent, [("tokens".to_owned(), 1_000), ("usd".to_owned(), 11)], "what is spent is spent");
}

#[test]
fn what_is_spent_adds_up_by_unit_over_all_runs() {
    let mut rig = Rig::file();
    rig.enqueue(task());
    rig.enqueue(task());
    let run = rig.run();
    let other = rig.run();
    let ops = [
        note(run, spending(1, &[("usd", 2), ("tokens", 100)])),
        note(run, spending(2, &[("usd", 3)])),
        note(other, spending(1, &[("usd", 50)])),
    ];
    let turn = rig.turn(&ops, &[]);
    let noted = |run, seq| Notice::Noted { run, seq };
    assert_eq!(turn.notices, [noted(run, 1), noted(run, 2), noted(other, 1)]);
    assert_eq!(spent(&mut rig), [("tokens".to_owned(), 100), ("usd".to_owned(), 5)]);
    rig.end(run, Outcome::Error);
    rig.pass(3_600 * SECOND);
    rig.next_life();
    let second = rig.run();
    rig.ask(note(second, spending(1, &[("usd", 10)])));
    rig.end(second, Outcome::Ok);
    rig.ask(Op::Retry(FIRST));
    let third = rig.claim(2).iter().map(|claimed| claimed.run).find(|run| run.task == FIRST).unwrap();
    rig.ask(note(third, spending(1, &[("usd", 100)])));
    assert_eq!(spent(&mut rig), [("tokens".to_owned(), 100), ("usd".to_owned(), 115)]);
    assert_eq!(rig.view(TaskId(2)).spent, [("usd".to_owned(), 50)]);
}

#[test]
fn spend_is_counted_up_to_a_limit_and_never_back() {
    let mut rig = standing_in(TaskState::Running);
    let run = RunKey { task: FIRST, epoch: 1 };
    for (amount, want) in [
        (-5, 0),
        (7, 7),
        (-5, 7),
        (SPENT_MAX - 8, SPENT_MAX - 1),
        (1, SPENT_MAX),
        (1, SPENT_MAX),
        (i64::MAX, SPENT_MAX),
    ] {
        rig.ask(note(run, spending(1, &[("usd", amount)])));
        assert_eq!(spent(&mut rig), [("usd".to_owned(), want)], "after {amount}");
    }
    rig.ask(note(run, spending(2, &[("at once", i64::MAX)])));
    assert_eq!(spent(&mut rig)[0], ("at once".to_owned(), SPENT_MAX));
}

#[test]
fn what_comes_too_late_is_dropped_whole() {
    let mut rig = standing_in(TaskState::Running);
    let run = RunKey { task: FIRST, epoch: 1 };
    let full = Note { progress: Some(progress(1.0, None)), ..spending(1, &[("usd", 1)]) };
    rig.turn(&[note(run, full.clone()), log(run, &[(0, b"a"), (1, b"b")], 0..0)], &[]);
    let stale = |rig: &mut Rig, run: RunKey| {
        let before = (rig.view(FIRST), printed(rig, FIRST));
        let late = Note { progress: Some(progress(9.0, None)), ..spending(9, &[("usd", 9)]) };
        let turn = rig.turn(&[note(run, late), log(run, &[(0, b"x"), (9, b"y")], 1..2)], &[]);
        assert_eq!((turn.replies, turn.notices), (vec![Reply::Stale, Reply::Stale], vec![]), "{run:?}");
        assert_eq!((rig.view(FIRST), printed(rig, FIRST)), before, "{run:?}");
        assert_eq!(printed(rig, run.task).iter().filter(|(_, part, _)| *part == 9).count(), 0);
    };
    for epoch in [0, 2, i64::MIN, i64::MAX] {
        stale(&mut rig, RunKey { epoch, ..run });
    }
    stale(&mut rig, RunKey { task: TaskId(2), epoch: 1 });
    rig.end(run, Outcome::Signal);
    stale(&mut rig, run);
    let second = rig.run();
    stale(&mut rig, run);
    let turn =
        rig.turn(&[finish(second, Outcome::Ok), note(second, full.clone()), log(second, &[(0, b"z")], 0..0)], &[]);
    assert_eq!(turn.replies[1..], [Reply::Stale, Reply::Stale], "behind its end in one turn");
    assert_eq!(rig.ask(note(second, full)), Reply::Stale);
}

#[test]
fn a_run_that_is_cancelled_is_heard_to_its_end() {
    let mut rig = standing_in(TaskState::Running);
    let run = RunKey { task: FIRST, epoch: 1 };
    rig.ask(Op::Cancel(FIRST));
    let ops = [note(run, spending(3, &[("usd", 1)])), log(run, &[(0, b"bye")], 0..0), finish(run, Outcome::Cancelled)];
    let turn = rig.turn(&ops, &[]);
    assert_eq!(turn.replies, [Reply::Applied, Reply::Applied, Reply::Applied]);
    assert_eq!(turn.notices[..2], [Notice::Noted { run, seq: 3 }, Notice::Logged(run)], "in the order of the ops");
    assert_eq!((spent(&mut rig).len(), printed(&mut rig, FIRST).len()), (1, 1));
}

#[test]
fn nothing_is_told_of_what_was_not_committed() {
    let mut rig = Rig::file();
    rig.enqueue(task());
    let run = rig.run();
    let said = note(run, spending(1, &[("usd", 1)]));
    rig.sql("CREATE TRIGGER t BEFORE UPDATE ON store BEGIN SELECT RAISE(ABORT, 'no'); END");
    assert_eq!(rig.try_turn(std::slice::from_ref(&said), &[]).unwrap_err().detail, "no");
    assert_eq!(spent(&mut rig), []);
    rig.sql("DROP TRIGGER t");
    let turn = rig.turn(&[said], &[]);
    assert_eq!(turn.notices, [Notice::Noted { run, seq: 1 }]);
    assert_eq!(spent(&mut rig), [("usd".to_owned(), 1)], "told again, it counts once");
}

#[test]
fn a_note_that_is_refused_half_way_leaves_nothing_and_is_not_told() {
    let mut rig = Rig::file();
    rig.enqueue(task());
    let run = rig.run();
    rig.sql("CREATE TRIGGER t BEFORE INSERT ON spend WHEN NEW.unit = 'b' BEGIN SELECT RAISE(ABORT, 'no'); END");
    let bad = Note { progress: Some(progress(1.0, None)), ..spending(1, &[("a", 1), ("b", 1)]) };
    let turn = rig.turn(&[note(run, bad), note(run, spending(2, &[("c", 1)])), put(task())], &[]);
    assert!(matches!(turn.replies[0], Reply::Refused(_)));
    assert_eq!((&turn.replies[1], turn.notices), (&Reply::Applied, vec![Notice::Noted { run, seq: 2 }]));
    let view = rig.view(FIRST);
    assert_eq!((view.progress, view.spent), (None, vec![("c".to_owned(), 1)]));
}

#[test]
fn parts_of_a_log_are_replaced_dropped_and_kept_in_order() {
    let mut rig = Rig::memory();
    rig.enqueue(task());
    rig.enqueue(task());
    let (run, other) = (rig.run(), rig.run());
    let turn = rig.turn(&[log(run, &[(1, b"1"), (0, b"0")], 0..0), log(other, &[(0, b"other")], 0..0)], &[]);
    assert_eq!(turn.notices, [Notice::Logged(run), Notice::Logged(other)]);
    let mut say = |parts: &[(i64, &[u8])], dropped, want: &[(i64, i64, &[u8])]| {
        rig.ask(log(run, parts, dropped));
        let want: Vec<_> = want.iter().map(|(epoch, part, bytes)| (*epoch, *part, bytes.to_vec())).collect();
        assert_eq!(printed(&mut rig, FIRST), want);
    };
    say(&[(1, b"one"), (2, b"2"), (3, b"3")], 0..0, &[(1, 0, b"0"), (1, 1, b"one"), (1, 2, b"2"), (1, 3, b"3")]);
    say(&[(4, b"4")], 1..3, &[(1, 0, b"0"), (1, 3, b"3"), (1, 4, b"4")]);
    say(&[], 3..4, &[(1, 0, b"0"), (1, 4, b"4")]);
    say(&[(3, b"back")], 3..4, &[(1, 0, b"0"), (1, 3, b"back"), (1, 4, b"4")]);
    assert_eq!(printed(&mut rig, TaskId(2)), [(1, 0, b"other".to_vec())]);
    rig.end(run, Outcome::Signal);
    let second = rig.run();
    rig.ask(log(second, &[(0, b"again")], 0..9));
    let runs: Vec<i64> = printed(&mut rig, FIRST).iter().map(|(epoch, ..)| *epoch).collect();
    assert_eq!(runs, [1, 1, 1, 2], "each run has a log of its own");
}
