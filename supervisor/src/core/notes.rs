//! What runs say of themselves and print: how far they are, what they have spent, their log; how often that is kept.

use ipc_contract::message::{self, Ack, Log, ToWorker};
use queue_core::op::{Op, RunKey};
use queue_core::task::{Note, Progress, TaskId, WorkerId};

use super::command::{Command, Report};
use super::log_budget::clip;
use super::machine::{LOG_EVERY_US, Machine};
use super::slot::Run;
use super::timers::Timer;

/// How often it is while somebody reads it as it is written.
const LOG_FOLLOWED_EVERY_US: i64 = 200_000;
/// Who reads a log as it is written renews the wish before this is over.
const FOLLOW_US: i64 = 3_000_000;
/// How often the progress of a run is kept; what it says in between is replaced.
const PROGRESS_EVERY_US: i64 = 1_000_000;
/// Of a progress message.
const MESSAGE_BYTES_MAX: usize = 1024;

impl Machine {
    /// A late note, of a run that has ended, is ignored.
    pub(super) fn note(&mut self, worker: WorkerId, note: message::Note, now: i64) {
        if let Err(error) = note.validate() {
            return self.broken(worker, &format!("note: {error}"), now);
        }
        let Some(run) = self
            .running(worker)
            .filter(|run| run.reference() == (message::RunRef { task: note.task, epoch: note.epoch }))
        else {
            return;
        };
        let has_progress = progress(&note).map(|progress| run.progress = Some(progress)).is_some();
        if has_progress {
            self.await_progress(worker, now);
        }
        let Some(run) = self.running(worker) else { return };
        if note.seq > 0 {
            let key = run.key;
            let progress = run.progress.take();
            let spend = note.spend.into_iter().map(|(unit, amount)| (unit, i64::try_from(amount).unwrap_or(i64::MAX)));
            let note = Note { progress, spend: spend.collect(), seq: Some(note.seq) };
            return self.out.push(Command::Submit(Op::Note { run: key, note }));
        }
        if run.progress.is_some() {
            let at = run.progress_kept_at.saturating_add(PROGRESS_EVERY_US).max(now);
            self.timers.set(Timer::Note(worker), at);
        }
    }

    pub(super) fn keep_progress(&mut self, worker: WorkerId, now: i64) {
        let Some(run) = self.running(worker) else { return };
        let Some(progress) = run.progress.take() else { return };
        run.progress_kept_at = now;
        let (run, note) = (run.key, Note { progress: Some(progress), ..Note::default() });
        self.out.push(Command::Submit(Op::Note { run, note }));
    }

    /// What a note has spent is kept. Its run may have ended, or its worker be gone: then nobody waits for it.
    pub(super) fn noted(&mut self, run: RunKey, seq: u64) {
        let here = |slot: &super::slot::Slot| slot.working().is_some_and(|at| at.key == run) && !slot.broken;
        let Some(worker) = self.slots.iter().find(|(_, slot)| here(slot)).map(|(worker, _)| *worker) else { return };
        let (task, epoch) = (run.task.0.unsigned_abs(), run.epoch.unsigned_abs());
        self.send(worker, ToWorker::Ack(Ack { task, epoch, seq }));
    }

    /// A line of a live run belongs to the log of its task, any other to the supervisor's own.
    pub(super) fn log(&mut self, worker: WorkerId, log: Log, now: i64) {
        let Some(slot) = self.slots.get_mut(&worker) else { return };
        if log.run.is_some() && slot.working().map(Run::reference) == log.run {
            return self.out.push(Command::AddLine(worker, log.level, log.message));
        }
        let (passes, dropped) = slot.log_budget.take(now);
        if dropped > 0 {
            self.alert("log_flood", format!("worker {worker} logs too much: {dropped} lines were dropped"));
        }
        if passes {
            let task = log.run.and_then(|run| i64::try_from(run.task).ok()).map(TaskId);
            let report = Report::WorkerSaid { worker, task, level: log.level, text: clip(log.message) };
            self.out.push(Command::Report(report));
        }
    }

    pub(super) fn keep_log(&mut self, worker: WorkerId, now: i64) {
        let Some(run) = self.running(worker) else { return };
        let every = if run.followed_until > now { LOG_FOLLOWED_EVERY_US } else { LOG_EVERY_US };
        let run = run.key;
        self.timers.set(Timer::Log(worker), now + every);
        self.out.push(Command::KeepLog { worker, run, is_last: false });
    }

    pub(super) fn follow(&mut self, task: TaskId, now: i64) {
        let here = |slot: &super::slot::Slot| slot.working().is_some_and(|run| run.key.task == task);
        let Some(worker) = self.slots.iter().find(|(_, slot)| here(slot)).map(|(worker, _)| *worker) else { return };
        let Some(run) = self.running(worker) else { return };
        let was_followed = run.followed_until > now;
        run.followed_until = now + FOLLOW_US;
        if !was_followed {
            self.timers.set(Timer::Log(worker), now);
        }
    }

    fn running(&mut self, worker: WorkerId) -> Option<&mut Run> {
        self.slots.get_mut(&worker)?.working_mut()
    }
}

/// What a note says of how far the run is. What is out of range is taken for the nearest that is not.
fn progress(note: &message::Note) -> Option<Progress> {
    if note.done.is_none() && note.total.is_none() && note.message.is_none() {
        return None;
    }
    let number = |value: Option<f64>| value.filter(|value| !value.is_nan()).map(|value| value.clamp(0.0, f64::MAX));
    let (done, total) = (number(note.done), number(note.total).filter(|total| *total > 0.0));
    let done = done.map(|done| total.map_or(done, |total| done.min(total)));
    let message = note.message.clone().map(|mut text| {
        text.truncate(text.floor_char_boundary(MESSAGE_BYTES_MAX));
        text
    });
    Some(Progress { done, total, message })
}

#[cfg(test)]
#[path = "notes_tests.rs"]
mod tests;
