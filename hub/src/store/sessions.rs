//! Sessions of people: at any hub on the database, as long as the admin token that opened them is the one that is asked for.

use super::Store;
use writ_policy::Digest;

const OPEN: &str = "INSERT INTO sessions (session_hash, opened_by, ends_at) VALUES ($1, $2, $3)";
const IS_OPEN: &str = "SELECT COUNT(*) FROM sessions WHERE session_hash = $1 AND opened_by = $2 AND ends_at > $3";
const END: &str = "DELETE FROM sessions WHERE session_hash = $1";

impl Store {
    /// Keeps a session until it ends.
    pub async fn open_session(&self, session: &Digest, opened_by: &Digest, ends_at: i64) -> sqlx::Result<()> {
        on!(write self, |pool| sqlx::query(OPEN)
            .bind(session.to_string())
            .bind(opened_by.to_string())
            .bind(ends_at)
            .execute(pool)
            .await
            .map(drop))
    }

    /// Whether there is such a session now.
    pub async fn is_open_session(&self, session: &Digest, opened_by: &Digest, now: i64) -> sqlx::Result<bool> {
        let found: i64 = on!(self, |pool| sqlx::query_scalar(IS_OPEN)
            .bind(session.to_string())
            .bind(opened_by.to_string())
            .bind(now)
            .fetch_one(pool)
            .await)?;
        Ok(found > 0)
    }

    /// Ends a session.
    pub async fn end_session(&self, session: &Digest) -> sqlx::Result<()> {
        on!(write self, |pool| sqlx::query(END).bind(session.to_string()).execute(pool).await.map(drop))
    }
}
