//! Migrations: one text for both databases in `migrations/`, and what only one of them has in `migrations/sqlite/` and
//! `migrations/postgres/`, with a number that no other has. They only go forward. One that is missing below a number that was applied already
//! is applied then, so the order matters only where one migration changes what another one made.

use anyhow::anyhow;
use sqlx::migrate::{MigrateError, Migration, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr};
use std::sync::LazyLock;

static SHARED: Migrator = sqlx::migrate!("../migrations");

/// As they are written, and its own.
pub(super) static SQLITE: LazyLock<Migrator> = LazyLock::new(|| {
    static OWN: Migrator = sqlx::migrate!("../migrations/sqlite");
    Migrator::with_migrations(SHARED.iter().chain(OWN.iter()).cloned().collect())
});

/// The same as PostgreSQL reads them, and its own.
pub(super) static POSTGRES: LazyLock<Migrator> = LazyLock::new(|| {
    static OWN: Migrator = sqlx::migrate!("../migrations/postgres");
    Migrator::with_migrations(SHARED.iter().map(as_postgres).chain(OWN.iter().cloned()).collect())
});

fn as_postgres(migration: &Migration) -> Migration {
    let Migration { version, description, migration_type, sql, no_tx, .. } = migration.clone();
    let sql = AssertSqlSafe(types_of_postgres(sql.as_str())).into_sql_str();
    Migration::new(version, description, migration_type, sql, no_tx)
}

/// Texts compare by bytes, as in SQLite: the same order on every server, and no index that an upgrade of the
/// server's language tables spoils. Tables are heaps.
fn types_of_postgres(sql: &str) -> String {
    sql.replace(" BLOB ", " BYTEA ").replace(") WITHOUT ROWID;", ");").replace(" TEXT ", " TEXT COLLATE \"C\" ")
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
        let earlier = SQLITE.iter().filter(|migration| migration.version != 90).cloned().collect();
        Migrator::with_migrations(earlier).run(&pool).await.unwrap();
        SQLITE.run(&pool).await.unwrap();
        let looks = "SELECT COUNT(*) FROM hub_changes WHERE name = 'looks'";
        assert_eq!(sqlx::query_scalar::<_, i64>(looks).fetch_one(&pool).await.unwrap(), 1);
    }

    /// As a hub before 0060 wrote them: in one minute nine passes and a denial of one policy, three reviews.
    const BEFORE: [&str; 9] = [
        "INSERT INTO names (id, name) SELECT MAX(id) + 1, 'policy' FROM names",
        "INSERT INTO clusters (id, name, labels, enrolled_at) VALUES (7, 'prod', '{}', 1)",
        "INSERT INTO policy_minutes (minute, cluster_id, namespace_id, policy_id, passes, failures, denials, errors, micros,
            warnings, micros_max) VALUES (120, 7, 1, 2, 9, 2, 1, 0, 50, 1, 30)",
        "INSERT INTO policy_hours VALUES (2, 7, 1, 2, 1, 9, 2, 1, 1, 0, 0, 0, 50, 30)",
        "INSERT INTO policy_days VALUES (0, 7, 1, 2, 1, 9, 2, 1, 1, 0, 0, 0, 50, 30)",
        "INSERT INTO review_minutes VALUES (120, 7, 1, 3, 2, 1)",
        "INSERT INTO review_hours VALUES (2, 7, 1, 3, 2, 1)",
        "INSERT INTO review_days VALUES (0, 7, 1, 3, 2, 1)",
        "INSERT INTO failures (id, at, received_at, cluster_id, namespace_id, policy_id, code, severity, action, outcome, message,
            kind_id, object, object_uid, workload, operation, requester, review, revision_id)
         VALUES ('a', 7200001, 1, 7, 1, 2, 'PL1', 'LOW', 'deny', 'fail', 'no', 1, '', '', '', '', '', '', 1)",
    ];
    const MOVED: [(&str, i64); 6] = [
        (
            "SELECT COUNT(*) FROM sums WHERE kind IN (3, 4, 5) AND judged = 11 AND failing = 2 AND denied = 1 AND warned = 1",
            11,
        ),
        ("SELECT COUNT(*) FROM sums WHERE kind IN (0, 1, 2, 6, 7) AND judged = 3 AND failing = 2 AND denied = 1", 21),
        ("SELECT COUNT(*) FROM sums WHERE kind = 6 AND of_id = 7 AND subject_id = 1 AND micros_max = 0", 3),
        ("SELECT COUNT(*) FROM sums JOIN names ON id = subject_id WHERE kind = 8 AND judged = 1 AND name = 'PL1'", 5),
        ("SELECT COUNT(*) FROM rollups WHERE cluster_id = 7 AND revision_id = 1 AND passes = 9 AND micros_max = 30", 2),
        ("SELECT COUNT(*) FROM failures WHERE id = 'a' AND at = 7200001 AND code = 'PL1' AND because = ''", 1),
    ];

    fn before(all: &Migrator) -> Migrator {
        Migrator::with_migrations(all.iter().filter(|migration| migration.version < 60).cloned().collect())
    }

    #[tokio::test]
    async fn what_was_counted_before_sums_were_folded_moves() {
        let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.unwrap();
        before(&SQLITE).run(&pool).await.unwrap();
        for statement in BEFORE {
            sqlx::query(statement).execute(&pool).await.unwrap();
        }
        SQLITE.run(&pool).await.unwrap();
        for (count, expected) in MOVED {
            assert_eq!(sqlx::query_scalar::<_, i64>(count).fetch_one(&pool).await.unwrap(), expected, "{count}");
        }
        let Some(url) = writ_e2e::postgres::database() else {
            return writ_e2e::skipped("what_was_counted_before_sums_were_folded_moves", "no PostgreSQL server");
        };
        let pool = sqlx::PgPool::connect(&url).await.unwrap();
        before(&POSTGRES).run(&pool).await.unwrap();
        for statement in BEFORE {
            sqlx::query(statement).execute(&pool).await.unwrap();
        }
        POSTGRES.run(&pool).await.unwrap();
        for (count, expected) in MOVED {
            assert_eq!(sqlx::query_scalar::<_, i64>(count).fetch_one(&pool).await.unwrap(), expected, "{count}");
        }
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
