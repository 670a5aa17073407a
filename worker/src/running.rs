//! A run that was started and is not answered: its order to stop, its notes, the receipts that wait. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use ipc_contract::{FromWorker, RunRef};

use crate::error::WorkerError;
use crate::notes::Notes;
use crate::promise::Promise;
use crate::stop::StopSign;

/// True once what was spent is on the disk, false once nobody is left to store it.
pub(crate) type Stored = Arc<Promise<bool>>;

pub(crate) struct Running {
    pub(crate) sign: Arc<StopSign>,
    pub(crate) notes: Notes,
    /// By the number of the note that tells them. Bounded, as the notes are.
    receipts: BTreeMap<u64, Stored>,
    /// The handler has ended; the answer waits until all that was spent is stored.
    pub(crate) answer: Option<FromWorker>,
}

impl Running {
    pub(crate) fn new(run: RunRef) -> Self {
        Self { sign: Arc::default(), notes: Notes::new(run), receipts: BTreeMap::new(), answer: None }
    }

    /// One receipt stands for all that one note tells.
    pub(crate) fn spend(&mut self, unit: &str, amount: u64) -> Result<Stored, WorkerError> {
        let seq = self.notes.spend(unit, amount)?;
        if seq <= self.notes.acked_seq() {
            return Ok(Arc::new(Promise::kept(true)));
        }
        Ok(Arc::clone(self.receipts.entry(seq).or_default()))
    }

    pub(crate) fn acked(&mut self, seq: u64) {
        self.notes.acked(seq);
        let later = self.receipts.split_off(&(seq + 1));
        std::mem::replace(&mut self.receipts, later).into_values().for_each(|receipt| receipt.keep(true));
    }

    /// Nobody is left to store anything.
    pub(crate) fn abandon(&mut self) {
        std::mem::take(&mut self.receipts).into_values().for_each(|receipt| receipt.keep(false));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_stands_for_its_note_and_no_later_one() {
        let mut running = Running::new(RunRef::default());
        let first = running.spend("tokens", 1).unwrap();
        running.notes.take(0).unwrap();
        let second = running.spend("tokens", 1).unwrap();
        assert!(Arc::ptr_eq(&second, &running.spend("usd", 1).unwrap()));
        running.acked(1);
        assert_eq!((first.get(), second.get()), (Some(true), None));
        running.notes.take(0).unwrap();
        running.abandon();
        assert_eq!((first.get(), second.get()), (Some(true), Some(false)));
        running.acked(2);
        assert_eq!(running.spend("tokens", 0).unwrap().get(), Some(true));
    }
}
