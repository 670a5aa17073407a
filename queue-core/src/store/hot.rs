//! The statements of the tick. No decision, no value of its own.

use diesel::sql_types::{BigInt, Binary, Double, Integer, Nullable, Text};

use super::statement::statement;

statement!(InsertTask<'a>(
    id: i64 as BigInt, kind: &'a str as Text, queue: &'a str as Text, priority: i32 as Integer, since: i64 as BigInt,
    args: &'a [u8] as Binary, name: Option<&'a str> as Nullable<Text>, timeout_ms: Option<i64> as Nullable<BigInt>,
    max_attempts: Option<i64> as Nullable<BigInt>, max_crashes: Option<i64> as Nullable<BigInt>, created_at: i64 as BigInt,
    key: Option<&'a str> as Nullable<Text>,
) "INSERT INTO task (id, kind, queue, priority, since, args, name, timeout_ms, max_attempts, max_crashes, created_at, key) \
   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

statement!(PutReady<'a>(
    queue: &'a str as Text, rank: i64 as BigInt, id: i64 as BigInt, key: Option<&'a str> as Nullable<Text>,
) "INSERT INTO ready (queue, rank, id, key) VALUES (?, ?, ?, ?)");

statement!(TakeReady<'a>(queue: &'a str as Text, rank: i64 as BigInt, id: i64 as BigInt)
    "DELETE FROM ready WHERE queue = ? AND rank = ? AND id = ?");

statement!(Head<'a>(queue: &'a str as Text, count: i64 as BigInt)
    "SELECT r.id, r.rank, r.key, coalesce(t.since, b.since), b.kind, b.args, coalesce(t.priority, b.priority), \
     b.timeout_ms, b.max_attempts, b.max_crashes, \
     coalesce(t.epoch, 0), coalesce(t.runs, 0), coalesce(t.attempts, 0), coalesce(t.crashes, 0), coalesce(t.lost, 0) \
     FROM (SELECT rank, id, key FROM ready WHERE queue = ? ORDER BY rank, id LIMIT ? + 0) r \
     CROSS JOIN task b ON b.id = r.id LEFT JOIN tally t ON t.id = r.id ORDER BY r.rank, r.id"
    => (BigInt, BigInt, Nullable<Text>, BigInt, Text, Binary, Integer,
        Nullable<BigInt>, Nullable<BigInt>, Nullable<BigInt>, BigInt, BigInt, BigInt, BigInt, BigInt));

statement!(HeadCosts<'a>(queue: &'a str as Text, count: i64 as BigInt)
    "SELECT r.id, c.unit, c.amount FROM (SELECT rank, id FROM ready WHERE queue = ? ORDER BY rank, id LIMIT ? + 0) r \
     LEFT JOIN cost c ON c.task = r.id ORDER BY r.rank, r.id" => (BigInt, Nullable<Text>, Nullable<BigInt>));

statement!(HeadKinds<'a>(queue: &'a str as Text, count: i64 as BigInt)
    "SELECT b.kind, count(*) FROM (SELECT id FROM ready WHERE queue = ? ORDER BY rank, id LIMIT ? + 0) r \
     CROSS JOIN task b ON b.id = r.id GROUP BY b.kind" => (Text, BigInt));

statement!(PutCost<'a>(task: i64 as BigInt, unit: &'a str as Text, amount: i64 as BigInt)
    "INSERT INTO cost (task, unit, amount) VALUES (?, ?, ?)");

statement!(PutBudget<'a>(task: i64 as BigInt, unit: &'a str as Text, amount: i64 as BigInt)
    "INSERT INTO budget (task, unit, amount, spent) VALUES (?, ?, ?, 0)");

statement!(SpendBudget<'a>(spent: i64 as BigInt, most: i64 as BigInt, task: i64 as BigInt, unit: &'a str as Text)
    "UPDATE budget SET spent = min(spent + ?, ?) WHERE task = ? AND unit = ? RETURNING spent, amount" => (BigInt, BigInt));

statement!(TakeHead<'a>(queue: &'a str as Text, rank: i64 as BigInt, id: i64 as BigInt)
    "DELETE FROM ready WHERE queue = ? AND (rank, id) <= (?, ?)");

statement!(PutLane<'a>(queue: &'a str as Text, key: &'a str as Text, rank: i64 as BigInt, id: i64 as BigInt)
    "INSERT INTO lane (queue, key, rank, id) VALUES (?, ?, ?, ?)");

statement!(TakeLane<'a>(queue: &'a str as Text, key: &'a str as Text, rank: i64 as BigInt, id: i64 as BigInt)
    "DELETE FROM lane WHERE queue = ? AND key = ? AND rank = ? AND id = ?");

statement!(LaneHead<'a>(queue: &'a str as Text, key: &'a str as Text, count: i64 as BigInt)
    "SELECT rank, id FROM lane WHERE queue = ? AND key = ? ORDER BY rank, id LIMIT ? + 0" => (BigInt, BigInt));

statement!(PutMeter<'a>(
    queue: &'a str as Text, unit: &'a str as Text, allowed: i64 as BigInt, per_us: i64 as BigInt, slot: i64 as BigInt,
    charged: &'a [u8] as Binary, debt: i64 as BigInt,
) "INSERT OR REPLACE INTO meter (queue, unit, allowed, per_us, slot, charged, debt) VALUES (?, ?, ?, ?, ?, ?, ?)");

statement!(PutLater(id: i64 as BigInt, due_at: i64 as BigInt, state: i32 as Integer)
    "INSERT INTO later (id, due_at, state) VALUES (?, ?, ?)");

statement!(TakeLater(id: i64 as BigInt) "DELETE FROM later WHERE id = ?");

statement!(DueTasks(until: i64 as BigInt, count: i64 as BigInt)
    "SELECT l.id, l.state, b.queue, b.key, coalesce(t.priority, b.priority), \
     coalesce(t.epoch, 0), coalesce(t.runs, 0), coalesce(t.attempts, 0), coalesce(t.crashes, 0), coalesce(t.lost, 0) \
     FROM (SELECT id, state, due_at FROM later WHERE due_at <= ? ORDER BY due_at, id LIMIT ? + 0) l \
     CROSS JOIN task b ON b.id = l.id LEFT JOIN tally t ON t.id = l.id ORDER BY l.due_at, l.id"
    => (BigInt, Integer, Text, Nullable<Text>, Integer, BigInt, BigInt, BigInt, BigInt, BigInt));

statement!(NextDue() "SELECT due_at FROM later ORDER BY due_at, id LIMIT 1" => (BigInt));

statement!(PutRunning(id: i64 as BigInt, epoch: i64 as BigInt, since: i64 as BigInt, wait_us: i64 as BigInt, claimed_at: i64 as BigInt)
    "INSERT INTO running (id, epoch, since, wait_us, claimed_at, stop) VALUES (?, ?, ?, ?, ?, 0)");

statement!(TakeRunning(id: i64 as BigInt, epoch: i64 as BigInt) "DELETE FROM running WHERE id = ? AND epoch = ?");

statement!(PutFinal(
    state: i32 as Integer, id: i64 as BigInt, reason: Option<i32> as Nullable<Integer>, epoch: i64 as BigInt,
    finished_at: i64 as BigInt, wait_us: i64 as BigInt, run_us: i64 as BigInt, cut: i32 as Integer,
) "INSERT INTO final (state, id, reason, epoch, finished_at, wait_us, run_us, cut) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");

statement!(PutResult<'a>(id: i64 as BigInt, bytes: &'a [u8] as Binary) "INSERT INTO result (id, bytes) VALUES (?, ?)");

statement!(PutTally(
    id: i64 as BigInt, epoch: i64 as BigInt, runs: i64 as BigInt, attempts: i64 as BigInt, crashes: i64 as BigInt,
    lost: i64 as BigInt, since: i64 as BigInt,
) "INSERT INTO tally (id, epoch, runs, attempts, crashes, lost, since) VALUES (?, ?, ?, ?, ?, ?, ?) \
   ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, runs = excluded.runs, attempts = excluded.attempts, \
   crashes = excluded.crashes, lost = excluded.lost, since = excluded.since");

statement!(PutAttempt<'a>(
    task: i64 as BigInt, epoch: i64 as BigInt, outcome: i32 as Integer, detail: &'a str as Text,
    code: Option<i32> as Nullable<Integer>, signal: Option<i32> as Nullable<Integer>,
    peak_rss_bytes: Option<i64> as Nullable<BigInt>, cpu_ms: Option<i64> as Nullable<BigInt>,
    started_at: i64 as BigInt, ended_at: i64 as BigInt, run_us: i64 as BigInt,
    worker: Option<i64> as Nullable<BigInt>, pid: Option<i32> as Nullable<Integer>, output: &'a [u8] as Binary,
) "INSERT INTO attempt (task, epoch, outcome, detail, code, signal, peak_rss_bytes, cpu_ms, started_at, ended_at, run_us, \
   worker, pid, output) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

statement!(PutLog<'a>(task: i64 as BigInt, epoch: i64 as BigInt, part: i64 as BigInt, bytes: &'a [u8] as Binary)
    "INSERT OR REPLACE INTO log (task, epoch, part, bytes) VALUES (?, ?, ?, ?)");

statement!(PutProgress<'a>(
    id: i64 as BigInt, epoch: i64 as BigInt, done: Option<f64> as Nullable<Double>, total: Option<f64> as Nullable<Double>,
    message: Option<&'a str> as Nullable<Text>, noted_at: i64 as BigInt,
) "INSERT OR REPLACE INTO progress (id, epoch, done, total, message, noted_at) VALUES (?, ?, ?, ?, ?, ?)");

statement!(AddSpend<'a>(task: i64 as BigInt, unit: &'a str as Text, amount: i64 as BigInt, most: i64 as BigInt)
    "INSERT INTO spend (task, unit, amount) VALUES (?, ?, ?) \
     ON CONFLICT (task, unit) DO UPDATE SET amount = min(amount + excluded.amount, ?)");

statement!(FindName<'a>(name: &'a str as Text)
    "SELECT b.id, b.kind, b.args FROM name n JOIN task b ON b.id = n.id WHERE n.name = ?" => (BigInt, Text, Binary));

statement!(PutName<'a>(name: &'a str as Text, id: i64 as BigInt) "INSERT INTO name (name, id) VALUES (?, ?)");

statement!(SaveCounters(next_task: i64 as BigInt, next_worker: i64 as BigInt, clock_us: i64 as BigInt)
    "UPDATE store SET next_task = ?, next_worker = ?, clock_us = ? WHERE id = 1");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::query_plan::steps;

    /// Written out whole, since a plan changes without a word. No table is scanned and nothing is sorted: `r` and `l` are
    /// the rows within the limit, and of `later_due` only the first entry is read.
    #[test]
    fn no_statement_becomes_slower_with_the_number_of_rows() {
        let (body, spent) =
            ("SEARCH b USING INTEGER PRIMARY KEY (rowid=?)", "SEARCH t USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN");
        let plans: [(Vec<String>, &[&str]); 11] = [
            (
                steps(&Head { queue: "q", count: 9 }),
                &["CO-ROUTINE r", "SEARCH ready USING PRIMARY KEY (queue=?)", "SCAN r", body, spent],
            ),
            (
                steps(&TakeHead { queue: "q", rank: 0, id: 0 }),
                &["SEARCH ready USING PRIMARY KEY (queue=? AND (rank,id)<(?,?))"],
            ),
            (
                steps(&TakeReady { queue: "q", rank: 0, id: 0 }),
                &["SEARCH ready USING PRIMARY KEY (queue=? AND rank=? AND id=?)"],
            ),
            (
                steps(&HeadCosts { queue: "q", count: 9 }),
                &[
                    "CO-ROUTINE r",
                    "SEARCH ready USING PRIMARY KEY (queue=?)",
                    "SCAN r",
                    "SEARCH c USING PRIMARY KEY (task=?) LEFT-JOIN",
                ],
            ),
            (
                steps(&LaneHead { queue: "q", key: "k", count: 9 }),
                &["SEARCH lane USING PRIMARY KEY (queue=? AND key=?)"],
            ),
            (
                steps(&TakeLane { queue: "q", key: "k", rank: 0, id: 0 }),
                &["SEARCH lane USING PRIMARY KEY (queue=? AND key=? AND rank=? AND id=?)"],
            ),
            (
                steps(&DueTasks { until: 0, count: 9 }),
                &["CO-ROUTINE l", "SEARCH later USING INDEX later_due (due_at<?)", "SCAN l", body, spent],
            ),
            (steps(&NextDue {}), &["SCAN later USING COVERING INDEX later_due"]),
            (steps(&TakeLater { id: 0 }), &["SEARCH later USING INTEGER PRIMARY KEY (rowid=?)"]),
            (steps(&TakeRunning { id: 0, epoch: 0 }), &["SEARCH running USING INTEGER PRIMARY KEY (rowid=?)"]),
            (steps(&FindName { name: "n" }), &["SEARCH n USING PRIMARY KEY (name=?)", body]),
        ];
        for (plan, want) in plans {
            assert_eq!(plan, want);
        }
    }
}
