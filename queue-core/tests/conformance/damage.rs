//! Each rule of `check_rows` finds what it is there for: rows damaged by SQL, on a file, as no verb would do it.

use std::collections::BTreeSet;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use queue_core::store::{Durability, Place, Reader, Store};

/// One sound task in each phase: 1 and 2 claimable, 3 waiting, 4 in its second run after an error, 5 completed at once,
/// 6 failed by crashes, 7 claimable once more after two errors and a retry; in a fair queue 8 claimable, 9 in the lane of the same key,
/// both with another priority than at first, 10 between two lines; 1 bears the name `n`. 4 has said, spent and
/// printed something. And a worker.
const SOUND: &str = "
    INSERT INTO task SELECT value, 'k', 'q', 0, 10, x'', NULL, NULL, NULL, NULL, 0, NULL FROM json_each('[2,3,4,5,6,7]');
    INSERT INTO task VALUES (1, 'k', 'q', 0, 10, x'', 'n', NULL, NULL, NULL, 0, NULL);
    INSERT INTO task SELECT value, 'k', 'fair', 0, 10, x'', NULL, NULL, NULL, NULL, 0, iif(value = 10, NULL, 'a')
        FROM json_each('[8,9,10]');
    INSERT INTO layout VALUES ('fair', 1, 5);
    INSERT INTO ready VALUES ('fair', 77, 8, 'a');
    INSERT INTO lane VALUES ('fair', 'a', 60, 9);
    INSERT INTO relay VALUES (10);
    INSERT INTO name VALUES ('n', 1);
    INSERT INTO ready VALUES ('q', 10, 1, NULL), ('q', 20, 2, NULL), ('q', 30, 7, NULL);
    INSERT INTO tally VALUES (2, 0, 0, 0, 0, 0, 20, NULL), (4, 1, 1, 1, 0, 0, 10, NULL), (6, 6, 6, 0, 2, 5, 10, NULL),
        (7, 2, 0, 0, 0, 0, 30, NULL), (8, 0, 0, 0, 0, 0, 40, 1), (9, 0, 0, 0, 0, 0, 50, 2);
    INSERT INTO later VALUES (3, 5, 2);
    INSERT INTO running VALUES (4, 2, 10, 0, 0, 0);
    INSERT INTO final VALUES (6, 5, NULL, 1, 0, 0, 0, 0), (7, 6, 2, 6, 0, 0, 0, 0);
    INSERT INTO result VALUES (5, x'01');
    INSERT INTO attempt SELECT 4, 1, 2, '', NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL, x'';
    INSERT INTO attempt SELECT 6, value, iif(value = 1, 5, 8), '', NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL, x''
        FROM json_each('[1,2,3,4,5,6]');
    INSERT INTO attempt SELECT 7, value, 2, '', NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL, x'' FROM json_each('[1,2]');
    INSERT INTO retry VALUES (7, 2, 0);
    INSERT INTO progress VALUES (4, 2, 1.0, NULL, '', 0);
    INSERT INTO spend VALUES (4, 'usd', 1);
    INSERT INTO log VALUES (4, 1, 0, x''), (4, 2, 0, x'');
    INSERT INTO worker VALUES (1, 'p', 1, 1, '', '', 0);
    UPDATE store SET next_task = 11, next_worker = 2;";

/// An attempt that ended as `lost`: it spends nothing.
const LOST: &str = "'', NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL, x''";

/// (damage, the one rule that it breaks, what is said). `{lost}` is [`LOST`].
const DAMAGE: [(&str, &str, &str); 39] = [
    ("INSERT INTO later VALUES (1, 5, 2)", "a task is in exactly one phase", "broken by 1"),
    ("INSERT INTO ready VALUES ('q', 10, 5, NULL)", "a task is in exactly one phase", "broken by 5"),
    ("INSERT INTO final VALUES (8, 5, NULL, 1, 0, 0, 0, 0)", "a task is in exactly one phase", "broken by 5"),
    ("DELETE FROM ready WHERE id = 1", "a task is in some phase", "broken by 1"),
    ("DELETE FROM later", "a task is in some phase", "broken by 3"),
    ("DELETE FROM running", "a task is in some phase", "broken by 4"),
    ("DELETE FROM final WHERE id = 6", "a task is in some phase", "broken by 6"),
    ("INSERT INTO later VALUES (99, 5, 2)", "a phase row has its task", "broken by 99"),
    ("INSERT INTO tally VALUES (99, 0, 0, 0, 0, 0, 0, NULL)", "a tally has its task", "broken by 99"),
    ("INSERT INTO attempt VALUES (99, 0, 8, {lost})", "an attempt has its task", "broken by 99"),
    ("INSERT INTO progress VALUES (99, 1, NULL, NULL, NULL, 0)", "a progress has its task", "broken by 99"),
    ("INSERT INTO spend VALUES (99, 'usd', 1)", "what is spent has its task", "broken by 99"),
    ("INSERT INTO cost VALUES (99, 'usd', 1)", "a cost has its task", "broken by 99"),
    ("INSERT INTO budget VALUES (99, 'usd', 1, 0)", "a budget has its task", "broken by 99"),
    ("INSERT INTO log VALUES (99, 1, 0, x''), (99, 1, 1, x'')", "a log has its task", "broken by 99"),
    ("INSERT INTO retry VALUES (99, 1, 0)", "a retry has its task", "broken by 99"),
    ("UPDATE ready SET rank = 11 WHERE id = 1", "a claimable task stands under its own queue and rank", "broken by 1"),
    ("UPDATE ready SET rank = 10 WHERE id = 2", "a claimable task stands under its own queue and rank", "broken by 2"),
    (
        "UPDATE ready SET queue = 'z' WHERE id = 1",
        "a claimable task stands under its own queue and rank",
        "broken by 1",
    ),
    ("UPDATE ready SET key = 'b' WHERE id = 8", "a claimable task bears the key of its lane, or none", "broken by 8"),
    ("UPDATE ready SET key = NULL WHERE id = 8", "a claimable task bears the key of its lane, or none", "broken by 8"),
    ("UPDATE ready SET key = '' WHERE id = 1", "a claimable task bears the key of its lane, or none", "broken by 1"),
    ("UPDATE lane SET key = 'b'", "a task in a lane stands under its own queue, key and rank", "broken by 9"),
    ("UPDATE lane SET rank = 61", "a task in a lane stands under its own queue, key and rank", "broken by 9"),
    ("UPDATE lane SET queue = 'q'", "a task in a lane stands under its own queue, key and rank", "broken by 9"),
    ("DELETE FROM relay", "a task is in some phase", "broken by 10"),
    ("UPDATE running SET epoch = 3", "a run has the epoch after the tally's", "broken by 4"),
    ("UPDATE running SET epoch = 1", "a run has the epoch after the tally's", "broken by 4"),
    ("INSERT INTO attempt VALUES (5, 1, 8, {lost})", "no attempt is ahead of its task", "broken by 5"),
    ("UPDATE tally SET attempts = 2 WHERE id = 4", "attempts spent are attempts kept", "broken by 4"),
    ("DELETE FROM retry", "attempts spent are attempts kept", "broken by 7"),
    ("INSERT INTO retry VALUES (6, 1, 0)", "crashes spent are crashes kept", "broken by 6"),
    (
        "INSERT INTO retry VALUES (6, 6, 0); UPDATE tally SET crashes = 1 WHERE id = 6",
        "crashes spent are crashes kept",
        "broken by 6",
    ),
    ("UPDATE tally SET crashes = crashes + 1 WHERE id = 6", "crashes spent are crashes kept", "broken by 6"),
    ("INSERT INTO result VALUES (6, x'')", "only a completed task has a result", "broken by 6"),
    ("UPDATE final SET reason = 1", "a failed task says why, and no other does", "broken by 5"),
    ("UPDATE name SET id = 2", "a name points to the task that bears it", "broken by 2"),
    ("DELETE FROM name", "a task's name is held", "broken by 1"),
    ("UPDATE store SET next_worker = 1", "the next ids are ahead of all ids", "broken by 11"),
];

/// A sound database, and a connection beside the store.
struct Patient {
    store: Store,
    beside: SqliteConnection,
    folder: tempfile::TempDir,
}

fn patient() -> Patient {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.db");
    let store = Store::open(Place::File(path.clone()), Durability::Normal).unwrap();
    let mut beside = SqliteConnection::establish(&path.to_string_lossy()).unwrap();
    beside.batch_execute(SOUND).unwrap();
    Patient { store, beside, folder }
}

impl Patient {
    /// (rule, detail) of all findings; the same for the writer and for a reader.
    fn findings(&mut self) -> Vec<(&'static str, String)> {
        let mut reader = Reader::open(&self.folder.path().join("queue.db")).unwrap();
        let found = self.store.check_rows().unwrap();
        assert_eq!(reader.check_rows().unwrap(), found);
        found.into_iter().map(|finding| (finding.rule, finding.detail)).collect()
    }
}

#[test]
fn each_damage_is_found_by_its_rule_alone() {
    assert_eq!(patient().findings(), [], "sound to begin with");
    for (damage, rule, detail) in DAMAGE {
        let mut patient = patient();
        patient.beside.batch_execute(&damage.replace("{lost}", LOST)).unwrap();
        assert_eq!(patient.findings(), [(rule, detail.to_owned())], "after {damage}");
    }
    let rules: BTreeSet<&str> = DAMAGE.iter().map(|(_, rule, _)| *rule).collect();
    assert_eq!(rules.len(), 23, "every rule is broken once");
}

#[test]
fn damage_to_the_file_itself_is_found() {
    let mut patient = patient();
    let lie = "PRAGMA writable_schema = ON; PRAGMA schema_version = 1000;
        UPDATE sqlite_schema SET sql = replace(sql, 'name         TEXT', 'name TEXT NOT NULL')";
    patient.beside.batch_execute(lie).unwrap();
    let findings = patient.findings();
    assert_eq!((findings.len(), findings[0].0), (9, "the file is sound"), "{findings:?}");
}

#[test]
fn the_findings_of_a_rule_are_bounded() {
    let mut patient = patient();
    let many = "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
        INSERT INTO tally SELECT i, 0, 0, 0, 0, 0, 0, NULL FROM n";
    patient.beside.batch_execute(many).unwrap();
    assert_eq!(patient.findings().len(), 20);
}
