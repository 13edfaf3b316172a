//! Blobs: the content of bundles by digest, compressed. Never changed, never missing while something names them.

use super::{Store, Tx, placeholders};
use std::collections::BTreeSet;
use writ_policy::Digest;

const FIND: &str = "SELECT content FROM blobs WHERE digest = $1";
/// A blob that is old enough to be deleted soon is new again before it is counted on.
const WANT: &str = "UPDATE blobs SET created_at = $1 WHERE created_at < $2 AND digest IN ";
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const SAVE: &str =
    "INSERT INTO blobs (digest, content, created_at) VALUES ($1, $2, $3) ON CONFLICT (digest) DO NOTHING";
/// Digests that are looked up by one statement.
const CHUNK: usize = 500;

impl Store {
    /// The compressed content with this digest.
    pub async fn blob(&self, digest: &Digest) -> sqlx::Result<Option<Vec<u8>>> {
        on!(self, |pool| sqlx::query_scalar(FIND).bind(digest.to_string()).fetch_optional(pool).await)
    }

    /// Those of the digests that are stored already, and stay so although retention runs.
    pub async fn known_blobs(&self, digests: &[Digest], now: i64) -> sqlx::Result<BTreeSet<Digest>> {
        let mut known = BTreeSet::new();
        for chunk in digests.chunks(CHUNK) {
            let (first, rest) = (2, chunk.len());
            let places: Vec<String> = (1..=rest).map(|place| format!("${}", first + place)).collect();
            let want = format!("{WANT}({})", places.join(", "));
            on!(write self, |pool| {
                let query = sqlx::query(sqlx::AssertSqlSafe(want)).bind(now).bind(now - DAY_MS);
                chunk.iter().fold(query, |query, digest| query.bind(digest.to_string())).execute(pool).await.map(drop)
            })?;
            let text = format!("SELECT digest FROM blobs WHERE digest IN {}", placeholders(1, chunk.len()));
            let found: Vec<String> = on!(self, |pool| {
                let query = sqlx::query_scalar(sqlx::AssertSqlSafe(text));
                chunk.iter().fold(query, |query, digest| query.bind(digest.to_string())).fetch_all(pool).await
            })?;
            known.extend(found.iter().filter_map(|digest| digest.parse::<Digest>().ok()));
        }
        Ok(known)
    }
}

impl Tx {
    /// Keeps compressed content by the digest of the plain one.
    pub async fn save_blob(&mut self, digest: &Digest, content: &[u8], now: i64) -> sqlx::Result<()> {
        on!(tx self, |connection| sqlx::query(SAVE)
            .bind(digest.to_string())
            .bind(content)
            .bind(now)
            .execute(connection)
            .await
            .map(drop))
    }
}
