//! What only one transaction at a time may do. On SQLite the writing connection is alone anyway; on PostgreSQL an
//! advisory lock is held until the transaction ends. Who needs several takes them in one order, reports first: then no
//! two wait for each other.

use super::Tx;
use sqlx::PgConnection;
use std::collections::BTreeSet;

/// What is done alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Alone {
    /// Enrolling: a cluster gets a row and one agent.
    Clusters,
    /// Giving a commit its row.
    Revisions,
    /// Giving a new name its number.
    Names,
    /// Taking recent counts into sums.
    Folding,
}

/// The first of the two numbers of our locks: `WRI` and what is locked, so that others' locks are not ours.
const OURS: i32 = 0x5752_4900;

impl Alone {
    fn key(self) -> (i32, i32) {
        match self {
            Alone::Clusters => (OURS + 1, 0),
            Alone::Revisions => (OURS + 2, 0),
            Alone::Names => (OURS + 3, 0),
            Alone::Folding => (OURS + 4, 0),
        }
    }

    /// Waits on this connection until nobody else does it, and keeps it so until its transaction ends.
    pub(crate) async fn take(self, connection: &mut PgConnection) -> sqlx::Result<()> {
        let (class, object) = self.key();
        let lock = sqlx::query("SELECT pg_advisory_xact_lock($1, $2)").bind(class).bind(object);
        lock.execute(connection).await.map(drop)
    }
}

impl Tx {
    /// Waits until nobody else does this, and keeps it so until the transaction ends.
    pub(crate) async fn alone(&mut self, what: Alone) -> sqlx::Result<()> {
        match self {
            Tx::Sqlite(_) => Ok(()),
            Tx::Postgres(transaction) => what.take(transaction).await,
        }
    }

    /// The same for storing reports of these clusters.
    pub(crate) async fn alone_with_reports(&mut self, clusters: BTreeSet<i64>) -> sqlx::Result<()> {
        let Tx::Postgres(transaction) = self else { return Ok(()) };
        // Two clusters whose numbers are 2^32 apart wait for each other, no more.
        let clusters: Vec<i32> = clusters.into_iter().map(|cluster| cluster as i32).collect();
        let lock = sqlx::query("SELECT pg_advisory_xact_lock($1, cluster) FROM unnest($2) AS cluster");
        lock.bind(OURS).bind(clusters).execute(&mut **transaction).await.map(drop)
    }
}
