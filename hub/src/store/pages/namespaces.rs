//! Namespaces: their reviews, and which policies fail in them. `""` stands for cluster-scoped objects.

use super::{PolicyRow, Spread, Window};
use crate::store::Store;

/// A namespace with its reviews in both spans of a window.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct NamespaceRow {
    /// Name.
    pub name: String,
    /// All reviews.
    pub reviews: i64,
    /// Those with a failure or an error.
    pub failing: i64,
    /// Those that were refused.
    pub denied: i64,
    /// All reviews in the span before.
    pub reviews_before: i64,
    /// Failing reviews in the span before.
    pub failing_before: i64,
    /// Refused reviews in the span before.
    pub denied_before: i64,
}

/// How often one policy failed in one namespace.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct NamespaceCell {
    /// Namespace.
    pub namespace: String,
    /// Policy.
    pub policy: String,
    /// Objections and errors.
    pub failing: i64,
}

const COUNTS: &str = "
    SELECT n.name, CAST(SUM(CASE WHEN minute >= $2 THEN reviews ELSE 0 END) AS BIGINT) AS reviews,
           CAST(SUM(CASE WHEN minute >= $2 THEN failing ELSE 0 END) AS BIGINT) AS failing,
           CAST(SUM(CASE WHEN minute >= $2 THEN denied ELSE 0 END) AS BIGINT) AS denied,
           CAST(SUM(CASE WHEN minute < $2 THEN reviews ELSE 0 END) AS BIGINT) AS reviews_before,
           CAST(SUM(CASE WHEN minute < $2 THEN failing ELSE 0 END) AS BIGINT) AS failing_before,
           CAST(SUM(CASE WHEN minute < $2 THEN denied ELSE 0 END) AS BIGINT) AS denied_before
    FROM review_minutes m JOIN names n ON n.id = m.namespace_id
    WHERE minute >= $1 AND minute < $3";
const GROUPED: &str = " GROUP BY n.name ORDER BY 3 DESC, 6 DESC, n.name LIMIT $4";
const ONE: &str = " AND m.namespace_id = (SELECT id FROM names WHERE name = $4) GROUP BY n.name";

const CELLS: &str = "
    SELECT n.name AS namespace, p.name AS policy, CAST(SUM(failures + errors) AS BIGINT) AS failing
    FROM policy_minutes m JOIN names n ON n.id = m.namespace_id JOIN names p ON p.id = m.policy_id
    WHERE minute >= $1 AND minute < $2
    GROUP BY n.name, p.name HAVING SUM(failures + errors) > 0
    ORDER BY 3 DESC, n.name, p.name
    LIMIT $3";

const POLICIES: &str = "
    WITH last AS (SELECT policy_id, MAX(revision_id) AS revision_id FROM revision_policies GROUP BY policy_id)
    SELECT n.name, COALESCE(p.code, '') AS code, COALESCE(p.title, '') AS title,
           COALESCE(p.severity, '') AS severity, TRUE AS is_served,
           CAST(SUM(CASE WHEN minute >= $3 THEN passes + failures + errors + exempted ELSE 0 END) AS BIGINT) AS judged,
           CAST(SUM(CASE WHEN minute >= $3 THEN failures + errors ELSE 0 END) AS BIGINT) AS failing,
           CAST(SUM(CASE WHEN minute >= $3 THEN denials ELSE 0 END) AS BIGINT) AS denied,
           CAST(SUM(CASE WHEN minute >= $3 THEN errors ELSE 0 END) AS BIGINT) AS errors,
           CAST(SUM(CASE WHEN minute >= $3 THEN exempted ELSE 0 END) AS BIGINT) AS exempted,
           CAST(SUM(CASE WHEN minute < $3 THEN passes + failures + errors + exempted ELSE 0 END) AS BIGINT) AS judged_before,
           CAST(SUM(CASE WHEN minute < $3 THEN failures + errors ELSE 0 END) AS BIGINT) AS failing_before,
           CAST(SUM(CASE WHEN minute < $3 THEN denials ELSE 0 END) AS BIGINT) AS denied_before
    FROM policy_minutes m
    JOIN names n ON n.id = m.policy_id
    LEFT JOIN last l ON l.policy_id = m.policy_id
    LEFT JOIN revision_policies p ON p.policy_id = m.policy_id AND p.revision_id = l.revision_id
    WHERE m.namespace_id = (SELECT id FROM names WHERE name = $1) AND minute >= $2 AND minute < $4
    GROUP BY n.name, p.code, p.title, p.severity
    HAVING SUM(failures + errors + exempted) > 0
    ORDER BY failing DESC, failing_before DESC, n.name LIMIT $5";

const CLUSTERS: &str = "
    SELECT c.name, CAST(SUM(CASE WHEN minute >= $3 THEN reviews ELSE 0 END) AS BIGINT) AS judged,
           CAST(SUM(CASE WHEN minute >= $3 THEN failing ELSE 0 END) AS BIGINT) AS failing,
           CAST(SUM(CASE WHEN minute >= $3 THEN denied ELSE 0 END) AS BIGINT) AS denied,
           CAST(SUM(CASE WHEN minute < $3 THEN failing ELSE 0 END) AS BIGINT) AS failing_before
    FROM review_minutes m JOIN clusters c ON c.id = m.cluster_id
    WHERE m.namespace_id = (SELECT id FROM names WHERE name = $1) AND minute >= $2 AND minute < $4
    GROUP BY c.name ORDER BY 3 DESC, 5 DESC, c.name LIMIT $5";

impl Store {
    /// Namespaces with reviews in the window, those with the most failing reviews first.
    pub async fn namespace_rows(&self, window: Window, limit: i64) -> sqlx::Result<Vec<NamespaceRow>> {
        let statement = sqlx::AssertSqlSafe([COUNTS, GROUPED].concat());
        on!(self, |pool| {
            let query = sqlx::query_as(statement).bind(window.before).bind(window.since);
            query.bind(window.until).bind(limit).fetch_all(pool).await
        })
    }

    /// One namespace, if it has reviews in the window.
    pub async fn namespace_row(&self, name: &str, window: Window) -> sqlx::Result<Option<NamespaceRow>> {
        let statement = sqlx::AssertSqlSafe([COUNTS, ONE].concat());
        on!(self, |pool| {
            let query = sqlx::query_as(statement).bind(window.before).bind(window.since);
            query.bind(window.until).bind(name).fetch_optional(pool).await
        })
    }

    /// Which policy failed how often in which namespace, in the later span of the window.
    pub async fn namespace_cells(&self, window: Window, limit: i64) -> sqlx::Result<Vec<NamespaceCell>> {
        on!(self, |pool| {
            sqlx::query_as(CELLS).bind(window.since).bind(window.until).bind(limit).fetch_all(pool).await
        })
    }

    /// The policies that fail in a namespace, worst first.
    pub async fn namespace_policies(&self, name: &str, window: Window, limit: i64) -> sqlx::Result<Vec<PolicyRow>> {
        on!(self, |pool| {
            let query = sqlx::query_as(POLICIES).bind(name).bind(window.before).bind(window.since);
            query.bind(window.until).bind(limit).fetch_all(pool).await
        })
    }

    /// The clusters that a namespace has reviews in, worst first.
    pub async fn namespace_clusters(&self, name: &str, window: Window, limit: i64) -> sqlx::Result<Vec<Spread>> {
        on!(self, |pool| {
            let query = sqlx::query_as(CLUSTERS).bind(name).bind(window.before).bind(window.since);
            query.bind(window.until).bind(limit).fetch_all(pool).await
        })
    }
}
