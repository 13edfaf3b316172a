//! Content that nothing needs any more: blobs that no kept revision names. Kept is what is served, what a cluster was
//! told as far as that is kept, and what was served lately. What old revisions say in full goes with `retention`.

use super::{Classes, Store, Tx, placeholders, valid};
use std::collections::BTreeSet;
use writ_policy::Digest;

/// Whether a revision's content is kept; `$1` is since when all are. Of another its row stays, for the history that
/// names it.
pub(super) const KEPT: &str = "
    (COALESCE(served_at, 0) >= $1 OR COALESCE(served_at, 0) = (SELECT COALESCE(MAX(served_at), -1) FROM revisions)
        OR id IN (SELECT revision_id FROM assignments))";
const OLD: &str = "SELECT digest FROM blobs WHERE created_at < $1 ORDER BY digest";
/// Digests that are deleted by one statement.
const CHUNK: usize = 500;

impl Store {
    /// Digests of the blobs that nobody published since.
    pub async fn old_blobs(&self, before: i64) -> sqlx::Result<Vec<String>> {
        on!(self, |pool| sqlx::query_scalar(OLD).bind(before).fetch_all(pool).await)
    }

    /// Digests of the indexes of all revisions that are kept, those for classes of clusters among them.
    pub async fn kept_indexes(&self, before: i64) -> sqlx::Result<BTreeSet<Digest>> {
        let text = format!("SELECT index_digest, classes FROM revisions WHERE index_digest IS NOT NULL AND {KEPT}");
        let rows: Vec<(String, String)> =
            on!(self, |pool| sqlx::query_as(sqlx::AssertSqlSafe(text)).bind(before).fetch_all(pool).await)?;
        let mut indexes = BTreeSet::new();
        for (index, classes) in rows {
            let classes: Classes = valid(serde_json::from_str(&classes))?;
            indexes.insert(valid(index.parse())?);
            indexes.extend(classes.into_values().map(|class| class.index));
        }
        Ok(indexes)
    }
}

impl Tx {
    /// Deletes blobs, but none that was published since; how many.
    pub async fn delete_blobs(&mut self, digests: &[Digest], before: i64) -> sqlx::Result<u64> {
        let mut deleted = 0;
        for chunk in digests.chunks(CHUNK) {
            let (some, last) = (placeholders(1, chunk.len()), chunk.len() + 1);
            let text = format!("DELETE FROM blobs WHERE digest IN {some} AND created_at < ${last}");
            deleted += on!(tx self, |connection| {
                let query = sqlx::query(sqlx::AssertSqlSafe(text));
                let query = chunk.iter().fold(query, |query, digest| query.bind(digest.to_string()));
                query.bind(before).execute(connection).await.map(|done| done.rows_affected())
            })?;
        }
        Ok(deleted)
    }
}
