//! The PostgreSQL database that is filled. Until everything is in it no hub starts on it.

use super::copy::{PIECE, add_line};
use super::source::Source;
use super::tables::{self, Table, Tally};
use crate::store::database::Server;
use crate::store::postgres::{self, partitions};
use anyhow::{Context, bail, ensure};
use sqlx::postgres::PgPool;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use std::collections::{BTreeMap, BTreeSet};

/// Which pieces are in it, and from where; gone when all of them are.
const MAKE: &str = "
    CREATE TABLE IF NOT EXISTS unfinished_move (piece TEXT PRIMARY KEY, count BIGINT NOT NULL, sum BIGINT NOT NULL)";
const IS_UNFINISHED: &str = "SELECT to_regclass('unfinished_move') IS NOT NULL";
const SAVE: &str = "
    INSERT INTO unfinished_move (piece, count, sum) VALUES ($1, $2, $3)
    ON CONFLICT (piece) DO UPDATE SET count = excluded.count, sum = excluded.sum";
const FORGET: &str = "DELETE FROM unfinished_move WHERE piece = $1";
const PIECES: &str = "SELECT piece, count, sum FROM unfinished_move";
const COLUMNS: &str = "SELECT column_name::text FROM information_schema.columns
    WHERE table_schema = current_schema() AND table_name = $1";
const FROM: &str = "INSERT INTO hub_settings (name, value) VALUES ('moved_from', $1)";
const MOVED_FROM: &str = "SELECT value FROM hub_settings WHERE name = 'moved_from'";
/// The piece that says where all the others come from.
const ORIGIN: &str = "from ";
const DAY_MS: i64 = 86_400_000;
/// Days before now that get partitions; what is older lies in the rest.
const PARTITIONED_DAYS: i64 = 400;

/// The database.
#[derive(Debug)]
pub struct Target {
    pool: PgPool,
    name: String,
}

impl Target {
    /// Connects, brings the database to this version's shape, and makes sure that nothing but an unfinished move from
    /// the same source is in it.
    pub async fn open(server: &Server, source: &Source) -> anyhow::Result<Self> {
        let name = server.to_string();
        postgres::prepare(server).await.with_context(|| format!("preparing {name}"))?;
        let pool = postgres::without_limits(server).await?;
        let target = Self { pool, name };
        let origin = [ORIGIN, &source.name()].concat();
        if !is_unfinished(&target.pool).await? {
            target.refuse_unless_empty(&source.tables).await?;
            let mut tx = target.pool.begin().await?;
            sqlx::query(MAKE).execute(&mut *tx).await?;
            sqlx::query(SAVE).bind(&origin).bind(0_i64).bind(0_i64).execute(&mut *tx).await?;
            tx.commit().await?;
        }
        let known = target.pieces().await?;
        ensure!(
            known.contains_key(&origin),
            "{} is being filled from elsewhere: {:?}",
            target.name,
            known.keys().next()
        );
        target.compare_columns(&source.tables).await?;
        Ok(target)
    }

    /// The database, for people; without a password.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether everything of a source came here before.
    pub async fn is_moved_from(server: &Server, source: &Source) -> anyhow::Result<bool> {
        let pool = postgres::without_limits(server).await?;
        let has_settings: bool =
            sqlx::query_scalar("SELECT to_regclass('hub_settings') IS NOT NULL").fetch_one(&pool).await?;
        if !has_settings {
            return Ok(false);
        }
        let from: Option<String> = sqlx::query_scalar(MOVED_FROM).fetch_optional(&pool).await?;
        Ok(from.is_some_and(|from| from == source.name()))
    }

    /// Removes what an unfinished move left.
    pub async fn give_up(server: &Server, source: &Source) -> anyhow::Result<()> {
        let pool = postgres::without_limits(server).await?;
        if !is_unfinished(&pool).await? {
            return Ok(());
        }
        let mut tx = pool.begin().await?;
        for table in source.tables.iter().filter(|table| table.is_by_day()) {
            run(&mut tx, format!("TRUNCATE {}", table.name)).await?;
        }
        run(&mut tx, "DROP TABLE unfinished_move".into()).await?;
        Ok(tx.commit().await?)
    }

    async fn refuse_unless_empty(&self, all: &[Table]) -> anyhow::Result<()> {
        let empty = tables::of_an_empty_database(all).await?;
        for (table, empty) in all.iter().zip(empty) {
            let found = tally(&mut *self.pool.acquire().await?, table, None).await?;
            if found.count > empty.count {
                let name = &self.name;
                bail!(
                    "{name} is in use: its table {} has rows. Name an empty database; nothing was changed",
                    table.name
                );
            }
        }
        Ok(())
    }

    async fn compare_columns(&self, all: &[Table]) -> anyhow::Result<()> {
        for table in all {
            let found: Vec<String> = sqlx::query_scalar(COLUMNS).bind(&table.name).fetch_all(&self.pool).await?;
            let (found, wanted): (BTreeSet<&str>, BTreeSet<&str>) = (
                found.iter().map(String::as_str).collect(),
                table.columns.iter().map(|(name, _)| name.as_str()).collect(),
            );
            ensure!(found == wanted, "table {} has other columns in {}: {found:?}", table.name, self.name);
        }
        Ok(())
    }

    /// Partitions for these days of a table, where they are of these times.
    pub async fn make_partitions(&self, table: &Table, days: &[i64], now: i64) -> sqlx::Result<()> {
        let today = now.div_euclid(DAY_MS);
        for day in days.iter().filter(|day| (today - PARTITIONED_DAYS..=today).contains(*day)) {
            partitions::make_day(&self.pool, &table.name, *day).await?;
        }
        Ok(())
    }

    /// What each day of a table came to when it was copied.
    pub async fn days(&self, table: &Table) -> anyhow::Result<BTreeMap<i64, Tally>> {
        let prefix = [&table.name, "/"].concat();
        let pieces = self.pieces().await?;
        Ok(pieces
            .into_iter()
            .filter_map(|(piece, tally)| Some((piece.strip_prefix(&prefix)?.parse().ok()?, tally)))
            .collect())
    }

    /// Copies one day, in the place of what was copied of it before. What it comes to is asked of the target, since a
    /// hub may have written meanwhile.
    pub async fn copy_day(&self, source: &mut Source, table: &Table, day: i64) -> anyhow::Result<Tally> {
        let of_day = table.of_day(day).context("the table is by day")?;
        let piece = format!("{}/{day}", table.name);
        let mut tx = self.pool.begin().await?;
        run(&mut tx, format!("DELETE FROM {} WHERE {of_day}", table.name)).await?;
        copy(&mut tx, source, table, Some(day)).await?;
        let copied = tally(&mut tx, table, Some(&of_day)).await?;
        let save = sqlx::query(if copied.count == 0 { FORGET } else { SAVE }).bind(piece);
        match copied.count {
            0 => save.execute(&mut *tx).await?,
            _ => save.bind(copied.count).bind(copied.sum).execute(&mut *tx).await?,
        };
        tx.commit().await?;
        Ok(copied)
    }

    /// Copies all tables that are not by day from a source that is closed, and compares every table with it. Either all
    /// of it is there afterwards or none of it.
    pub async fn copy_rest(&self, source: &mut Source, said: &mut dyn FnMut(&Table, Tally)) -> anyhow::Result<()> {
        ensure!(source.moved_to().await?.is_some(), "the source is closed first");
        let all = source.tables.clone();
        let mut tx = self.pool.begin().await?;
        for table in all.iter().rev().filter(|table| !table.is_by_day()) {
            run(&mut tx, format!("DELETE FROM {}", table.name)).await?;
        }
        for table in &all {
            if !table.is_by_day() {
                copy(&mut tx, source, table, None).await?;
            }
            let (wanted, found) = (source.tally(table).await?, tally(&mut tx, table, None).await?);
            let name = &table.name;
            ensure!(wanted == found, "{name} has {} rows, and {} arrived: nothing was kept", wanted.count, found.count);
            said(table, found);
        }
        sqlx::query(FROM).bind(source.name()).execute(&mut *tx).await?;
        run(&mut tx, "DROP TABLE unfinished_move".into()).await?;
        Ok(tx.commit().await?)
    }

    async fn pieces(&self) -> sqlx::Result<BTreeMap<String, Tally>> {
        let rows = sqlx::query(PIECES).fetch_all(&self.pool).await?;
        let piece = |row: sqlx::postgres::PgRow| {
            Ok((row.try_get("piece")?, Tally { count: row.try_get("count")?, sum: row.try_get("sum")? }))
        };
        rows.into_iter().map(piece).collect()
    }
}

/// Whether a move into this database has begun and not ended.
pub(in crate::store) async fn is_unfinished(pool: &PgPool) -> sqlx::Result<bool> {
    sqlx::query_scalar(IS_UNFINISHED).fetch_one(pool).await
}

async fn copy(
    connection: &mut PgConnection,
    source: &mut Source,
    table: &Table,
    day: Option<i64>,
) -> anyhow::Result<()> {
    let statement = format!("COPY {} ({}) FROM STDIN", table.name, table.column_names());
    let mut into = connection.copy_in_raw(&statement).await?;
    let mut lines = String::with_capacity(PIECE * 2);
    let read = source.read(table, day, async |row| {
        add_line(&mut lines, &row);
        if lines.len() >= PIECE {
            into.send(lines.as_bytes()).await?;
            lines.clear();
        }
        Ok(())
    });
    read.await?;
    into.send(lines.as_bytes()).await?;
    into.finish().await.with_context(|| format!("copying {}", table.name)).map(drop)
}

async fn tally(connection: &mut PgConnection, table: &Table, rows: Option<&str>) -> sqlx::Result<Tally> {
    let text = format!("SELECT {} FROM {} WHERE {}", table.tally(), table.name, rows.unwrap_or("TRUE"));
    sqlx::query_as(AssertSqlSafe(text)).fetch_one(connection).await
}

/// Names are of our tables, never of what anyone sent.
async fn run(connection: &mut PgConnection, statement: String) -> sqlx::Result<()> {
    sqlx::query(AssertSqlSafe(statement)).execute(connection).await.map(drop)
}
