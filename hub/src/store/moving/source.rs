//! The SQLite file that is left: read while a hub writes it, then closed so that no hub of any version can.

use super::tables::{self, Kind, Table, Tally};
use crate::store::{backup, migrations};
use anyhow::{Context, ensure};
use futures::TryStreamExt;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The setting that says where everything is.
const FIND: &str = "SELECT value FROM hub_settings WHERE name = 'moved_to'";
const MARK: &str = "INSERT INTO hub_settings (name, value) VALUES ('moved_to', $1)";
const UNMARK: &str = "DELETE FROM hub_settings WHERE name = 'moved_to'";
const TRIGGERS: &str = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'moved\\_%' ESCAPE '\\'";
const APPLIED: &str = "SELECT version FROM _sqlx_migrations ORDER BY version";
/// A hub that is busy is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// One value of a row.
pub(super) enum Value {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// The file.
#[derive(Debug)]
pub struct Source {
    file: PathBuf,
    connection: SqliteConnection,
    /// Its tables, each after those that it refers to.
    pub tables: Vec<Table>,
}

impl Source {
    /// Opens a hub's database of this version; a hub may run on it.
    pub async fn open(file: &Path) -> anyhow::Result<Self> {
        backup::inspect(file).await?;
        let options = SqliteConnectOptions::new().filename(file).busy_timeout(PATIENCE).disable_statement_logging();
        let mut connection = options.connect().await.with_context(|| format!("opening {}", file.display()))?;
        let applied: Vec<i64> = sqlx::query_scalar(APPLIED).fetch_all(&mut connection).await?;
        let is_current = migrations::SQLITE.iter().all(|migration| applied.contains(&migration.version));
        ensure!(is_current, "{} is of an older version: let a hub of this version run on it first", file.display());
        let tables = tables::all(&mut connection).await?;
        let file = std::path::absolute(file)?;
        Ok(Self { file, connection, tables })
    }

    /// The file, for people.
    pub fn name(&self) -> String {
        self.file.display().to_string()
    }

    /// What each day of a table comes to, the oldest first.
    pub async fn days(&mut self, table: &Table) -> sqlx::Result<Vec<(i64, Tally)>> {
        let Some((column, length)) = table.day else { return Ok(vec![]) };
        let text = format!("SELECT {column} / {length}, {} FROM {} GROUP BY 1 ORDER BY 1", table.tally(), table.name);
        let rows: Vec<(i64, i64, i64)> = sqlx::query_as(AssertSqlSafe(text)).fetch_all(&mut self.connection).await?;
        Ok(rows.into_iter().map(|(day, count, sum)| (day, Tally { count, sum })).collect())
    }

    /// What a whole table comes to, without the mark that the source is closed.
    pub async fn tally(&mut self, table: &Table) -> sqlx::Result<Tally> {
        let text = format!("SELECT {} FROM {} WHERE {}", table.tally(), table.name, moved_rows(table));
        sqlx::query_as(AssertSqlSafe(text)).fetch_one(&mut self.connection).await
    }

    /// Rows of a table, or of one of its days, one after the other.
    pub(super) async fn read(
        &mut self,
        table: &Table,
        day: Option<i64>,
        mut row: impl AsyncFnMut(Vec<Value>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let rows = day.and_then(|day| table.of_day(day)).unwrap_or_else(|| moved_rows(table).to_owned());
        let text = format!("SELECT {} FROM {} WHERE {rows}", table.column_names(), table.name);
        let mut found = sqlx::query(AssertSqlSafe(text)).fetch(&mut self.connection);
        while let Some(next) = found.try_next().await? {
            row(values(table, &next).with_context(|| format!("reading a row of {}", table.name))?).await?;
        }
        Ok(())
    }

    /// Where everything went, when it is closed.
    pub async fn moved_to(&mut self) -> sqlx::Result<Option<String>> {
        moved_to(&mut self.connection).await
    }

    /// From now on nothing can be written to it, by nobody: a hub that still runs on it tells its agents to keep what
    /// they have.
    pub async fn close(&mut self, to: &str) -> anyhow::Result<()> {
        let mut tx = self.connection.begin_with("BEGIN IMMEDIATE").await.context("waiting for the hub to pause")?;
        if moved_to(&mut tx).await?.is_some() {
            return Ok(());
        }
        sqlx::query(MARK).bind(to).execute(&mut *tx).await?;
        for table in &self.tables {
            for change in ["INSERT", "UPDATE", "DELETE"] {
                let name = &table.name;
                let text = format!(
                    "CREATE TRIGGER moved_{name}_{change} BEFORE {change} ON {name}
                     BEGIN SELECT RAISE(ABORT, 'this database was moved'); END"
                );
                sqlx::query(AssertSqlSafe(text)).execute(&mut *tx).await?;
            }
        }
        Ok(tx.commit().await?)
    }

    /// It can be written again.
    pub async fn reopen(&mut self) -> sqlx::Result<()> {
        let mut tx = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        let triggers: Vec<String> = sqlx::query_scalar(TRIGGERS).fetch_all(&mut *tx).await?;
        for trigger in triggers {
            sqlx::query(AssertSqlSafe(format!("DROP TRIGGER {trigger}"))).execute(&mut *tx).await?;
        }
        sqlx::query(UNMARK).execute(&mut *tx).await?;
        tx.commit().await
    }
}

/// Where everything went, of a database that may be an empty file.
pub(in crate::store) async fn moved_to(connection: &mut SqliteConnection) -> sqlx::Result<Option<String>> {
    const HAS_SETTINGS: &str = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'hub_settings'";
    let has_settings: i64 = sqlx::query_scalar(HAS_SETTINGS).fetch_one(&mut *connection).await?;
    match has_settings {
        0 => Ok(None),
        _ => sqlx::query_scalar(FIND).fetch_optional(connection).await,
    }
}

/// All rows but the mark.
fn moved_rows(table: &Table) -> &'static str {
    match table.name.as_str() {
        "hub_settings" => "name <> 'moved_to'",
        _ => "1 = 1",
    }
}

fn values(table: &Table, row: &SqliteRow) -> sqlx::Result<Vec<Value>> {
    let value = |(place, (_, kind)): (usize, &(String, Kind))| {
        Ok(match kind {
            Kind::Int => row.try_get_unchecked::<Option<i64>, _>(place)?.map_or(Value::Null, Value::Int),
            Kind::Text => row.try_get_unchecked::<Option<String>, _>(place)?.map_or(Value::Null, Value::Text),
            Kind::Bytes => row.try_get_unchecked::<Option<Vec<u8>>, _>(place)?.map_or(Value::Null, Value::Bytes),
        })
    };
    table.columns.iter().enumerate().map(value).collect()
}
