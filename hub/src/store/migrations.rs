//! Migrations: one text for both databases in `migrations/`, and what only PostgreSQL has in `migrations/postgres/`,
//! with a number that no other has. They only go forward. One that is missing below a number that was applied already
//! is applied then, so the order matters only where one migration changes what another one made.

use anyhow::anyhow;
use sqlx::migrate::{MigrateError, Migration, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr};
use std::sync::LazyLock;

/// As they are written.
pub(super) static SQLITE: Migrator = sqlx::migrate!("../migrations");

/// The same as PostgreSQL reads them, and its own.
pub(super) static POSTGRES: LazyLock<Migrator> = LazyLock::new(|| {
    static OWN: Migrator = sqlx::migrate!("../migrations/postgres");
    Migrator::with_migrations(SQLITE.iter().map(as_postgres).chain(OWN.iter().cloned()).collect())
});

fn as_postgres(migration: &Migration) -> Migration {
    let Migration { version, description, migration_type, sql, no_tx, .. } = migration.clone();
    let sql = AssertSqlSafe(types_of_postgres(sql.as_str())).into_sql_str();
    Migration::new(version, description, migration_type, sql, no_tx)
}

/// Texts compare by bytes, as in SQLite: the same order on every server, and no index that an upgrade of the
/// server's language tables spoils.
fn types_of_postgres(sql: &str) -> String {
    sql.replace(" BLOB ", " BYTEA ").replace(" TEXT ", " TEXT COLLATE \"C\" ")
}

/// Says what to do about a database that this version cannot bring to its shape.
pub(super) fn explained(error: MigrateError) -> anyhow::Error {
    match error {
        MigrateError::VersionMissing(version) => anyhow!(
            "the database is of a newer version of Writ (it has migration {version}): run that version, or restore a \
             backup of before the upgrade; nothing was changed"
        ),
        MigrateError::VersionMismatch(version) => anyhow!(
            "migration {version} of the database is not that of this version: was it made by an unreleased one? \
             Nothing was changed"
        ),
        other => anyhow::Error::new(other).context("the database cannot be brought to this version's shape"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use crate::store::fresh::Fresh;
    use sqlx::sqlite::SqlitePoolOptions;

    #[tokio::test]
    async fn migration_that_came_later_with_a_lower_number_is_applied() {
        let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.unwrap();
        let earlier = SQLITE.iter().filter(|migration| migration.version != 7).cloned().collect();
        Migrator::with_migrations(earlier).run(&pool).await.unwrap();
        SQLITE.run(&pool).await.unwrap();
        let rounds: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM hub_changes").fetch_one(&pool).await.unwrap();
        assert_eq!(rounds, 2);
    }

    #[tokio::test]
    async fn database_of_a_newer_version_is_refused_and_left_as_it_is() {
        const APPLIED: &str = "
            INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
            VALUES (9999, 'of times to come', TRUE, $1, 1)";
        let fresh = Fresh::new().await;
        on!(write & fresh.store, |pool| sqlx::query(APPLIED).bind(vec![0_u8]).execute(pool).await.map(drop)).unwrap();
        let error = format!("{:#}", Store::open(&fresh.database).await.unwrap_err());
        assert!(error.contains("of a newer version of Writ (it has migration 9999)"), "{error}");
    }

    #[test]
    fn numbers_are_given_once() {
        let mut versions: Vec<i64> = POSTGRES.iter().map(|migration| migration.version).collect();
        versions.dedup();
        assert_eq!(versions.len(), POSTGRES.iter().count());
    }

    #[test]
    fn postgres_has_bytes_and_texts_of_its_own() {
        let sql = types_of_postgres("content BLOB NOT NULL, name TEXT  NOT NULL");
        assert_eq!(sql, "content BYTEA NOT NULL, name TEXT COLLATE \"C\"  NOT NULL");
        let left = POSTGRES.iter().find(|migration| migration.sql.as_str().contains("BLOB "));
        assert!(left.is_none(), "{left:?}");
    }
}
