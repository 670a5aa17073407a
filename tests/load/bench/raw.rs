//! Life cycles straight on SQLite: the schema, the pragmas and the statements of the store, and nothing else. The yardstick.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use queue_core::store::{Durability, Place, Store};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::worker::NOOP;

const PRAGMAS: &str = "PRAGMA busy_timeout = 5000; PRAGMA mmap_size = 0; PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;
    PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -8192;";

/// The state code of completed tasks.
const COMPLETED: i32 = 6;

pub(super) struct Raw {
    conn: Connection,
    path: PathBuf,
    next_id: i64,
    args: Vec<u8>,
    result: Vec<u8>,
}

impl Raw {
    /// The schema is the store's own.
    pub(super) fn open(folder: &Path, args: Vec<u8>, result: Vec<u8>) -> Result<Raw> {
        let path = folder.join("raw.db");
        drop(Store::open(Place::File(path.clone()), Durability::Full)?);
        let conn = Connection::open(&path)?;
        conn.execute_batch(PRAGMAS)?;
        let journal: String = conn.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
        ensure!(journal == "wal", "the raw database has journal mode {journal}");
        Ok(Raw { conn, path, next_id: 1, args, result })
    }

    /// Enqueues, claims and completes `size` tasks, a transaction each.
    pub(super) fn cycle(&mut self, size: usize) -> Result<Duration> {
        let ids = self.next_id..self.next_id + i64::try_from(size)?;
        self.next_id = ids.end;
        let start = Instant::now();
        let turn = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for id in ids.clone() {
            turn.prepare_cached(
                "INSERT INTO task (id, kind, queue, priority, since, args, name, timeout_ms, max_attempts, max_crashes, \
                 created_at, key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
            )?
            .execute(params![
                id,
                NOOP,
                NOOP,
                0,
                id,
                self.args,
                None::<&str>,
                None::<i64>,
                None::<i64>,
                None::<i64>,
                id
            ])?;
            turn.prepare_cached("INSERT INTO ready (queue, rank, id, key) VALUES (?, ?, ?, NULL)")?
                .execute(params![NOOP, id, id])?;
        }
        finish(turn, self.next_id)?;

        let turn = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let heads = head(&turn, size)?;
        let last = heads.last().context("nothing can be claimed")?;
        turn.prepare_cached("DELETE FROM ready WHERE queue = ? AND (rank, id) <= (?, ?)")?
            .execute(params![NOOP, last.rank, last.id])?;
        for head in &heads {
            turn.prepare_cached(
                "INSERT INTO running (id, epoch, since, wait_us, claimed_at, stop) VALUES (?, ?, ?, ?, ?, 0)",
            )?
            .execute(params![head.id, 1, head.rank, 0, head.id])?;
        }
        finish(turn, self.next_id)?;

        let turn = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for head in &heads {
            turn.prepare_cached("DELETE FROM running WHERE id = ? AND epoch = ?")?.execute(params![head.id, 1])?;
            turn.prepare_cached(
                "INSERT INTO final (state, id, reason, epoch, finished_at, wait_us, run_us, cut) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![COMPLETED, head.id, None::<i32>, 1, head.id, 0, 0, 0])?;
            turn.prepare_cached("INSERT INTO result (id, bytes) VALUES (?, ?)")?
                .execute(params![head.id, self.result])?;
        }
        finish(turn, self.next_id)?;
        Ok(start.elapsed())
    }

    /// The rows must be such as the store would have written.
    pub(super) fn check(self) -> Result<()> {
        drop(self.conn);
        let found = Store::open(Place::File(self.path), Durability::Full)?.check_rows()?;
        ensure!(found.is_empty(), "the raw rows are not those of the store: {found:?}");
        Ok(())
    }
}

/// What a claim reads of each task.
struct Head {
    id: i64,
    rank: i64,
    _line: (Option<String>, i64),
    _body: (String, Vec<u8>, i32, [Option<i64>; 3], [i64; 5]),
}

fn head(turn: &Transaction<'_>, size: usize) -> Result<Vec<Head>> {
    let mut statement = turn.prepare_cached(
        "SELECT r.id, r.rank, b.kind, b.args, coalesce(t.priority, b.priority), b.timeout_ms, b.max_attempts, b.max_crashes, r.key, coalesce(t.since, b.since), \
         coalesce(t.epoch, 0), coalesce(t.runs, 0), coalesce(t.attempts, 0), coalesce(t.crashes, 0), coalesce(t.lost, 0) \
         FROM (SELECT rank, id, key FROM ready WHERE queue = ? ORDER BY rank, id LIMIT ? + 0) r \
         CROSS JOIN task b ON b.id = r.id LEFT JOIN tally t ON t.id = r.id ORDER BY r.rank, r.id",
    )?;
    let heads = statement.query_map(params![NOOP, i64::try_from(size)?], |row| {
        let overrides = [row.get(5)?, row.get(6)?, row.get(7)?];
        let tally = [row.get(10)?, row.get(11)?, row.get(12)?, row.get(13)?, row.get(14)?];
        Ok(Head {
            id: row.get(0)?,
            rank: row.get(1)?,
            _line: (row.get(8)?, row.get(9)?),
            _body: (row.get(2)?, row.get(3)?, row.get(4)?, overrides, tally),
        })
    })?;
    Ok(heads.collect::<rusqlite::Result<_>>()?)
}

/// What each turn of the queue does at its end.
fn finish(turn: Transaction<'_>, next_id: i64) -> Result<()> {
    let mut due = turn.prepare_cached("SELECT due_at FROM later ORDER BY due_at, id LIMIT 1")?;
    ensure!(!due.exists([])?, "nothing is scheduled here");
    drop(due);
    turn.prepare_cached("UPDATE store SET next_task = ?, next_worker = ?, clock_us = ? WHERE id = 1")?
        .execute(params![next_id, 1, next_id])?;
    Ok(turn.commit()?)
}
