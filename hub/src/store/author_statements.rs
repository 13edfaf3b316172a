//! What authors signed outside of the hub: their word for a commit. Verified before it gets here.

use super::revisions::json;
use super::{Store, valid};
use writ_policy::Revision;
use writ_policy::sign::Signed;

/// The newest word counts.
const SAVE: &str = "
    INSERT INTO author_statements (revision, statement, received_at) VALUES ($1, $2, $3)
    ON CONFLICT (revision) DO UPDATE SET statement = excluded.statement, received_at = excluded.received_at";
const FIND: &str = "SELECT statement FROM author_statements WHERE revision = $1";

impl Store {
    /// Keeps the author's word for a commit.
    pub async fn save_author_statement(&self, revision: &Revision, signed: &Signed, now: i64) -> sqlx::Result<()> {
        on!(write self, |pool| {
            sqlx::query(SAVE).bind(revision.as_str()).bind(json(signed)).bind(now).execute(pool).await.map(drop)
        })
    }

    /// The author's word for a commit.
    pub async fn author_statement(&self, revision: &Revision) -> sqlx::Result<Option<Signed>> {
        let text: Option<String> =
            on!(self, |pool| sqlx::query_scalar(FIND).bind(revision.as_str()).fetch_optional(pool).await)?;
        text.map(|text| valid(serde_json::from_str(&text))).transpose()
    }
}
