//! Opens the database: pragmas set in order and read back, the schema brought up to date. Nothing else opens its files.

use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::sqlite::SqliteConnection;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::error::{StoreError, StoreErrorKind, classify};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");
/// Older ones may corrupt a write-ahead log that is reset while it is read.
const SQLITE_MIN: i32 = 3_051_003;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// For simulation and tests: gone with the connection.
    Memory,
    File(PathBuf),
}

/// What a commit survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// A power cut.
    #[default]
    Full,
    /// The death of the process; a power cut may take the last commits.
    Normal,
}

/// The one connection that writes.
pub struct Store {
    pub(super) conn: SqliteConnection,
    pub(super) place: Place,
    pub(super) durability: Durability,
    /// The state of the connection is unknown: it is not used for another turn.
    pub(super) in_doubt: bool,
}

/// A connection that only reads, for lists and single tasks beside the writer.
pub struct Reader {
    pub(super) conn: SqliteConnection,
}

impl Store {
    pub fn open(place: Place, durability: Durability) -> Result<Store, StoreError> {
        let mut conn = connect(&place, durability)?;
        missing_schemas(&mut conn)?;
        conn.run_pending_migrations(MIGRATIONS).map_err(|error| {
            let kind = classify(&error.to_string());
            StoreError::new(kind, format!("cannot bring the schema up to date: {error}"))
        })?;
        Ok(Store { conn, place, durability, in_doubt: false })
    }

    /// A connection in an unknown state is not used again.
    pub(super) fn reopen(&mut self) -> Result<(), StoreError> {
        if self.place == Place::Memory {
            return Err(StoreError::new(StoreErrorKind::Invariant, "a database in memory cannot be opened anew"));
        }
        self.conn = connect(&self.place, self.durability)?;
        self.in_doubt = false;
        Ok(())
    }
}

impl Reader {
    pub fn open(path: &Path) -> Result<Reader, StoreError> {
        if !path.exists() {
            let text = format!("there is no database at {}", path.display());
            return Err(StoreError::new(StoreErrorKind::Missing, text));
        }
        let mut conn = SqliteConnection::establish(&path.to_string_lossy())?;
        conn.batch_execute("PRAGMA busy_timeout = 5000; PRAGMA query_only = ON; PRAGMA trusted_schema = OFF;")?;
        match missing_schemas(&mut conn)?.first() {
            None => Ok(Reader { conn }),
            Some(version) => {
                let text = format!("the database lacks schema {version}, which this version needs");
                Err(StoreError::new(StoreErrorKind::Older, text))
            }
        }
    }
}

fn connect(place: &Place, durability: Durability) -> Result<SqliteConnection, StoreError> {
    let mut conn = match place {
        Place::Memory => SqliteConnection::establish(":memory:")?,
        Place::File(path) => SqliteConnection::establish(&path.to_string_lossy())?,
    };
    if libsqlite3_sys::SQLITE_VERSION_NUMBER < SQLITE_MIN {
        return Err(StoreError::new(StoreErrorKind::Pragma, "the linked SQLite is older than 3.51.3"));
    }
    for (pragma, value, reads) in pragmas(place, durability) {
        conn.batch_execute(&format!("PRAGMA {pragma} = {value}"))?;
        let got = read_pragma(&mut conn, pragma)?;
        if got != reads {
            let text = format!("pragma {pragma} reads back as '{got}' instead of '{reads}'");
            return Err(StoreError::new(StoreErrorKind::Pragma, text));
        }
    }
    Ok(conn)
}

/// In order: (name, value as set, value as read back).
fn pragmas(place: &Place, durability: Durability) -> Vec<(&'static str, &'static str, &'static str)> {
    let mut list = vec![("busy_timeout", "5000", "5000"), ("auto_vacuum", "INCREMENTAL", "2")];
    if *place != Place::Memory {
        list.push(("journal_mode", "WAL", "wal"));
        list.push(("mmap_size", "0", "0"));
    }
    list.push(match durability {
        Durability::Full => ("synchronous", "FULL", "2"),
        Durability::Normal => ("synchronous", "NORMAL", "1"),
    });
    list.extend([
        ("foreign_keys", "ON", "1"),
        ("trusted_schema", "OFF", "0"),
        ("cell_size_check", "ON", "1"),
        ("journal_size_limit", "67108864", "67108864"),
        ("cache_size", "-8192", "-8192"),
    ]);
    list
}

pub(super) fn read_pragma(conn: &mut SqliteConnection, name: &str) -> Result<String, StoreError> {
    Ok(diesel::dsl::sql::<Text>(&format!("PRAGMA {name}")).get_result(conn)?)
}

/// The schemas that the file lacks; an error if it has one that this version does not know.
fn missing_schemas(conn: &mut SqliteConnection) -> Result<Vec<String>, StoreError> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        n: i64,
    }
    let wrong = |error| StoreError::new(StoreErrorKind::Other, format!("cannot read the schema's version: {error}"));
    let ours = diesel::migration::MigrationSource::<diesel::sqlite::Sqlite>::migrations(&MIGRATIONS).map_err(wrong)?;
    let mut missing: Vec<String> = ours.iter().map(|own| own.name().version().to_string()).collect();
    let tables = "SELECT count(*) AS n FROM sqlite_schema WHERE name = '__diesel_schema_migrations'";
    let known: Count = diesel::sql_query(tables).get_result(conn)?;
    if known.n == 0 {
        return Ok(missing);
    }
    for version in conn.applied_migrations().map_err(wrong)? {
        let version = version.to_string();
        let Some(index) = missing.iter().position(|own| *own == version) else {
            let text = format!("the database has schema {version}, which this version does not know");
            return Err(StoreError::new(StoreErrorKind::Newer, text));
        };
        missing.remove(index);
    }
    Ok(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pragmas_are_read_back_and_a_newer_schema_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = Place::File(folder.path().join("q.db"));
        for durability in [Durability::Normal, Durability::Full] {
            let mut store = Store::open(file.clone(), durability).unwrap();
            assert_eq!(read_pragma(&mut store.conn, "journal_mode").unwrap(), "wal");
        }
        let mut store = Store::open(file.clone(), Durability::Full).unwrap();
        let future = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99991231235959')";
        store.conn.batch_execute(future).unwrap();
        assert_eq!(Store::open(file.clone(), Durability::Full).err().unwrap().kind, StoreErrorKind::Newer);
        let Place::File(path) = file else { unreachable!() };
        assert_eq!(Reader::open(&path).err().unwrap().kind, StoreErrorKind::Newer);
        let missing = Reader::open(&folder.path().join("none.db")).err().unwrap();
        assert_eq!(missing.kind, StoreErrorKind::Missing);
        assert!(!folder.path().join("none.db").exists(), "a reader creates nothing");
    }
}
