//! Clusters: their reviews in both spans of a window, the worst first, and what fails in one of them.

use super::totals::{statement, with_window};
use super::{NamespaceRow, Spread, Window};
use crate::store::Store;
#[cfg(test)]
use crate::store::scan::Bound;
use crate::store::sums::Kind;

/// The sums of all clusters: one range of `sums` for each bucket.
const LIST: &str = "
    SELECT n.name, c.judged AS reviews, c.failing, c.denied, c.judged_before AS reviews_before, c.failing_before,
           c.denied_before
    FROM (SELECT s.subject_id, {SUMS} {OF_KIND} GROUP BY s.subject_id) c JOIN clusters n ON n.id = c.subject_id
    ORDER BY c.failing DESC, c.failing_before DESC, n.name LIMIT $43 OFFSET $44";

/// One of them: a row of the primary key for each bucket.
const ONE: &str = "
    SELECT n.name, c.judged AS reviews, c.failing, c.denied, c.judged_before AS reviews_before, c.failing_before,
           c.denied_before
    FROM (SELECT s.subject_id, {SUMS} {OF_SUBJECT} GROUP BY s.subject_id) c JOIN clusters n ON n.id = c.subject_id";

/// Namespaces of a cluster: the primary keys of the review tables begin with the bucket and the cluster, so that each
/// bucket is one short range.
const NAMESPACES: &str = ",
    reviewed AS (
        SELECT p.is_later, r.namespace_id, r.reviews, r.failing, r.denied FROM series p CROSS JOIN review_minutes r
        WHERE p.span = 1 AND r.minute = p.bucket AND r.cluster_id = $41
        UNION ALL
        SELECT p.is_later, r.namespace_id, r.reviews, r.failing, r.denied FROM series p CROSS JOIN review_hours r
        WHERE p.span = 60 AND r.hour = p.bucket AND r.cluster_id = $41
        UNION ALL
        SELECT p.is_later, r.namespace_id, r.reviews, r.failing, r.denied FROM series p CROSS JOIN review_days r
        WHERE p.span = 1440 AND r.day = p.bucket AND r.cluster_id = $41)
    SELECT n.name, CAST(SUM(CASE WHEN is_later = 1 THEN reviews ELSE 0 END) AS BIGINT) AS judged,
           CAST(SUM(CASE WHEN is_later = 1 THEN failing ELSE 0 END) AS BIGINT) AS failing,
           CAST(SUM(CASE WHEN is_later = 1 THEN denied ELSE 0 END) AS BIGINT) AS denied,
           CAST(SUM(CASE WHEN is_later = 0 THEN reviews ELSE 0 END) AS BIGINT) AS judged_before,
           CAST(SUM(CASE WHEN is_later = 0 THEN failing ELSE 0 END) AS BIGINT) AS failing_before
    FROM reviewed r JOIN names n ON n.id = r.namespace_id
    GROUP BY n.name ORDER BY 3 DESC, 6 DESC, n.name LIMIT $42";

/// A cluster with its reviews in both spans; the columns are those of a namespace.
pub type ClusterRow = NamespaceRow;

impl Store {
    /// Clusters with reviews in the window, those with the most failing reviews first, after the first `skip` of them.
    pub async fn cluster_rows(&self, window: Window, limit: i64, skip: i64) -> sqlx::Result<Vec<ClusterRow>> {
        let text = statement(LIST);
        on!(self, |pool| {
            let query = with_window!(sqlx::query_as(sqlx::AssertSqlSafe(text)), window);
            query.bind(Kind::Cluster as i64).bind(0_i64).bind(limit).bind(skip).fetch_all(pool).await
        })
    }

    /// One cluster, if it has reviews in the window.
    pub async fn cluster_row(&self, name: &str, window: Window) -> sqlx::Result<Option<ClusterRow>> {
        let Some(id) = self.cluster_id(name).await? else { return Ok(None) };
        let text = statement(ONE);
        on!(self, |pool| {
            let query = with_window!(sqlx::query_as(sqlx::AssertSqlSafe(text)), window);
            query.bind(Kind::Cluster as i64).bind(0_i64).bind(id).fetch_optional(pool).await
        })
    }

    /// The namespaces of a cluster, worst first.
    pub async fn cluster_namespaces(&self, name: &str, window: Window, limit: i64) -> sqlx::Result<Vec<Spread>> {
        let Some(id) = self.cluster_id(name).await? else { return Ok(Vec::new()) };
        let text = statement(NAMESPACES);
        on!(self, |pool| {
            let query = with_window!(sqlx::query_as(sqlx::AssertSqlSafe(text)), window);
            query.bind(id).bind(limit).fetch_all(pool).await
        })
    }
}

#[cfg(test)]
pub(super) fn statements() -> Vec<(&'static str, String, Vec<Bound>)> {
    use crate::store::scan::Bound::Number;
    vec![
        ("clusters", LIST.to_owned(), [1, 0, 10, 0].map(Number).to_vec()),
        ("cluster", ONE.to_owned(), [1, 0, 1].map(Number).to_vec()),
        ("namespaces of a cluster", NAMESPACES.to_owned(), [1, 10].map(Number).to_vec()),
    ]
}
