//! What stands before a waiting task, and who has closed its way. Counts go no further than they are told.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::book::LaneKey;
use crate::lane::Entry;
use crate::store::error::StoreError;
use crate::store::open::Store;
use crate::store::schema;
use crate::store::statement::statement;
use crate::task::TaskId;

type Result<T> = std::result::Result<T, StoreError>;

statement!(ReadyBefore<'a>(queue: &'a str as Text, rank: i64 as BigInt, id: i64 as BigInt, most: i64 as BigInt)
    "SELECT count(*) FROM (SELECT 1 FROM ready WHERE queue = ? AND (rank, id) < (?, ?) LIMIT ? + 0)" => (BigInt));

statement!(LaneBefore<'a>(
    queue: &'a str as Text, key: &'a str as Text, rank: i64 as BigInt, id: i64 as BigInt, most: i64 as BigInt,
) "SELECT count(*) FROM (SELECT 1 FROM lane WHERE queue = ? AND key = ? AND (rank, id) < (?, ?) LIMIT ? + 0)" => (BigInt));

impl Store {
    /// Those in `ready` before a place there, at most `most`.
    pub fn ready_before(&mut self, queue: &str, Entry { rank, id }: Entry, most: u64) -> Result<u64> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let (count,): (i64,) = ReadyBefore { queue, rank, id: id.0, most }.get_result(&mut self.conn)?;
        Ok(count.unsigned_abs())
    }

    /// Those of a lane before a place in it, at most `most`.
    pub fn lane_before(&mut self, (queue, key): &LaneKey, Entry { rank, id }: Entry, most: u64) -> Result<u64> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let (count,): (i64,) = LaneBefore { queue, key, rank, id: id.0, most }.get_result(&mut self.conn)?;
        Ok(count.unsigned_abs())
    }

    /// The words of whoever closed a queue, whose key is empty, or a key; `None` when it is open.
    pub fn gate_reason(&mut self, (queue, key): &LaneKey) -> Result<Option<String>> {
        use schema::gate::dsl;
        Ok(dsl::gate.find((queue, key)).select(dsl::reason).get_result(&mut self.conn).optional()?)
    }

    /// What the start of a task costs by its own word.
    pub fn cost(&mut self, id: TaskId) -> Result<BTreeMap<String, u32>> {
        super::task::cost(&mut self.conn, id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::query_plan::steps;

    #[test]
    fn counts_are_of_one_range_of_an_index() {
        let ready = steps(&ReadyBefore { queue: "q", rank: 1, id: 1, most: 9 });
        assert_eq!(ready[1], "SEARCH ready USING PRIMARY KEY (queue=? AND (rank,id)<(?,?))");
        let lane = steps(&LaneBefore { queue: "q", key: "k", rank: 1, id: 1, most: 9 });
        assert_eq!(lane[1], "SEARCH lane USING PRIMARY KEY (queue=? AND key=? AND (rank,id)<(?,?))");
    }
}
