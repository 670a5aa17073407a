//! Pages of tasks by filter and cursor. A page looks at a bounded number of rows, so that no filter, however rare what it
//! wants, makes a look long: it may be short, or empty, and still have a next one.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

use super::cursor::Cursor;
use super::task::{Depth, TaskView, task};
use crate::state::TaskState;
use crate::store::error::StoreError;
use crate::store::rows;
use crate::store::statement::statement;
use crate::task::TaskId;

/// Tasks of one page, at most.
pub const LIST_MAX: i64 = 500;
/// Rows that one page looks at, at most.
pub const LOOKED_AT_MAX: i64 = 10_000;

/// Which tasks are wanted; what is absent does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub state: Option<TaskState>,
    pub kind: Option<String>,
    pub queue: Option<String>,
}

/// Tasks, and where the next page begins if there may be one. With a `next`, there may be fewer tasks than asked for, even
/// none: [`LOOKED_AT_MAX`] rows were looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    pub tasks: Vec<TaskView>,
    pub next: Option<Cursor>,
}

/// A row that is looked at: id and key, where it stands in its list; state, kind and queue, what a filter asks for; the key
/// of the lane that it is in.
type Row = (i64, i64, i32, String, String, Option<String>);

statement!(TasksPage(before: i64 as BigInt, count: i64 as BigInt)
    "SELECT id, 0, 0, kind, queue, NULL FROM task WHERE id < ? ORDER BY id DESC LIMIT ? + 0"
    => (BigInt, BigInt, Integer, Text, Text, Nullable<Text>));

statement!(RunningPage(before: i64 as BigInt, count: i64 as BigInt)
    "SELECT r.id, 0, 0, b.kind, b.queue, NULL FROM (SELECT id FROM running WHERE id < ? ORDER BY id DESC LIMIT ? + 0) r \
     CROSS JOIN task b ON b.id = r.id ORDER BY r.id DESC"
    => (BigInt, BigInt, Integer, Text, Text, Nullable<Text>));

statement!(FinalPage(state: i32 as Integer, before: i64 as BigInt, count: i64 as BigInt)
    "SELECT r.id, 0, 0, b.kind, b.queue, NULL FROM (SELECT id FROM final WHERE state = ? AND id < ? ORDER BY id DESC LIMIT ? + 0) r \
     CROSS JOIN task b ON b.id = r.id ORDER BY r.id DESC"
    => (BigInt, BigInt, Integer, Text, Text, Nullable<Text>));

// In two parts, since of `(due_at, id) > (?, ?)` SQLite takes only the first half to this index, and many may be due at once.
statement!(LaterPage(due_at: i64 as BigInt, id: i64 as BigInt, past: i64 as BigInt, count: i64 as BigInt)
    "SELECT r.id, r.due_at, r.state, b.kind, b.queue, NULL \
     FROM (SELECT id, due_at, state FROM later WHERE due_at = ? AND id > ? \
           UNION ALL SELECT id, due_at, state FROM later WHERE due_at > ?) r \
     CROSS JOIN task b ON b.id = r.id ORDER BY r.due_at, r.id LIMIT ? + 0"
    => (BigInt, BigInt, Integer, Text, Text, Nullable<Text>));

statement!(ReadyPage<'a>(queue: &'a str as Text, rank: i64 as BigInt, id: i64 as BigInt, count: i64 as BigInt)
    "SELECT r.id, r.rank, 0, b.kind, r.queue, NULL \
     FROM (SELECT queue, rank, id FROM ready WHERE (queue, rank, id) > (?, ?, ?) ORDER BY queue, rank, id LIMIT ? + 0) r \
     CROSS JOIN task b ON b.id = r.id ORDER BY r.queue, r.rank, r.id"
    => (BigInt, BigInt, Integer, Text, Text, Nullable<Text>));

statement!(ReadyOfQueuePage<'a>(queue: &'a str as Text, rank: i64 as BigInt, id: i64 as BigInt, count: i64 as BigInt)
    "SELECT r.id, r.rank, 0, b.kind, r.queue, NULL \
     FROM (SELECT queue, rank, id FROM ready WHERE queue = ? AND (rank, id) > (?, ?) ORDER BY rank, id LIMIT ? + 0) r \
     CROSS JOIN task b ON b.id = r.id ORDER BY r.rank, r.id"
    => (BigInt, BigInt, Integer, Text, Text, Nullable<Text>));

statement!(LanePage<'a>(
    queue: &'a str as Text, key: &'a str as Text, rank: i64 as BigInt, id: i64 as BigInt, count: i64 as BigInt,
) "SELECT r.id, r.rank, 0, b.kind, r.queue, r.key \
     FROM (SELECT queue, key, rank, id FROM lane WHERE (queue, key, rank, id) > (?, ?, ?, ?) \
           ORDER BY queue, key, rank, id LIMIT ? + 0) r \
     CROSS JOIN task b ON b.id = r.id ORDER BY r.queue, r.key, r.rank, r.id"
    => (BigInt, BigInt, Integer, Text, Text, Nullable<Text>));

statement!(LaneOfQueuePage<'a>(
    queue: &'a str as Text, key: &'a str as Text, rank: i64 as BigInt, id: i64 as BigInt, count: i64 as BigInt,
) "SELECT r.id, r.rank, 0, b.kind, r.queue, r.key \
     FROM (SELECT queue, key, rank, id FROM lane WHERE queue = ? AND (key, rank, id) > (?, ?, ?) \
           ORDER BY key, rank, id LIMIT ? + 0) r \
     CROSS JOIN task b ON b.id = r.id ORDER BY r.key, r.rank, r.id"
    => (BigInt, BigInt, Integer, Text, Text, Nullable<Text>));

/// Where a list goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    First,
    /// What is available and not claimable, behind what is.
    Lanes,
}

pub(super) fn page(
    conn: &mut SqliteConnection,
    filter: &Filter,
    after: Option<&Cursor>,
    limit: i64,
) -> Result<Page, StoreError> {
    let limit = limit.clamp(1, LIST_MAX) as usize;
    let (mut ids, mut looked_at, mut last) = (Vec::new(), 0, None);
    let parts = match (filter.state, after.is_some_and(|after| after.lane.is_some())) {
        (Some(TaskState::Available), false) => &[Part::First, Part::Lanes][..],
        (Some(TaskState::Available), true) => &[Part::Lanes],
        _ => &[Part::First],
    };
    'parts: for part in parts {
        for row in rows_after(conn, filter, *part, after, LOOKED_AT_MAX - looked_at)? {
            let row = row?;
            if passes(filter, &row)? {
                ids.push(TaskId(row.0));
            }
            (looked_at, last) = (looked_at + 1, Some(row));
            if ids.len() == limit {
                break 'parts;
            }
        }
    }
    let is_cut = ids.len() == limit || looked_at == LOOKED_AT_MAX;
    let next = last.filter(|_| is_cut).map(|(id, key, _, _, queue, lane)| Cursor { key, id, queue, lane });
    let mut tasks = Vec::with_capacity(ids.len());
    for id in ids {
        tasks.extend(task(conn, id, Depth::Summary)?);
    }
    Ok(Page { tasks, next })
}

fn passes(filter: &Filter, (_, _, state, kind, queue, _): &Row) -> Result<bool, StoreError> {
    let waiting = match filter.state {
        Some(wanted @ (TaskState::Scheduled | TaskState::Retryable)) => rows::state(*state)? == wanted,
        _ => true,
    };
    let is = |wanted: &Option<String>, value: &String| wanted.as_ref().is_none_or(|wanted| wanted == value);
    Ok(waiting && is(&filter.kind, kind) && is(&filter.queue, queue))
}

/// The next rows in the order of the list, whatever else is wanted of them; each is read when it is asked for.
fn rows_after<'a>(
    conn: &'a mut SqliteConnection,
    filter: &'a Filter,
    part: Part,
    after: Option<&'a Cursor>,
    count: i64,
) -> QueryResult<Box<dyn Iterator<Item = QueryResult<Row>> + 'a>> {
    if part == Part::Lanes {
        return lanes_after(conn, filter, after.filter(|after| after.lane.is_some()), count);
    }
    let before = after.map_or(i64::MAX, |after| after.id);
    let (key, id) = after.map_or((i64::MIN, i64::MIN), |after| (after.key, after.id));
    Ok(match (filter.state, &filter.queue) {
        (None, _) => Box::new(TasksPage { before, count }.load_iter(conn)?),
        (Some(TaskState::Running), _) => Box::new(RunningPage { before, count }.load_iter(conn)?),
        (Some(TaskState::Scheduled | TaskState::Retryable), _) => {
            Box::new(LaterPage { due_at: key, id, past: key, count }.load_iter(conn)?)
        }
        (Some(ended @ (TaskState::Completed | TaskState::Failed | TaskState::Cancelled)), _) => {
            Box::new(FinalPage { state: rows::state_code(ended), before, count }.load_iter(conn)?)
        }
        (Some(TaskState::Available), Some(queue)) => {
            Box::new(ReadyOfQueuePage { queue, rank: key, id, count }.load_iter(conn)?)
        }
        (Some(TaskState::Available), None) => {
            let queue = after.map_or("", |after| &after.queue);
            Box::new(ReadyPage { queue, rank: key, id, count }.load_iter(conn)?)
        }
    })
}

fn lanes_after<'a>(
    conn: &'a mut SqliteConnection,
    filter: &'a Filter,
    after: Option<&'a Cursor>,
    count: i64,
) -> QueryResult<Box<dyn Iterator<Item = QueryResult<Row>> + 'a>> {
    let (rank, id) = after.map_or((i64::MIN, i64::MIN), |after| (after.key, after.id));
    let key = after.and_then(|after| after.lane.as_deref()).unwrap_or_default();
    Ok(match &filter.queue {
        Some(queue) => Box::new(LaneOfQueuePage { queue, key, rank, id, count }.load_iter(conn)?),
        None => {
            let queue = after.map_or("", |after| &after.queue);
            Box::new(LanePage { queue, key, rank, id, count }.load_iter(conn)?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::query_plan::steps;

    /// Written out whole, as in `hot`: each page begins where its cursor is, and nothing is sorted. `r` is the rows within
    /// the limit.
    #[test]
    fn no_page_becomes_slower_with_the_number_of_rows() {
        let (count, before, rank, id) = (9, 0, 0, 0);
        let body = "SEARCH b USING INTEGER PRIMARY KEY (rowid=?)";
        let behind = |search| vec!["CO-ROUTINE r", search, "SCAN r", body];
        let plans = [
            (steps(&TasksPage { before, count }), vec!["SEARCH task USING INTEGER PRIMARY KEY (rowid<?)"]),
            (steps(&RunningPage { before, count }), behind("SEARCH running USING INTEGER PRIMARY KEY (rowid<?)")),
            (
                steps(&FinalPage { state: 6, before, count }),
                behind("SEARCH final USING PRIMARY KEY (state=? AND id<?)"),
            ),
            (
                steps(&LaterPage { due_at: 0, id, past: 0, count }),
                [
                    &["MERGE (UNION ALL)", "LEFT", "SEARCH later USING INDEX later_due (due_at=? AND id>?)", body][..],
                    &["RIGHT", "SEARCH later USING INDEX later_due (due_at>?)", body],
                ]
                .concat(),
            ),
            (
                steps(&ReadyPage { queue: "q", rank, id, count }),
                behind("SEARCH ready USING PRIMARY KEY ((queue,rank,id)>(?,?,?))"),
            ),
            (
                steps(&ReadyOfQueuePage { queue: "q", rank, id, count }),
                behind("SEARCH ready USING PRIMARY KEY (queue=? AND (rank,id)>(?,?))"),
            ),
            (
                steps(&LanePage { queue: "q", key: "k", rank, id, count }),
                behind("SEARCH lane USING PRIMARY KEY ((queue,key,rank,id)>(?,?,?,?))"),
            ),
            (
                steps(&LaneOfQueuePage { queue: "q", key: "k", rank, id, count }),
                behind("SEARCH lane USING PRIMARY KEY (queue=? AND (key,rank,id)>(?,?,?))"),
            ),
        ];
        for (plan, want) in plans {
            assert_eq!(plan, want);
        }
    }
}
