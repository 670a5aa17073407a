//! What runs say of themselves: progress, spend, logs.

use queue_core::op::RunKey;
use queue_core::store::{LOG_PARTS_MAX, LogPart, ProgressView, SPENT_MAX};
use queue_core::task::{Progress, TaskId};

use crate::bed::Bed;

pub(crate) fn the_last_progress_is_read_back_as_given(bed: &mut Bed) {
    let (run, other) = (bed.running(1), bed.running(2));
    let message = Some("ação\0\n".to_owned());
    for (epoch, progress, noted_at_us) in [
        (1, Progress { done: Some(0.1), total: Some(f64::MAX), message }, 5),
        (2, Progress { done: Some(-0.5), ..Progress::default() }, i64::MAX),
        (3, Progress::default(), 0),
    ] {
        bed.put_progress(RunKey { epoch, ..run }, &progress, noted_at_us).unwrap();
        bed.step();
        let view = bed.task(run.task).unwrap().unwrap();
        assert_eq!(view.progress, Some(ProgressView { epoch, progress, noted_at_us }));
    }
    assert_eq!(bed.task(other.task).unwrap().unwrap().progress, None);
}

pub(crate) fn spend_adds_up_by_unit(bed: &mut Bed) {
    let (run, other) = (bed.running(1), bed.running(2));
    for (unit, amount) in
        [("usd", 1), ("tokens", i64::MAX), ("usd", 4), ("tokens", 1), ("USD", 9), ("usd", -3), ("none", 0)]
    {
        bed.add_spend(run.task, unit, amount).unwrap();
        bed.step();
    }
    let view = bed.task(run.task).unwrap().unwrap();
    let spent: Vec<(&str, i64)> = view.spent.iter().map(|(unit, amount)| (unit.as_str(), *amount)).collect();
    assert_eq!(spent, [("USD", 9), ("none", 0), ("tokens", SPENT_MAX), ("usd", 5)]);
    assert_eq!(bed.task(other.task).unwrap().unwrap().spent, []);
}

/// Tasks 1 and 2, with parts 0, 1, 2 of runs 1, 2 and 3 each; the byte tells which is which.
fn nine_parts(bed: &mut Bed) -> TaskId {
    for task in [bed.body(1), bed.body(2)] {
        for (epoch, part) in [(2, 1), (2, 0), (3, 2), (1, 0), (1, 2), (1, 1), (3, 0), (2, 2), (3, 1)] {
            bed.put_log(RunKey { task, epoch }, part, &byte(task, epoch, part)).unwrap();
        }
    }
    bed.step();
    TaskId(1)
}

fn byte(task: TaskId, epoch: i64, part: i64) -> Vec<u8> {
    vec![task.0 as u8, epoch as u8, part as u8]
}

/// Look after look, to the end.
fn log(bed: &mut Bed, id: TaskId, run: i64, later: bool, mut after: (i64, i64)) -> Vec<(i64, i64)> {
    let mut all = Vec::new();
    loop {
        let found = look(bed, id, run, later, after);
        let Some(last) = found.last() else { return all };
        after = *last;
        all.extend(found);
    }
}

fn look(bed: &mut Bed, id: TaskId, run: i64, later: bool, after: (i64, i64)) -> Vec<(i64, i64)> {
    let parts = bed.log(id, run, later, after).unwrap();
    assert!(parts.iter().all(|part| part.bytes == byte(id, part.epoch, part.part)));
    parts.iter().map(|part| (part.epoch, part.part)).collect()
}

pub(crate) fn a_log_goes_by_run_and_part_from_behind_a_place(bed: &mut Bed) {
    let id = nine_parts(bed);
    let all = [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2), (3, 0), (3, 1), (3, 2)];
    for (run, later, after, want) in [
        (0, true, (0, -1), &all[..]),
        (1, true, (0, 0), &all),
        (1, true, (1, 0), &all[1..]),
        (1, true, (2, 1), &all[5..]),
        (2, true, (1, 2), &all[3..]),
        (2, false, (1, 2), &all[3..6]),
        (2, false, (2, 0), &all[4..6]),
        (2, false, (2, 2), &[]),
        (2, false, (3, 0), &[]),
        (2, true, (i64::MAX, i64::MAX), &[]),
        (3, false, (i64::MIN, i64::MIN), &all[6..]),
        (4, true, (0, 0), &[]),
    ] {
        assert_eq!(log(bed, id, run, later, after), want, "run {run}, later: {later}, after {after:?}");
    }
    assert_eq!(log(bed, TaskId(3), 0, true, (0, -1)), []);
}

pub(crate) fn a_part_is_replaced_and_parts_are_dropped(bed: &mut Bed) {
    let task = nine_parts(bed);
    let run = RunKey { task, epoch: 2 };
    bed.put_log(run, 1, b"new").unwrap();
    bed.step();
    let part = |part, bytes: &[u8]| LogPart { epoch: 2, part, bytes: bytes.to_vec() };
    let want = [part(0, &[1, 2, 0]), part(1, b"new"), part(2, &[1, 2, 2])];
    assert_eq!(bed.log(task, 2, false, (0, 0)).unwrap(), want);
    for (dropped, left) in [(1..1, &want[..]), (5..9, &want), (1..2, &[want[0].clone(), want[2].clone()]), (0..9, &[])]
    {
        bed.drop_log(run, dropped.clone()).unwrap();
        bed.step();
        assert_eq!(bed.log(task, 2, false, (0, 0)).unwrap(), left, "without {dropped:?}");
    }
    assert_eq!(log(bed, task, 0, true, (0, 0)).len(), 6, "other runs are as they were");
    assert_eq!(log(bed, TaskId(2), 0, true, (0, 0)).len(), 9);
}

pub(crate) fn a_look_at_a_log_is_bounded(bed: &mut Bed) {
    let id = bed.body(1);
    for part in 0..2 * LOG_PARTS_MAX + 1 {
        bed.put_log(RunKey { task: id, epoch: 1 }, part, &byte(id, 1, part)).unwrap();
    }
    bed.step();
    let (mut seen, mut after) = (Vec::new(), (0, 0));
    for want in [LOG_PARTS_MAX, LOG_PARTS_MAX, 1, 0] {
        let found = look(bed, id, 1, false, after);
        assert_eq!(found.len() as i64, want);
        after = found.last().copied().unwrap_or(after);
        seen.extend(found.iter().map(|(_, part)| *part));
    }
    assert_eq!(seen, (0..=2 * LOG_PARTS_MAX).collect::<Vec<_>>());
}
