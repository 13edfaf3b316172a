//! The database. The only place that names sqlx; each file below holds the statements of one thing beside its rows.
//! SQLite with one writing connection and several readers, or PostgreSQL, which several hubs share. Statements are
//! written once for both; what only one of them has is in `sqlite.rs` and `postgres.rs`.
//! What may be stored is decided by the callers: the store keeps what it is given.

/// Runs one body for whichever database the store is: `on!(self, |pool| query.fetch_all(pool).await)` reads,
/// `on!(write self, ..)` writes one statement, `on!(tx tx, ..)` works within a transaction. The body is compiled for
/// each database: what it evaluates to must be the same type for both (`.map(drop)` after `execute`).
macro_rules! on {
    (write $store:expr, |$pool:ident| $body:expr) => {
        match $store {
            $crate::store::Store::Sqlite { writer: $pool, .. } => $body,
            $crate::store::Store::Postgres { writer: $pool, .. } => $body,
        }
    };
    (tx $tx:expr, |$connection:ident| $body:expr) => {
        match $tx {
            $crate::store::Tx::Sqlite(transaction) => {
                let $connection = &mut **transaction;
                $body
            }
            $crate::store::Tx::Postgres(transaction) => {
                let $connection = &mut **transaction;
                $body
            }
        }
    };
    ($store:expr, |$pool:ident| $body:expr) => {
        match $store {
            $crate::store::Store::Sqlite { readers: $pool, .. } => $body,
            $crate::store::Store::Postgres { readers: $pool, .. } => $body,
        }
    };
}

use sqlx::postgres::PgPool;
use sqlx::sqlite::SqlitePool;

mod agents;
mod alone;
mod assignments;
mod audits;
mod author_statements;
mod away;
pub mod backup;
mod blobs;
mod break_glass;
mod bulk;
mod cannot_write;
mod changes;
mod clusters;
mod counts;
mod database;
mod explain;
mod failure_list;
#[cfg(any(test, feature = "fixtures"))]
pub mod fixture;
pub mod fold;
#[cfg(test)]
mod fresh;
mod history;
mod leader;
mod migrations;
pub mod moving;
mod names;
mod pages;
#[cfg(test)]
mod plans;
mod postgres;
mod recent;
mod replicas;
mod reports;
mod retention;
mod revisions;
mod rollout_orders;
mod rollouts;
mod scan;
mod sessions;
mod settings;
mod sqlite;
mod status;
mod successions;
pub mod sums;
mod tallies;
mod unneeded;
mod violation_list;
mod violations;

pub(crate) use agents::valid;
pub(crate) use alone::Alone;
pub use assignments::{NewAssignment, Told};
pub use audits::AuditRow;
pub use break_glass::BreakGlassRow;
pub(crate) use cannot_write::cannot_write;
pub use changes::{Changes, Wake};
pub use clusters::{AskingRow, FoundToken, NewToken};
pub use counts::Counts;
pub use database::Database;
pub use explain::Explainable;
pub use failure_list::{FailureItem, FailureQuery};
pub use history::{EnforcedBy, HistoryRow};
pub use leader::Election;
pub use names::Names;
pub use pages::*;
pub use replicas::Heartbeat;
pub use reports::{Accepted, Stored};
pub use retention::Aged;
pub(crate) use revisions::fleet_of;
pub use revisions::{Checked, ClassBundle, Classes, NewBundle, Served};
pub use rollout_orders::OrderRow;
pub use rollouts::{PinRow, RolloutEvent, RolloutRow};
pub use scan::{MOST_LOOKED_AT, Page, Place};
pub use status::StatusRow;
pub use violation_list::{Facet, Facets, ViolationQuery};
pub use violations::{Bounds, ViolationEvent, ViolationRow, violation_id};

/// What the store answers; absent is `Ok(None)`.
pub type Result<T> = sqlx::Result<T>;
/// Why it did not.
pub type Failed = sqlx::Error;

impl From<sqlx::Error> for crate::failure::Error {
    fn from(error: sqlx::Error) -> Self {
        if away::is_away(&error) {
            return Self::Busy;
        }
        Self::Internal(anyhow::Error::new(error).context("the database did not answer"))
    }
}

/// The open database. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Store {
    /// An embedded database in one file.
    Sqlite {
        /// The one connection that writes.
        writer: SqlitePool,
        /// Connections that only read; each sees what was committed before its query began.
        readers: SqlitePool,
        /// The one connection that takes the journal into the file.
        checkpoints: SqlitePool,
    },
    /// A PostgreSQL server, which other hubs may use at the same time.
    Postgres {
        /// Connections for what agents report and hubs decide.
        writer: PgPool,
        /// Connections for what people look at, so that a slow page does not keep out agents.
        readers: PgPool,
    },
}

/// Writes that belong together. Dropped without [`Tx::commit`], none of them happened.
#[derive(Debug)]
pub enum Tx {
    /// Holds the one writing connection until it ends.
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
    /// One of several at a time: what must be alone says so by [`Tx::alone`].
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
}

impl Store {
    /// Opens the database and brings it to this version's shape.
    pub async fn open(database: &Database) -> anyhow::Result<Self> {
        match database {
            Database::Sqlite(file) => sqlite::open(file).await,
            Database::Postgres(server) => postgres::open(server).await,
        }
    }

    /// How many transactions that store reports are worth having at a time.
    pub fn writers(&self) -> usize {
        match self {
            Store::Sqlite { .. } => 1,
            Store::Postgres { .. } => 2,
        }
    }

    /// Begins writes that belong together.
    pub async fn begin(&self) -> sqlx::Result<Tx> {
        match self {
            Store::Sqlite { writer, .. } => Ok(Tx::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?)),
            Store::Postgres { writer, .. } => Ok(Tx::Postgres(writer.begin().await?)),
        }
    }

    /// Whether the database can be written; an error when it does not even answer.
    pub async fn is_ready(&self) -> sqlx::Result<bool> {
        match self {
            Store::Sqlite { readers, .. } => sqlite::can_be_written(readers).await,
            Store::Postgres { writer, .. } => postgres::can_be_written(writer).await,
        }
    }

    /// Ends all connections; what was committed stays.
    pub async fn close(&self) {
        match self {
            Store::Sqlite { writer, readers, checkpoints } => {
                readers.close().await;
                checkpoints.close().await;
                writer.close().await;
            }
            Store::Postgres { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
        }
    }
}

impl Tx {
    /// Makes the writes happen, all of them.
    pub async fn commit(self) -> sqlx::Result<()> {
        match self {
            Tx::Sqlite(transaction) => transaction.commit().await,
            Tx::Postgres(transaction) => transaction.commit().await,
        }
    }
}

/// `count` rows of `width` placeholders: `($1, $2), ($3, $4)`. Only numbers are formatted, values are always bound.
pub(crate) fn placeholders(count: usize, width: usize) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(count * width * 6);
    for row in 0..count {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 1..=width {
            let separator = if column == 1 { "" } else { ", " };
            write!(text, "{separator}${}", row * width + column).expect("a string takes any text");
        }
        text.push(')');
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn placeholders_count_through() {
        assert_eq!(super::placeholders(2, 2), "($1, $2), ($3, $4)");
    }
    #[test]
    fn waiting_too_long_for_a_connection_is_busy_and_no_internal_error() {
        use crate::failure::Error;
        assert!(matches!(Error::from(sqlx::Error::PoolTimedOut), Error::Busy));
        assert!(matches!(Error::from(sqlx::Error::PoolClosed), Error::Internal(_)));
    }
}
