//! Runs: fenced by their epoch, marked by a stop, charged to a tally, remembered as attempts.

use queue_core::op::RunKey;
use queue_core::store::{ATTEMPTS_MAX, AttemptView, LinePlace, Phase, StoreErrorKind};
use queue_core::task::{Ending, Outcome, RetryScope, RetryWish, Tally, TaskId, WorkerId};

use crate::bed::{Bed, refusal};

pub(crate) fn a_run_is_taken_under_its_epoch_only(bed: &mut Bed) {
    let run = bed.running(1);
    bed.step();
    for other in [RunKey { epoch: 0, ..run }, RunKey { epoch: 2, ..run }, RunKey { task: TaskId(2), ..run }] {
        assert_eq!(bed.take_running(other), Ok(false), "{other:?}");
    }
    assert_eq!(bed.phase(run.task).unwrap(), Some(Phase::Running));
    assert_eq!(bed.take_running(run), Ok(true));
    bed.step();
    assert_eq!(bed.take_running(run), Ok(false), "only once");
    assert!(!matches!(bed.phase(run.task).unwrap(), Some(Phase::Running)));
}

pub(crate) fn a_task_runs_once_at_a_time(bed: &mut Bed) {
    let run = bed.running(1);
    bed.step();
    assert_eq!(refusal(bed.put_running(RunKey { epoch: 2, ..run }, 0, 0, 0)), StoreErrorKind::Constraint);
}

pub(crate) fn a_stop_marks_what_runs(bed: &mut Bed) {
    let (run, other) = (bed.running(1), bed.running(2));
    let waiting = bed.ready(3, "q", 0);
    assert!(!bed.task(run.task).unwrap().unwrap().cancelling);
    bed.mark_stop(run.task).unwrap();
    bed.step();
    assert!(bed.task(run.task).unwrap().unwrap().cancelling);
    assert!(!bed.task(other.task).unwrap().unwrap().cancelling);
    assert_eq!(refusal(bed.mark_stop(waiting)), StoreErrorKind::Invariant);
}

pub(crate) fn a_tally_is_zeros_until_it_is_put(bed: &mut Bed) {
    let id = bed.body(1);
    bed.put_ready("q", 77, id, None).unwrap();
    assert_eq!(bed.tally(id).unwrap(), Tally::default());
    let since = |since_us| {
        let queue = "q".to_owned();
        Some(Phase::Available(LinePlace { queue, key: None, priority: Default::default(), since_us }))
    };
    assert_eq!(bed.phase(id).unwrap(), since(10), "it stands in line since the time of its body");
    for factor in [1, 2] {
        let n = u32::MAX / factor;
        let tally = Tally { epoch: i64::from(n), runs: n, attempts: n - 1, crashes: n - 2, lost: n - 3 };
        bed.put_tally(id, tally, 77).unwrap();
        bed.step();
        assert_eq!(bed.tally(id).unwrap(), tally, "the last word counts");
        assert_eq!(bed.task(id).unwrap().unwrap().tally, tally);
    }
    assert_eq!(bed.phase(id).unwrap(), since(77), "or of its tally");
    assert_eq!(bed.tally(TaskId(9)).unwrap(), Tally::default());
}

fn full() -> Ending {
    Ending {
        outcome: Outcome::Oom,
        retry: RetryWish::Never,
        scope: RetryScope::Task,
        detail: "memória".into(),
        code: Some(i32::MIN),
        signal: Some(9),
        peak_rss_bytes: Some(i64::MAX),
        cpu_ms: Some(1),
        run_us: 2,
        worker: Some(WorkerId(3)),
        pid: Some(i32::MAX),
        output: vec![0, 255],
        result: vec![1],
        cut: true,
        follow_ups: vec![],
    }
}

pub(crate) fn an_attempt_is_read_back_as_given(bed: &mut Bed) {
    let task = bed.body(1);
    for (epoch, ending) in [(1, full()), (2, Ending::bare(Outcome::Lost, ""))] {
        bed.put_attempt(RunKey { task, epoch }, &ending, 5, 6).unwrap();
        bed.step();
        let view = AttemptView {
            epoch,
            outcome: ending.outcome,
            detail: ending.detail.clone(),
            code: ending.code,
            signal: ending.signal,
            peak_rss_bytes: ending.peak_rss_bytes,
            cpu_ms: ending.cpu_ms,
            started_at_us: 5,
            ended_at_us: 6,
            run_us: ending.run_us,
            worker: ending.worker,
            pid: ending.pid,
            output: ending.output.clone(),
        };
        assert_eq!(bed.attempts(task).unwrap().last(), Some(&view));
        assert_eq!(refusal(bed.put_attempt(RunKey { task, epoch }, &ending, 5, 6)), StoreErrorKind::Constraint);
    }
}

pub(crate) fn attempts_come_oldest_first(bed: &mut Bed) {
    let (task, other) = (bed.body(1), bed.body(2));
    for (epoch, outcome) in (0..).zip(Outcome::ALL).collect::<Vec<_>>().into_iter().rev() {
        bed.put_attempt(RunKey { task, epoch }, &Ending::bare(outcome, ""), 0, 0).unwrap();
    }
    bed.put_attempt(RunKey { task: other, epoch: 1 }, &full(), 0, 0).unwrap();
    bed.step();
    let outcomes: Vec<Outcome> = bed.attempts(task).unwrap().iter().map(|attempt| attempt.outcome).collect();
    assert_eq!(outcomes, Outcome::ALL, "and every outcome is spelled both ways");
    assert_eq!(bed.attempts(TaskId(3)).unwrap(), []);
}

pub(crate) fn of_many_attempts_the_last_are_shown(bed: &mut Bed) {
    let task = bed.body(1);
    for epoch in 1..=ATTEMPTS_MAX + 2 {
        bed.put_attempt(RunKey { task, epoch }, &Ending::bare(Outcome::Lost, ""), 0, 0).unwrap();
    }
    bed.step();
    let epochs: Vec<i64> = bed.attempts(task).unwrap().iter().map(|attempt| attempt.epoch).collect();
    assert_eq!(epochs, (3..=ATTEMPTS_MAX + 2).collect::<Vec<_>>());
}
