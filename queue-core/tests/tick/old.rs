//! Databases of former versions open and work: made by the first migrations alone, with the rows of a life under the first.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use queue_core::op::{Op, Reply, RunKey};
use queue_core::state::TaskState;
use queue_core::store::{Filter, Reader, StoreErrorKind};
use queue_core::task::{LogParts, Note, Outcome, TaskId};

use crate::shorthand::*;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");

/// 1 claimable, 2 scheduled, 3 in its second run after an error, 4 completed at once under the name `n`, 5 failed by its
/// attempts.
const LIFE: &str = "
    INSERT INTO task SELECT value, 'plain', 'q', 0, 10 * value, x'80', iif(value = 4, 'n', NULL), NULL, NULL, NULL, 7
        FROM json_each('[1,2,3,4,5]');
    INSERT INTO name VALUES ('n', 4);
    INSERT INTO ready VALUES ('q', 10, 1);
    INSERT INTO later VALUES (2, 1, 2);
    INSERT INTO running VALUES (3, 2, 30, 0, 0, 0);
    INSERT INTO tally VALUES (3, 1, 1, 1, 0, 0, 30), (5, 5, 5, 5, 0, 0, 50);
    INSERT INTO final VALUES (6, 4, NULL, 1, 9, 2, 3, 0), (7, 5, 1, 5, 9, 0, 0, 0);
    INSERT INTO result VALUES (4, x'01');
    INSERT INTO attempt VALUES (3, 1, 2, 'e', NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL, x'');
    INSERT INTO attempt SELECT 5, value, 2, 'e', NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL, x''
        FROM json_each('[1,2,3,4,5]');
    INSERT INTO worker VALUES (1, 'main', 1, 1, 'b', 't', 0);
    INSERT INTO offer VALUES ('main', 'plain');
    UPDATE store SET next_task = 6, next_worker = 2, clock_us = 100;";

/// A database as the version with so many migrations left it.
fn left_by(migrations: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.db");
    let mut conn = SqliteConnection::establish(&path.to_string_lossy()).unwrap();
    conn.batch_execute("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL").unwrap();
    for applied in 0..migrations {
        conn.run_next_migration(MIGRATIONS).unwrap();
        if applied == 0 {
            conn.batch_execute(LIFE).unwrap();
        }
    }
    folder
}

#[test]
fn a_database_of_any_former_version_opens_and_works() {
    let all = diesel::migration::MigrationSource::<Sqlite>::migrations(&MIGRATIONS).unwrap().len();
    for migrations in 1..=all {
        let folder = left_by(migrations);
        let looked = Reader::open(&folder.path().join("queue.db"));
        assert_eq!(looked.err().map(|error| error.kind), (migrations < all).then_some(StoreErrorKind::Older));
        let mut rig = Rig::within(folder);
        assert_eq!(rig.next_life().runs, 1);
        assert_eq!(rig.ask(Op::Retry(TaskId(4))), Reply::Retried);
        assert_eq!(rig.ask(Op::Retry(TaskId(5))), Reply::Retried);
        assert_eq!(
            rig.ask(Op::EnqueueAll(vec![named("n"), task()])),
            Reply::EnqueuedAll(vec![(TaskId(4), true), (TaskId(6), false)])
        );
        let runs: Vec<RunKey> = rig.claim(6).iter().map(|claimed| claimed.run).collect();
        let mut epochs: Vec<(i64, i64)> = runs.iter().map(|run| (run.task.0, run.epoch)).collect();
        epochs.sort_unstable();
        assert_eq!(epochs, [(1, 1), (2, 1), (3, 3), (4, 2), (5, 6), (6, 1)]);
        let says = |run: &RunKey| {
            let note = Note { spend: [("usd".to_owned(), 1)].into(), progress: Some(Default::default()), seq: Some(1) };
            let log = LogParts { parts: vec![(0, vec![1])], dropped: 0..0 };
            [Op::Note { run: *run, note }, Op::Log { run: *run, log }, finish(*run, Outcome::Ok)]
        };
        rig.turn(&runs.iter().flat_map(says).collect::<Vec<_>>(), &[]);
        assert_eq!(rig.count(TaskState::Completed), 6);
        let mut reader = Reader::open(rig.path()).unwrap();
        let done = Filter { state: Some(TaskState::Completed), ..Filter::default() };
        assert_eq!(reader.list(&done, None, 9).unwrap().tasks.len(), 6);
        assert_eq!(reader.log(TaskId(3), 3, false, (0, 0)).unwrap().len(), 1);
        assert_eq!(rig.view(TaskId(5)).spent, [("usd".to_owned(), 1)]);
    }
}
