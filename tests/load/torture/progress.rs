//! What has happened so far, known to all who take part, to be waited for: which enqueues were answered, which runs begin
//! and end, which life of the supervisor it is. Decides nothing.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::mark::{Mark, Process, What};

/// Violations that are kept; the rest is counted.
const VIOLATIONS_MAX: usize = 100;

/// Everything that is known.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// By task: its id, once its enqueue was answered.
    pub(super) ids: Vec<Option<i64>>,
    answered: usize,
    /// By task: a run came to its end.
    has_ended: Vec<bool>,
    ended: usize,
    /// When the last of them did so for the first time.
    pub(super) ended_at: Option<Instant>,
    /// The runs that have begun and not ended, in no order that matters.
    pub(super) running: BTreeMap<Process, Mark>,
    pub(super) begun: usize,
    /// Numbers the lives of the supervisor, from 1.
    pub(super) life: u32,
    /// Its door is open, or was when it was last seen.
    pub(super) is_up: bool,
    /// Nobody shall wait any more: there will be no other life.
    pub(super) is_over: bool,
    pub(super) violations: Vec<String>,
    pub(super) violations_in_all: usize,
}

impl Facts {
    /// Answered enqueues and ended tasks.
    pub(super) fn progress(&self) -> usize {
        self.answered + self.ended
    }

    /// Every enqueue is answered, and every task has had a run that came to its end.
    pub(super) fn is_done(&self) -> bool {
        self.progress() == 2 * self.ids.len()
    }

    /// A second answer about a task must be the same as the first.
    pub(super) fn answered(&mut self, task: usize, id: i64) {
        match self.ids[task].replace(id) {
            None => self.answered += 1,
            Some(first) if first != id => self.violated(format!("task {task} was answered with id {first}, then {id}")),
            Some(_) => {}
        }
    }

    pub(super) fn violated(&mut self, what: String) {
        self.violations_in_all += 1;
        if self.violations.len() < VIOLATIONS_MAX {
            self.violations.push(what);
        }
    }

    fn marked(&mut self, mark: Mark) {
        match mark.what {
            What::Begin => {
                self.begun += 1;
                self.running.insert(mark.runner, mark);
            }
            What::End => {
                self.running.remove(&mark.runner);
                if let Some(ended) = self.has_ended.get_mut(mark.task)
                    && !*ended
                {
                    *ended = true;
                    self.ended += 1;
                    self.ended_at = Some(Instant::now());
                }
            }
            What::Overlap => self.violated(format!("a second live run of one task: {mark}")),
        }
    }
}

/// The facts, guarded, and a bell that rings at each change.
pub(super) struct Progress {
    facts: Mutex<Facts>,
    changed: Condvar,
}

impl Progress {
    pub(super) fn new(tasks: usize) -> Progress {
        let facts = Facts { ids: vec![None; tasks], has_ended: vec![false; tasks], ..Facts::default() };
        Progress { facts: Mutex::new(facts), changed: Condvar::new() }
    }

    /// To look at the facts, not to change what others wait for.
    pub(super) fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Facts)) {
        change(&mut self.facts());
        self.changed.notify_all();
    }

    /// Waits until `is_so`, or until it is over.
    pub(super) fn wait(&self, mut is_so: impl FnMut(&Facts) -> bool) -> MutexGuard<'_, Facts> {
        let waits = |facts: &mut Facts| !facts.is_over && !is_so(facts);
        self.changed.wait_while(self.facts(), waits).unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the marks of all runs from the pipe, until an empty line.
    pub(super) fn read(&self, pipe: impl Read) {
        for line in BufReader::new(pipe).lines() {
            match line.map_err(anyhow::Error::from).and_then(|line| match line.as_str() {
                "" => Ok(None),
                line => line.parse::<Mark>().map(Some),
            }) {
                Ok(Some(mark)) => self.change(|facts| facts.marked(mark)),
                Ok(None) => return,
                Err(error) => return self.change(|facts| facts.violated(format!("the marks cannot be read: {error}"))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_counts_each_task_once() {
        let progress = Progress::new(3);
        progress.read(
            "begin 0 9 1 8 1\nend 0 9 1 8 1\nbegin 0 9 1 8 1\nend 0 9 1 8 1\nbegin 1 9 1 8 1\n\nend 2 9 1 8 1\n"
                .as_bytes(),
        );
        progress.change(|facts| [(0, 5), (0, 5), (2, 6)].into_iter().for_each(|(task, id)| facts.answered(task, id)));
        let facts = progress.wait(|facts| facts.progress() == 3);
        assert_eq!((facts.begun, facts.running.len(), facts.violations_in_all), (3, 1, 0));
        assert_eq!(facts.ids, [Some(5), None, Some(6)]);
    }

    #[test]
    fn what_must_not_be_is_kept() {
        let progress = Progress::new(1);
        progress.read("overlap 0 9 1 8 1\nnonsense\n".as_bytes());
        progress.change(|facts| [5, 6].into_iter().for_each(|id| facts.answered(0, id)));
        let facts = progress.facts();
        assert_eq!(facts.violations_in_all, 3, "{:?}", facts.violations);
        assert_eq!(facts.violations[2], "task 0 was answered with id 5, then 6");
    }
}
