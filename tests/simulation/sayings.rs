//! What runs said of themselves and printed, and what of it was kept: whatever was committed is in the rows, once, after
//! any crash; and nothing else is.

use std::collections::BTreeMap;

use queue_core::op::{Op, Reply, RunKey};
use queue_core::store::{LOG_PARTS_MAX, Store, TaskView};
use queue_core::task::{LogParts, Note, TaskId};

use crate::rng::Rng;

/// What workers are paid in.
pub(crate) const UNIT: &str = "tokens";
/// Parts that the log of a run keeps in its tail when its middle falls out.
const TAIL_PARTS: i64 = 3;

/// A note that spends, from the moment in which its worker wrote it.
struct Spend {
    amount: i64,
    is_kept: bool,
}

#[derive(Default)]
pub(crate) struct Sayings {
    spends: BTreeMap<(RunKey, u64), Spend>,
    spent: BTreeMap<TaskId, i64>,
    progress: BTreeMap<TaskId, (i64, Option<f64>)>,
    /// The next part of the log of each run that printed.
    next_part: BTreeMap<RunKey, i64>,
    log: BTreeMap<TaskId, BTreeMap<(i64, i64), Vec<u8>>>,
}

impl Sayings {
    /// A worker wrote a note that spends.
    pub(crate) fn spends(&mut self, run: RunKey, seq: u64, amount: i64) {
        let before = self.spends.insert((run, seq), Spend { amount, is_kept: false });
        assert!(before.is_none(), "a model worker numbered two notes of {run:?} by {seq}");
    }

    /// A worker read that its note is kept: it must have been committed by then.
    pub(crate) fn is_told(&self, run: RunKey, seq: u64) {
        let is_kept = self.spends.get(&(run, seq)).is_some_and(|spend| spend.is_kept);
        assert!(is_kept, "note {seq} of {run:?} was acknowledged before it was kept");
    }

    /// What a run printed since the last time, if anything: its last part goes on, more follow, older ones fall out.
    pub(crate) fn prints(&mut self, run: RunKey, rng: &mut Rng) -> Option<LogParts> {
        let next = self.next_part.entry(run).or_insert(0);
        let (first, count) = ((*next - 1).max(0), rng.between(0, 3));
        *next = first + count;
        let part = |part: i64| (part, format!("{run:?} {part} {}", rng.below(100)).into_bytes());
        let parts: Vec<_> = (first..*next).map(part).collect();
        let dropped = 1..(*next - TAIL_PARTS).max(1);
        (!parts.is_empty()).then_some(LogParts { parts, dropped })
    }

    pub(crate) fn committed(&mut self, op: &Op, reply: &Reply) {
        match (op, reply) {
            (Op::Note { run, note }, Reply::Applied) => self.noted(*run, note),
            (Op::Log { run, log }, Reply::Applied) => {
                let kept = self.log.entry(run.task).or_default();
                kept.retain(|(epoch, part), _| *epoch != run.epoch || !log.dropped.contains(part));
                kept.extend(log.parts.iter().map(|(part, bytes)| ((run.epoch, *part), bytes.clone())));
            }
            _ => {}
        }
    }

    fn noted(&mut self, run: RunKey, note: &Note) {
        if let Some(progress) = &note.progress {
            self.progress.insert(run.task, (run.epoch, progress.done));
        }
        let Some(seq) = note.seq else { return };
        let spend = self.spends.get_mut(&(run, seq)).unwrap_or_else(|| panic!("nobody wrote note {seq} of {run:?}"));
        assert!(!spend.is_kept, "note {seq} of {run:?} was counted twice");
        assert_eq!(note.spend.get(UNIT), Some(&spend.amount), "note {seq} of {run:?}");
        spend.is_kept = true;
        *self.spent.entry(run.task).or_insert(0) += spend.amount;
    }

    /// Holds a row, and the log beside it, against this account.
    pub(crate) fn check(&self, store: &mut Store, view: &TaskView) {
        let id = view.id;
        let spent: Vec<_> = self.spent.get(&id).map(|amount| (UNIT.to_owned(), *amount)).into_iter().collect();
        assert_eq!(view.spent, spent, "what task {id} has spent");
        let progress = view.progress.as_ref().map(|said| (said.epoch, said.progress.done));
        assert_eq!(progress, self.progress.get(&id).copied(), "how far task {id} is");
        let (mut after, look_max) = ((0, -1), LOG_PARTS_MAX as usize);
        let kept: Vec<_> = self.log.get(&id).into_iter().flatten().map(|(place, bytes)| (*place, bytes)).collect();
        // A look that is not full has seen the end.
        let end: &[&[_]] = if kept.len().is_multiple_of(look_max) { &[&[]] } else { &[] };
        for look in kept.chunks(look_max).chain(end.iter().copied()) {
            let parts = store.log(id, 0, true, after).unwrap();
            let found: Vec<_> = parts.iter().map(|part| ((part.epoch, part.part), &part.bytes)).collect();
            assert_eq!(found, look, "the log of task {id} behind {after:?}");
            after = look.last().map_or(after, |(place, _)| *place);
        }
    }
}
