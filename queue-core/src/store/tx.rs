//! Begin, commit, savepoints, and what to do when in doubt: the first error is kept, a connection whose state is unknown
//! is opened anew. Diesel's own transactions would hide the first error behind the failing rollback.

use diesel::connection::SimpleConnection;

use super::error::{StoreError, StoreErrorKind};
use super::open::Store;

impl Store {
    pub fn begin(&mut self) -> Result<(), StoreError> {
        Ok(self.conn.batch_execute("BEGIN IMMEDIATE")?)
    }

    /// When this errs with [`StoreErrorKind::Io`], whether the changes are kept is unknown until the file is read again.
    pub fn commit(&mut self) -> Result<(), StoreError> {
        Ok(self.conn.batch_execute("COMMIT")?)
    }

    /// Leaves the transaction, undone. `after` is the error that led here, if one did.
    pub fn abandon(&mut self, after: Option<&StoreError>) -> Result<(), StoreError> {
        let undone = self.conn.batch_execute("ROLLBACK");
        // SQLite has rolled back by itself on some errors; then there is nothing to undo and no doubt.
        let gone = matches!(&undone, Err(error) if error.to_string().contains("no transaction is active"));
        let doubt = after.is_some_and(|error| error.kind == StoreErrorKind::Io);
        if doubt || !(undone.is_ok() || gone) { self.reopen() } else { Ok(()) }
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
