//! Begin, commit, savepoints, and what to do when in doubt: the first error is kept, a connection whose state is unknown
//! is opened anew. Diesel's own transactions would hide the first error behind the failing rollback.

use diesel::connection::SimpleConnection;

use super::error::{StoreError, StoreErrorKind};
use super::open::Store;

impl Store {
    /// Begins a turn; on a new connection if the last one was left in doubt.
    pub fn begin(&mut self) -> Result<(), StoreError> {
        if self.in_doubt {
            self.reopen()?;
        }
        Ok(self.conn.batch_execute("BEGIN IMMEDIATE")?)
    }

    /// When this errs with [`StoreErrorKind::Io`], whether the changes are kept is unknown until the file is read again.
    pub fn commit(&mut self) -> Result<(), StoreError> {
        Ok(self.conn.batch_execute("COMMIT")?)
    }

    /// Leaves the transaction, undone. `after` is the error that led here, if one did: it is the one to tell, so this has
    /// none of its own, and the next [`Store::begin`] opens a connection in doubt anew.
    pub fn abandon(&mut self, after: Option<&StoreError>) {
        let undone = self.conn.batch_execute("ROLLBACK");
        // SQLite has rolled back by itself on some errors; then there is nothing to undo and no doubt.
        let gone = matches!(&undone, Err(error) if error.to_string().contains("no transaction is active"));
        let failed = after.is_some_and(|error| error.kind == StoreErrorKind::Io);
        self.in_doubt |= failed || !(undone.is_ok() || gone);
    }

    pub fn savepoint(&mut self) -> Result<(), StoreError> {
        Ok(self.conn.batch_execute("SAVEPOINT op")?)
    }

    pub fn release(&mut self) -> Result<(), StoreError> {
        Ok(self.conn.batch_execute("RELEASE op")?)
    }

    /// Undoes what was done since the savepoint, and forgets it.
    pub fn undo(&mut self) -> Result<(), StoreError> {
        Ok(self.conn.batch_execute("ROLLBACK TO op; RELEASE op")?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::Op;
    use crate::policy::Policies;
    use crate::store::{Durability, Place};
    use crate::task::{NewTask, Now};
    use crate::tick::tick;

    fn on_a_file() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::File(folder.path().join("q.db"));
        (folder, Store::open(place, Durability::Normal).unwrap())
    }

    /// Marks the connection: one that is opened anew waits for 5 s again.
    fn do_not_wait(store: &mut Store) {
        store.conn.batch_execute("PRAGMA busy_timeout = 0").unwrap();
    }

    fn waits(store: &mut Store) -> bool {
        crate::store::open::read_pragma(&mut store.conn, "busy_timeout").unwrap() == "5000"
    }

    #[test]
    fn only_a_connection_in_doubt_is_opened_anew() {
        let (_folder, mut store) = on_a_file();
        for (kind, anew) in
            [(StoreErrorKind::Full, false), (StoreErrorKind::Constraint, false), (StoreErrorKind::Io, true)]
        {
            do_not_wait(&mut store);
            store.begin().unwrap();
            store.abandon(Some(&StoreError::new(kind, "as told")));
            store.begin().unwrap();
            assert_eq!(waits(&mut store), anew, "{kind:?}");
            store.commit().unwrap();
        }
        do_not_wait(&mut store);
        store.abandon(None);
        store.begin().unwrap();
        assert!(!waits(&mut store), "that there was no transaction is no doubt");
    }

    #[test]
    fn a_file_that_another_holds_is_busy_and_the_turn_never_was() {
        let (_folder, mut store) = on_a_file();
        let mut other = Store::open(store.place.clone(), Durability::Normal).unwrap();
        do_not_wait(&mut store);
        let now = Now::default();
        let mut book = store.book(Policies::default(), now).unwrap();
        let before = book.clone();
        let mut turn =
            |store: &mut Store| tick(store, &mut book, &[Op::Enqueue(NewTask::default())], &[], now, &mut || 0);
        other.begin().unwrap();
        assert_eq!(turn(&mut store).unwrap_err().kind, StoreErrorKind::Busy);
        other.commit().unwrap();
        assert_eq!(store.book(Policies::default(), now).unwrap(), before);
        assert_eq!(turn(&mut store).unwrap().replies.len(), 1, "what was busy may be tried again as it is");
    }
}
