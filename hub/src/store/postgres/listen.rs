//! NOTIFY and LISTEN: a hint to other hubs that a counter grew.

use sqlx::postgres::{PgListener, PgPool, PgPoolOptions};
use sqlx::{PgConnection, Postgres, Transaction};

const CHANNEL: &str = "writ";

/// Hears what others tell.
#[derive(Debug)]
pub(in crate::store) struct Listener(PgListener);

impl Listener {
    pub(in crate::store) async fn start(pool: &PgPool) -> sqlx::Result<Self> {
        // A connection of its own, which waits for as long as nobody tells anything.
        let options = (*pool.connect_options()).clone();
        let pool = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
        let mut listener = PgListener::connect_with(&pool.connect_with(options).await?).await?;
        listener.listen(CHANNEL).await?;
        Ok(Self(listener))
    }

    /// Returns when something was told; false when it hears no more.
    pub(in crate::store) async fn heard(&mut self) -> bool {
        matches!(self.0.try_recv().await, Ok(Some(_)))
    }
}

/// Tells others when the transaction is committed.
pub(in crate::store) async fn tell(transaction: &mut Transaction<'static, Postgres>) -> sqlx::Result<()> {
    let connection: &mut PgConnection = transaction;
    sqlx::query("SELECT pg_notify($1, '')").bind(CHANNEL).execute(connection).await.map(drop)
}
