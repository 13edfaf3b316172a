//! PostgreSQL, 15 or later: a server that several hubs may share. Its own means are below this file.

pub(super) mod copy;
pub(super) mod fold;
pub(super) mod leader;
pub(super) mod listen;
pub(super) mod partitions;
pub(super) mod unnest;

use super::database::Server;
use super::{Store, migrations, moving};
use anyhow::{Context, ensure};
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use std::time::Duration;

/// Connections of one hub for what agents report, and for what people look at.
const WRITERS: u32 = 8;
const READERS: u32 = 8;
/// How long a request waits for a connection before it is told to try again; servers that are away are tried meanwhile.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest that the server works on a statement, and that it waits for a transaction of ours to go on.
const STATEMENT_LIMIT: &str = "30s";
const IDLE_LIMIT: &str = "30s";
/// Pages are many short statements: compiling one takes longer than running it. They are written in the order in which they
/// are to be joined, buckets first and a range of a key for each; what the planner guesses of recursion leads it elsewhere.
const OF_READERS: [(&str, &str); 5] = [
    ("default_transaction_read_only", "on"),
    ("jit", "off"),
    ("join_collapse_limit", "1"),
    ("enable_memoize", "off"),
    // A month of two thousand namespaces is grouped in memory.
    ("work_mem", "32MB"),
];
const CAN_BE_WRITTEN: &str = "SELECT current_setting('transaction_read_only') = 'off'";
/// Numbers its versions as 15 * 10,000 and so on.
const OLDEST: i32 = 150_000;

/// Connects and brings the database to this version's shape.
pub(super) async fn open(server: &Server) -> anyhow::Result<Store> {
    prepare(server).await.with_context(|| format!("preparing {server}"))?;
    let is_unfinished = moving::is_unfinished(&without_limits(server).await?).await?;
    ensure!(!is_unfinished, "not everything was moved to {server} yet: run `writ-hub migrate` again");
    let options = with_limits(server.options().clone());
    let writer = writers(options.clone()).await.with_context(|| format!("connecting to {server}"))?;
    let readers = pool(READERS, options.options(OF_READERS)).await?;
    Ok(Store::Postgres { writer, readers })
}

/// One connection that may take its time.
pub(super) async fn without_limits(server: &Server) -> anyhow::Result<PgPool> {
    let options = server.options().clone().application_name("writ-hub").disable_statement_logging();
    pool(1, options).await.with_context(|| format!("connecting to {server}"))
}

/// Without limits: a migration may take its time, and that of another hub is waited for.
pub(super) async fn prepare(server: &Server) -> anyhow::Result<()> {
    let connection = without_limits(server).await?;
    let version: i32 =
        sqlx::query_scalar("SELECT current_setting('server_version_num')::int4").fetch_one(&connection).await?;
    ensure!(version >= OLDEST, "this is PostgreSQL {}; Writ needs 15 or later", version / 10_000);
    migrations::POSTGRES.run(&connection).await.map_err(migrations::explained)?;
    connection.close().await;
    Ok(())
}

fn with_limits(options: PgConnectOptions) -> PgConnectOptions {
    let limits = [("statement_timeout", STATEMENT_LIMIT), ("idle_in_transaction_session_timeout", IDLE_LIMIT)];
    options.application_name("writ-hub").options(limits).statement_cache_capacity(200).disable_statement_logging()
}

/// A connection to a server that was the primary and is so no more is given up, whenever one is asked for.
async fn writers(options: PgConnectOptions) -> sqlx::Result<PgPool> {
    let pool = PgPoolOptions::new().max_connections(WRITERS).acquire_timeout(PATIENCE).test_before_acquire(false);
    let pool = pool.before_acquire(|connection, _| {
        Box::pin(async move { sqlx::query_scalar(CAN_BE_WRITTEN).fetch_one(connection).await })
    });
    pool.connect_with(options).await
}

/// Whether this is the primary.
pub(super) async fn can_be_written(pool: &PgPool) -> sqlx::Result<bool> {
    sqlx::query_scalar(CAN_BE_WRITTEN).fetch_one(pool).await
}

async fn pool(connections: u32, options: PgConnectOptions) -> sqlx::Result<PgPool> {
    PgPoolOptions::new().max_connections(connections).acquire_timeout(PATIENCE).connect_with(options).await
}

impl Store {
    /// Makes partitions for the days around now, where the database has them; how many.
    pub async fn make_partitions(&self, now: i64) -> sqlx::Result<usize> {
        match self {
            Store::Sqlite { .. } => Ok(0),
            Store::Postgres { writer, .. } => partitions::make(writer, now).await,
        }
    }

    /// Drops the partitions of a table whose days ended before this time (Unix milliseconds), where the database has
    /// them; how many. Rows of the day that the time is in, and those without a day, are left to be deleted.
    pub async fn drop_before(&self, table: &str, before: i64) -> sqlx::Result<usize> {
        match self {
            Store::Sqlite { .. } => Ok(0),
            Store::Postgres { writer, .. } => partitions::drop_before(writer, table, before).await,
        }
    }
}
