//! An empty database for a test of the store: SQLite, or PostgreSQL when `WRIT_TEST_DATABASE` says so.

use super::{Database, Store};

/// The store, and the folder that it may be in.
pub(crate) struct Fresh {
    pub(crate) store: Store,
    pub(crate) database: Database,
    _folder: tempfile::TempDir,
}

impl Fresh {
    /// A new empty database.
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = match writ_e2e::postgres::wanted() {
            Some(url) => url.parse().unwrap(),
            None => Database::Sqlite(folder.path().join("hub.db")),
        };
        Self { store: Store::open(&database).await.unwrap(), database, _folder: folder }
    }

    /// A new empty database of PostgreSQL, for what only it has; notes that the test is skipped where there is none.
    pub(crate) async fn postgres(test: &str) -> Option<Self> {
        let Some(url) = writ_e2e::postgres::database() else {
            writ_e2e::skipped(test, "no PostgreSQL server");
            return None;
        };
        let database = url.parse().unwrap();
        Some(Self { store: Store::open(&database).await.unwrap(), database, _folder: tempfile::tempdir().unwrap() })
    }
}
