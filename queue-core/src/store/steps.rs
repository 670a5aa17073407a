//! What statements have cost so far, for tests and measurements: steps of SQLite's virtual machine, which no other load on the
//! machine changes.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::error::StoreError;
use super::open::Store;

#[derive(QueryableByName)]
struct Steps {
    #[diesel(sql_type = BigInt)]
    steps: i64,
}

impl Store {
    /// Of all statements that are kept ready; those of the tick are. Needs an SQLite with the table `sqlite_stmt`
    /// (`SQLITE_ENABLE_STMTVTAB`).
    pub fn steps(&mut self) -> Result<u64, StoreError> {
        // What asks is not counted.
        let query = "SELECT coalesce(sum(nstep), 0) AS steps FROM sqlite_stmt WHERE sql NOT LIKE '%sqlite_stmt%'";
        let Steps { steps } = diesel::sql_query(query).get_result(&mut self.conn)?;
        Ok(steps.unsigned_abs())
    }
}
