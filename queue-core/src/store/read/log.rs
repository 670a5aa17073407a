//! What runs printed, part by part. The bytes are opaque here.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary};

use crate::store::error::StoreError;
use crate::store::statement::statement;
use crate::task::TaskId;

/// Parts of one look, at most: many may look at once.
pub const LOG_PARTS_MAX: i64 = 4;

/// A part of what a run printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPart {
    pub epoch: i64,
    pub part: i64,
    pub bytes: Vec<u8>,
}

statement!(LogPage(task: i64 as BigInt, epoch: i64 as BigInt, part: i64 as BigInt, last_epoch: i64 as BigInt, count: i64 as BigInt)
    "SELECT epoch, part, bytes FROM log WHERE task = ? AND (epoch, part) > (?, ?) AND epoch <= ? \
     ORDER BY epoch, part LIMIT ? + 0"
    => (BigInt, BigInt, Binary));

pub(super) fn log(
    conn: &mut SqliteConnection,
    id: TaskId,
    run: i64,
    later: bool,
    after: (i64, i64),
) -> Result<Vec<LogPart>, StoreError> {
    // Parts are numbered from 0.
    let (epoch, part) = after.max((run, -1));
    let last_epoch = if later { i64::MAX } else { run };
    let look = LogPage { task: id.0, epoch, part, last_epoch, count: LOG_PARTS_MAX };
    let found: Vec<(i64, i64, Vec<u8>)> = look.load(conn)?;
    Ok(found.into_iter().map(|(epoch, part, bytes)| LogPart { epoch, part, bytes }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::query_plan::steps;

    #[test]
    fn no_look_becomes_slower_with_the_number_of_parts() {
        let look = LogPage { task: 1, epoch: 1, part: 0, last_epoch: 1, count: 9 };
        let want = "SEARCH log USING INDEX sqlite_autoindex_log_1 (task=? AND (epoch,part)>(?,?) AND epoch<?)";
        assert_eq!(steps(&look), [want]);
    }
}
