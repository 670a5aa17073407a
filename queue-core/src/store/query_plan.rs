//! How SQLite would answer a statement, for tests that hold plans: a plan changes without a word. No statement lives here.

use diesel::prelude::*;
use diesel::query_builder::QueryFragment;
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;

use super::open::{Durability, Place, Store};

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// The steps of the plan, over empty tables.
pub(super) fn steps(statement: &impl QueryFragment<Sqlite>) -> Vec<String> {
    let mut store = Store::open(Place::Memory, Durability::Full).unwrap();
    let explain = format!("EXPLAIN QUERY PLAN {}", diesel::debug_query::<Sqlite, _>(statement));
    let steps: Vec<Step> = diesel::sql_query(explain).load(&mut store.conn).unwrap();
    steps.into_iter().map(|step| step.detail).collect()
}
