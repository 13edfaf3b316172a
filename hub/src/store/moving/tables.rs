//! Which tables there are, read from SQLite; and what a piece of one comes to, asked of either database.

use crate::store::postgres::partitions;
use anyhow::{Context, bail};
use sqlx::{AssertSqlSafe, SqliteConnection};
use std::collections::BTreeSet;

/// Of migrations themselves, and SQLite's own.
const TABLES: &str = "
    SELECT name FROM sqlite_master
    WHERE type = 'table' AND name <> '_sqlx_migrations' AND name NOT LIKE 'sqlite%' ORDER BY name";
const COLUMNS: &str = "SELECT name, type FROM pragma_table_info($1) ORDER BY cid";
const REFERENCES: &str = "SELECT DISTINCT \"table\" FROM pragma_foreign_key_list($1) WHERE \"table\" <> $1";
/// Sums stay far below what 64 bits hold, and nearly any change of a number changes them.
const MODULUS: i64 = 1_000_003;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Text,
    Bytes,
}

/// One table.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its name, the same in both databases.
    pub name: String,
    pub(super) columns: Vec<(String, Kind)>,
    /// The column by which PostgreSQL has partitions, and how much of it is a day.
    pub(super) day: Option<(&'static str, i64)>,
}

/// What rows come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Tally {
    /// How many.
    pub count: i64,
    /// A sum over all their numbers.
    pub sum: i64,
}

impl Table {
    /// Whether it is copied day by day.
    pub fn is_by_day(&self) -> bool {
        self.day.is_some()
    }

    pub(super) fn column_names(&self) -> String {
        self.columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// `count` and `sum` of the rows of a `FROM` or `WHERE`, for either database.
    pub(super) fn tally(&self) -> String {
        let numbers = self.columns.iter().filter(|(_, kind)| *kind == Kind::Int);
        let numbers: Vec<String> = numbers.map(|(name, _)| format!("COALESCE({name}, 0) % {MODULUS}")).collect();
        let sum = if numbers.is_empty() { "0".to_owned() } else { numbers.join(" + ") };
        format!("COUNT(*) AS count, CAST(COALESCE(SUM({sum}), 0) AS BIGINT) AS sum")
    }

    /// Rows of one day.
    pub(super) fn of_day(&self, day: i64) -> Option<String> {
        let (column, length) = self.day?;
        Some(format!("{column} >= {} AND {column} < {}", day * length, (day + 1) * length))
    }
}

/// All tables, each after those that it refers to.
pub(super) async fn all(connection: &mut SqliteConnection) -> anyhow::Result<Vec<Table>> {
    let names: Vec<String> = sqlx::query_scalar(TABLES).fetch_all(&mut *connection).await?;
    let mut waiting = vec![];
    for name in names {
        let references: Vec<String> = sqlx::query_scalar(REFERENCES).bind(&name).fetch_all(&mut *connection).await?;
        waiting.push((table(connection, name).await?, references));
    }
    let (mut ordered, mut done): (Vec<Table>, BTreeSet<String>) = Default::default();
    while !waiting.is_empty() {
        let is_next = |(_, references): &(Table, Vec<String>)| references.iter().all(|name| done.contains(name));
        let place = waiting.iter().position(is_next).context("the tables refer to each other in a circle")?;
        let (table, _) = waiting.remove(place);
        done.insert(table.name.clone());
        ordered.push(table);
    }
    Ok(ordered)
}

async fn table(connection: &mut SqliteConnection, name: String) -> anyhow::Result<Table> {
    let columns: Vec<(String, String)> = sqlx::query_as(COLUMNS).bind(&name).fetch_all(connection).await?;
    let columns = columns.into_iter().map(|(column, declared)| {
        let kind = match declared.as_str() {
            "BIGINT" | "INTEGER" => Kind::Int,
            "TEXT" => Kind::Text,
            "BLOB" => Kind::Bytes,
            other => bail!("column {column} of {name} is of a type that cannot be moved: {other}"),
        };
        Ok((column, kind))
    });
    let columns = columns.collect::<anyhow::Result<_>>()?;
    Ok(Table { day: partitions::day_of(&name), name, columns })
}

/// What the tables of a database hold that nobody used yet.
pub(super) async fn of_an_empty_database(tables: &[Table]) -> anyhow::Result<Vec<Tally>> {
    use sqlx::Connection;
    let mut empty = SqliteConnection::connect("sqlite::memory:").await?;
    crate::store::migrations::SQLITE.run(&mut empty).await?;
    let mut tallies = vec![];
    for table in tables {
        let text = format!("SELECT {} FROM {}", table.tally(), table.name);
        tallies.push(sqlx::query_as(AssertSqlSafe(text)).fetch_one(&mut empty).await?);
    }
    Ok(tallies)
}
