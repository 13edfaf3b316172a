//! A copy of the embedded database while it is in use, and what can be said of a file that claims to be one.

use super::migrations;
use anyhow::{Context, bail, ensure};
use sqlx::sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};
use std::path::Path;

/// The newest moment that the hub wrote down.
const NEWEST: &str = "
    SELECT MAX(at) FROM (
        SELECT COALESCE(MAX(seen_at), 0) AS at FROM revisions
        UNION ALL SELECT COALESCE(MAX(seen_at), 0) FROM clusters
        UNION ALL SELECT COALESCE(MAX(issued_at), 0) FROM assignments
        UNION ALL SELECT COALESCE(MAX(received_at), 0) FROM cursors
        UNION ALL SELECT COALESCE(MAX(enrolled_at), 0) FROM agents)";

/// What is known of a database file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inspected {
    /// The newest moment in it, Unix milliseconds.
    pub newest_at: i64,
    /// Clusters in it.
    pub clusters: i64,
}

/// Writes a whole and compact copy of the database to a file that is there and empty. Others may read and write the
/// database meanwhile; the copy is of one moment.
pub async fn copy(database: &Path, to: &Path) -> anyhow::Result<()> {
    let to = to.to_str().context("the name of the file is not UTF-8")?;
    let mut connection = connect(database, SqliteAutoVacuum::Incremental).await?;
    // Bound values cannot name the file of a VACUUM in every version; a quote is doubled as SQL wants it.
    let statement = format!("VACUUM INTO '{}'", to.replace('\'', "''"));
    sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.context("copying the database")?;
    connection.close().await.context("closing the database")
}

/// Looks at a database file: whole, of this hub, and not of a newer version.
pub async fn inspect(file: &Path) -> anyhow::Result<Inspected> {
    let inspected = async {
        let mut connection = connect(file, SqliteAutoVacuum::None).await?;
        let state: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut connection).await?;
        ensure!(state == "ok", "it is damaged: {state}");
        let applied: Vec<i64> = sqlx::query_scalar("SELECT version FROM _sqlx_migrations ORDER BY version")
            .fetch_all(&mut connection)
            .await
            .context("it is no database of a hub")?;
        if let Some(newer) = applied.iter().find(|version| !migrations::SQLITE.version_exists(**version)) {
            bail!("it is of a newer version of Writ (it has migration {newer}): restore it with that version");
        }
        let newest_at = sqlx::query_scalar(NEWEST).fetch_one(&mut connection).await?;
        let clusters = sqlx::query_scalar("SELECT COUNT(*) FROM clusters").fetch_one(&mut connection).await?;
        connection.close().await?;
        anyhow::Ok(Inspected { newest_at, clusters })
    };
    inspected.await.with_context(|| format!("looking at {}", file.display()))
}

async fn connect(file: &Path, vacuum: SqliteAutoVacuum) -> anyhow::Result<SqliteConnection> {
    ensure!(file.is_file(), "there is no file {}", file.display());
    let options = SqliteConnectOptions::new().filename(file).auto_vacuum(vacuum).disable_statement_logging();
    options.connect().await.with_context(|| format!("opening {}", file.display()))
}
