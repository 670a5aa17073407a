//! The invariants of the rows as SQL, and of book against rows. Reads only; shipped to users as `supervisor doctor`.

use std::fmt;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::error::StoreError;
use super::open::{Reader, Store};
use crate::book::{Book, Mirror};

/// Findings of one rule, at most.
const FINDINGS_MAX: usize = 20;

/// Something that should not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub rule: &'static str,
    pub detail: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.detail)
    }
}

const PHASES: &str = "(SELECT id FROM ready UNION ALL SELECT id FROM lane UNION ALL SELECT id FROM relay UNION ALL SELECT id FROM later UNION ALL SELECT id FROM running UNION ALL SELECT id FROM final)";

/// The last run before the budgets of tally `t` were made new.
const SINCE: &str = "coalesce((SELECT max(r.epoch) FROM retry r WHERE r.task = t.id), 0)";

/// The rank of task `b` with tally `t` in a queue with layout `l`.
const RANK: &str = "coalesce(t.since, b.since) + coalesce(t.priority, b.priority) * coalesce(l.aging_step, 60000000)";

/// (rule, query of the offending ids). `{phases}` is every phase row's id, `{since}` the run before the budgets of `t`.
const RULES: [(&str, &str); 23] = [
    ("a task is in exactly one phase", "SELECT id FROM {phases} GROUP BY id HAVING count(*) > 1"),
    ("a task is in some phase", "SELECT id FROM task WHERE id NOT IN {phases}"),
    ("a phase row has its task", "SELECT id FROM {phases} WHERE id NOT IN (SELECT id FROM task)"),
    ("a tally has its task", "SELECT id FROM tally WHERE id NOT IN (SELECT id FROM task)"),
    ("an attempt has its task", "SELECT task AS id FROM attempt WHERE task NOT IN (SELECT id FROM task)"),
    ("a progress has its task", "SELECT id FROM progress WHERE id NOT IN (SELECT id FROM task)"),
    ("what is spent has its task", "SELECT task AS id FROM spend WHERE task NOT IN (SELECT id FROM task)"),
    ("a cost has its task", "SELECT task AS id FROM cost WHERE task NOT IN (SELECT id FROM task)"),
    ("a budget has its task", "SELECT task AS id FROM budget WHERE task NOT IN (SELECT id FROM task)"),
    ("a log has its task", "SELECT DISTINCT task AS id FROM log WHERE task NOT IN (SELECT id FROM task)"),
    ("a retry has its task", "SELECT task AS id FROM retry WHERE task NOT IN (SELECT id FROM task)"),
    (
        "a claimable task stands under its own queue and rank",
        "SELECT r.id FROM ready r JOIN task b ON b.id = r.id LEFT JOIN tally t ON t.id = r.id LEFT JOIN layout l ON l.queue = r.queue \
      WHERE r.queue <> b.queue OR NOT coalesce(l.is_fair, 0) AND r.rank <> {rank}",
    ),
    (
        "a claimable task bears the key of its lane, or none",
        "SELECT r.id FROM ready r JOIN task b ON b.id = r.id LEFT JOIN layout l ON l.queue = r.queue \
      WHERE r.key IS NOT coalesce(b.key, iif(l.is_fair, '', NULL))",
    ),
    (
        "a task in a lane stands under its own queue, key and rank",
        "SELECT r.id FROM lane r JOIN task b ON b.id = r.id LEFT JOIN tally t ON t.id = r.id LEFT JOIN layout l ON l.queue = r.queue \
      WHERE r.queue <> b.queue OR r.key <> coalesce(b.key, '') OR r.rank <> {rank}",
    ),
    (
        "a run has the epoch after the tally's",
        "SELECT r.id FROM running r LEFT JOIN tally t ON t.id = r.id WHERE r.epoch <> coalesce(t.epoch, 0) + 1",
    ),
    (
        "no attempt is ahead of its task",
        "SELECT a.task AS id FROM attempt a LEFT JOIN tally t ON t.id = a.task WHERE a.epoch > coalesce(t.epoch, 0)",
    ),
    (
        "attempts spent are attempts kept",
        "SELECT t.id FROM tally t WHERE t.attempts <> (SELECT count(*) FROM attempt a WHERE a.task = t.id AND a.outcome IN (2, 3) AND a.epoch > {since})",
    ),
    (
        "crashes spent are crashes kept",
        "SELECT t.id FROM tally t WHERE t.crashes - (SELECT count(*) FROM attempt a WHERE a.task = t.id AND a.outcome BETWEEN 4 AND 7 AND a.epoch > {since}) \
      NOT BETWEEN 0 AND (SELECT count(*) FROM attempt a WHERE a.task = t.id AND a.outcome = 8 AND a.epoch > {since}) / 5",
    ),
    (
        "only a completed task has a result",
        "SELECT id FROM result WHERE id NOT IN (SELECT id FROM final WHERE state = 6)",
    ),
    ("a failed task says why, and no other does", "SELECT id FROM final WHERE (state = 7) <> (reason IS NOT NULL)"),
    (
        "a name points to the task that bears it",
        "SELECT n.id FROM name n LEFT JOIN task b ON b.id = n.id WHERE b.name IS NOT n.name",
    ),
    (
        "a task's name is held",
        "SELECT b.id FROM task b WHERE b.name IS NOT NULL AND b.name NOT IN (SELECT name FROM name)",
    ),
    (
        "the next ids are ahead of all ids",
        "SELECT next_task AS id FROM store WHERE next_task <= coalesce((SELECT max(id) FROM task), 0) \
      OR next_worker <= coalesce((SELECT max(id) FROM worker), 0)",
    ),
];

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

fn check_rows(conn: &mut SqliteConnection) -> Result<Vec<Finding>, StoreError> {
    let mut findings = Vec::new();
    // Not `pragma_quick_check(20)`: as a function it takes its argument for a table's name.
    let quick_check = format!("SELECT quick_check AS line FROM pragma_quick_check LIMIT {FINDINGS_MAX}");
    let pages: Vec<Line> = diesel::sql_query(quick_check).load(conn)?;
    for page in pages.into_iter().filter(|page| page.line != "ok") {
        findings.push(Finding { rule: "the file is sound", detail: page.line });
    }
    for (rule, query) in RULES {
        let query = query.replace("{phases}", PHASES).replace("{since}", SINCE).replace("{rank}", RANK);
        let found: Vec<Id> = diesel::sql_query(format!("{query} LIMIT {FINDINGS_MAX}")).load(conn)?;
        findings.extend(found.into_iter().map(|row| Finding { rule, detail: format!("broken by {}", row.id) }));
    }
    Ok(findings)
}

impl Reader {
    pub fn check_rows(&mut self) -> Result<Vec<Finding>, StoreError> {
        check_rows(&mut self.conn)
    }
}

impl Store {
    pub fn check_rows(&mut self) -> Result<Vec<Finding>, StoreError> {
        check_rows(&mut self.conn)
    }

    /// Whether the book says what the rows say.
    pub fn check_book(&mut self, book: &Book) -> Result<Vec<Finding>, StoreError> {
        let (rows, _) = self.mirror(&book.policies)?;
        let mine = book.rows();
        let lines = |mirror: &Mirror| -> Vec<String> {
            let queues =
                mirror.queues.iter().filter(|(_, line)| line.running + line.waiting > 0 || !line.gate.is_open());
            queues.map(|(queue, line)| format!("{queue}: {} {} {:?}", line.running, line.waiting, line.gate)).collect()
        };
        let lanes = |mirror: &Mirror| -> Vec<String> {
            let lanes = mirror.lanes.iter().filter(|(_, lane)| !lane.is_empty());
            let told = lanes.map(|(key, lane)| {
                format!("{key:?}: {} {} {:?} {:?}", lane.running, lane.waiting, lane.admitted, lane.gate)
            });
            told.collect()
        };
        let pairs = [
            ("next task", mine.next_task.to_string(), rows.next_task.to_string()),
            ("next worker", mine.next_worker.to_string(), rows.next_worker.to_string()),
            ("tasks by state", format!("{:?}", mine.counts), format!("{:?}", rows.counts)),
            ("claimable by queue", format!("{:?}", mine.ready), format!("{:?}", rows.ready)),
            ("queues", format!("{:?}", lines(mine)), format!("{:?}", lines(&rows))),
            ("lanes", format!("{:?}", lanes(mine)), format!("{:?}", lanes(&rows))),
            ("running", format!("{:?}", mine.running), format!("{:?}", rows.running)),
        ];
        let differing = pairs.into_iter().filter(|(_, book, rows)| book != rows);
        Ok(differing
            .map(|(what, book, rows)| Finding {
                rule: "book and rows agree",
                detail: format!("{what}: the book has {book}, the rows have {rows}"),
            })
            .collect())
    }
}
