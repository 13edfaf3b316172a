//! The lock of the leader: an advisory lock of a session, so that it is free the moment the session ends. A leader that
//! cannot be reached any more loses its session after some seconds; the term keeps it from writing afterwards.

use sqlx::postgres::{PgConnectOptions, PgPool};
use sqlx::{ConnectOptions, PgConnection};

/// Who holds this leads.
const LOCK: i64 = 0x5752_4954_4c45_4144;
const TRY: &str = "SELECT pg_try_advisory_lock($1)";
const BEGIN: &str = "UPDATE hub_leader SET term = term + 1, hub = $1, began_at = $2 WHERE id = 1 RETURNING term";
const TERM: &str = "SELECT term FROM hub_leader WHERE id = 1";
/// How soon the server gives up a client that is silent.
const GIVE_UP: [(&str, &str); 4] = [
    ("tcp_keepalives_idle", "5"),
    ("tcp_keepalives_interval", "2"),
    ("tcp_keepalives_count", "3"),
    ("tcp_user_timeout", "10000"),
];

/// A session of its own.
pub(in crate::store) async fn session(pool: &PgPool) -> sqlx::Result<PgConnection> {
    let options: PgConnectOptions = (*pool.connect_options()).clone();
    options.options(GIVE_UP).connect().await
}

/// Takes the lock if it is free, and begins a term.
pub(in crate::store) async fn stand(session: &mut PgConnection, hub: &str, now: i64) -> sqlx::Result<Option<i64>> {
    let is_ours: bool = sqlx::query_scalar(TRY).bind(LOCK).fetch_one(&mut *session).await?;
    if !is_ours {
        return Ok(None);
    }
    sqlx::query_scalar(BEGIN).bind(hub).bind(now).fetch_one(session).await.map(Some)
}

/// The term that is.
pub(in crate::store) async fn term(session: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar(TERM).fetch_one(session).await
}
