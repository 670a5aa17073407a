//! What can go wrong with the rows, told apart by kind. The one audited place that reads SQLite's message texts, since
//! Diesel keeps no code.

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// Another process holds the file's lock: the only kind that may be tried again as it is.
    Busy,
    /// The disk is full: nothing was changed.
    Full,
    /// Reading or writing failed: what is on the disk is unknown until it is read again.
    Io,
    /// The file is damaged, or no database.
    Corrupt,
    /// There is no such file, and who only reads makes none.
    Missing,
    /// The file cannot be opened or written by this user.
    Access,
    /// The file was written by a newer version.
    Newer,
    /// The file was written by an older version, and who only reads cannot bring it up to date.
    Older,
    /// A setting that durability rests on could not be made.
    Pragma,
    /// A constraint of the tables refused the change.
    Constraint,
    /// Rows and book disagree: a defect of this program.
    Invariant,
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError {
    pub kind: StoreErrorKind,
    pub detail: String,
}

impl StoreError {
    pub(crate) fn new(kind: StoreErrorKind, detail: impl Into<String>) -> StoreError {
        StoreError { kind, detail: detail.into() }
    }

    /// What a user can do about it.
    pub fn hint(&self) -> &'static str {
        match self.kind {
            StoreErrorKind::Busy => "another program holds the database; close it, or try again",
            StoreErrorKind::Full => "free some space; nothing that was accepted is lost",
            StoreErrorKind::Io => "check the disk; what was accepted is read again at the next start",
            StoreErrorKind::Corrupt => "restore a backup; the file is left as it is",
            StoreErrorKind::Missing => "add a task, or start a supervisor: that makes it",
            StoreErrorKind::Access => "check that the folder exists and that you may write to it",
            StoreErrorKind::Newer => "use the version that wrote it, or a newer one",
            StoreErrorKind::Older => "start a supervisor on it once: that brings it up to date",
            StoreErrorKind::Pragma => "put the database on a local disk",
            StoreErrorKind::Constraint | StoreErrorKind::Invariant | StoreErrorKind::Other => {
                "run `supervisor doctor` and report what it says"
            }
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.detail, self.hint())
    }
}

impl std::error::Error for StoreError {}

/// SQLite's fixed texts. The first that is contained decides.
const TEXTS: [(&str, StoreErrorKind); 13] = [
    ("database is locked", StoreErrorKind::Busy),
    ("database table is locked", StoreErrorKind::Busy),
    ("database or disk is full", StoreErrorKind::Full),
    ("disk I/O error", StoreErrorKind::Io),
    ("database disk image is malformed", StoreErrorKind::Corrupt),
    ("file is not a database", StoreErrorKind::Corrupt),
    ("unable to open database file", StoreErrorKind::Access),
    ("attempt to write a readonly database", StoreErrorKind::Access),
    ("access permission denied", StoreErrorKind::Access),
    ("authorization denied", StoreErrorKind::Access),
    ("constraint failed", StoreErrorKind::Constraint),
    ("string or blob too big", StoreErrorKind::Constraint),
    ("out of memory", StoreErrorKind::Other),
];

pub(super) fn classify(text: &str) -> StoreErrorKind {
    TEXTS.iter().find(|(part, _)| text.contains(part)).map_or(StoreErrorKind::Other, |(_, kind)| *kind)
}

impl From<diesel::result::Error> for StoreError {
    fn from(error: diesel::result::Error) -> StoreError {
        let text = error.to_string();
        StoreError::new(classify(&text), text)
    }
}

impl From<diesel::result::ConnectionError> for StoreError {
    fn from(error: diesel::result::ConnectionError) -> StoreError {
        let text = error.to_string();
        StoreError::new(classify(&text), text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use diesel::prelude::*;

    /// The texts are those of the SQLite that is linked in: each is provoked for real where that is possible.
    #[test]
    fn the_linked_sqlite_says_what_the_table_expects() {
        let kind = |conn: &mut SqliteConnection, sql: &str| {
            use diesel::connection::SimpleConnection;
            StoreError::from(conn.batch_execute(sql).unwrap_err()).kind
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db").to_string_lossy().into_owned();
        let mut one = SqliteConnection::establish(&path).unwrap();
        let mut two = SqliteConnection::establish(&path).unwrap();
        diesel::connection::SimpleConnection::batch_execute(&mut one, "create table t(a unique); begin immediate")
            .unwrap();
        assert_eq!(kind(&mut two, "begin immediate"), StoreErrorKind::Busy);
        assert_eq!(kind(&mut one, "insert into t values (1); insert into t values (1)"), StoreErrorKind::Constraint);
        assert_eq!(
            kind(&mut one, "rollback; pragma max_page_count = 2; insert into t values (zeroblob(99999))"),
            StoreErrorKind::Full
        );
        assert_eq!(kind(&mut two, "pragma query_only = on; insert into t values (3)"), StoreErrorKind::Access);
        assert_eq!(kind(&mut two, "select * from nothing"), StoreErrorKind::Other);
        let Err(nowhere) = SqliteConnection::establish("/proc/no/such.db") else { panic!("opened a file in /proc") };
        assert_eq!(StoreError::from(nowhere).kind, StoreErrorKind::Access);
        std::fs::write(folder.path().join("b.db"), vec![7; 8192]).unwrap();
        let mut bad = SqliteConnection::establish(&folder.path().join("b.db").to_string_lossy()).unwrap();
        assert_eq!(kind(&mut bad, "select * from sqlite_schema"), StoreErrorKind::Corrupt);
    }
}
