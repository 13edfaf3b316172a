//! Policies: those of the served revision, and those that judged something in the window.

use super::Window;
use crate::store::Store;

/// A policy with its evaluations in both spans of a window.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct PolicyRow {
    /// Name.
    pub name: String,
    /// Code, empty when no known revision holds the policy.
    pub code: String,
    /// Title.
    pub title: String,
    /// LOW, MED or HIGH.
    pub severity: String,
    /// Whether the served revision holds it.
    pub is_served: bool,
    /// Evaluations.
    pub judged: i64,
    /// Objections and errors.
    pub failing: i64,
    /// Of these, denied.
    pub denied: i64,
    /// Of these, errors.
    pub errors: i64,
    /// Objections that an exemption covered; they are not among the failing.
    pub exempted: i64,
    /// Evaluations in the span before.
    pub judged_before: i64,
    /// Objections and errors in the span before.
    pub failing_before: i64,
    /// Of these, denied.
    pub denied_before: i64,
}

/// What the newest revision with this policy says of it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct PolicyPage {
    /// Name.
    pub name: String,
    /// Code.
    pub code: String,
    /// Title.
    pub title: String,
    /// Description.
    pub description: String,
    /// LOW, MED or HIGH.
    pub severity: String,
    /// In which dialect it is written.
    pub dialect: String,
    /// JSON array of text.
    pub kinds: String,
    /// Path of its source.
    pub path: String,
    /// Markdown of its documentation, or empty.
    pub page: String,
    /// The revision that says so.
    pub revision: String,
}

/// How failures spread over namespaces or clusters.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Spread {
    /// Name of the namespace or cluster.
    pub name: String,
    /// Judged in the span.
    pub judged: i64,
    /// Failing in the span.
    pub failing: i64,
    /// Denied in the span.
    pub denied: i64,
    /// Failing in the span before.
    pub failing_before: i64,
}

const LIST: &str = "
    WITH served AS (SELECT * FROM revision_policies WHERE revision_id = (SELECT id FROM revisions WHERE revision = $1)),
    counts AS (
        SELECT policy_id,
               SUM(CASE WHEN minute >= $3 THEN passes + failures + errors + exempted ELSE 0 END) AS judged,
               SUM(CASE WHEN minute >= $3 THEN failures + errors ELSE 0 END) AS failing,
               SUM(CASE WHEN minute >= $3 THEN denials ELSE 0 END) AS denied,
               SUM(CASE WHEN minute >= $3 THEN errors ELSE 0 END) AS errors,
               SUM(CASE WHEN minute >= $3 THEN exempted ELSE 0 END) AS exempted,
               SUM(CASE WHEN minute < $3 THEN passes + failures + errors + exempted ELSE 0 END) AS judged_before,
               SUM(CASE WHEN minute < $3 THEN failures + errors ELSE 0 END) AS failing_before,
               SUM(CASE WHEN minute < $3 THEN denials ELSE 0 END) AS denied_before
        FROM policy_minutes WHERE minute >= $2 AND minute < $4 GROUP BY policy_id),
    known AS (SELECT policy_id FROM served UNION SELECT policy_id FROM counts),
    last AS (SELECT policy_id, MAX(revision_id) AS revision_id FROM revision_policies GROUP BY policy_id)
    SELECT n.name, COALESCE(p.code, '') AS code, COALESCE(p.title, '') AS title,
           COALESCE(p.severity, '') AS severity, (s.policy_id IS NOT NULL) AS is_served,
           CAST(COALESCE(c.judged, 0) AS BIGINT) AS judged, CAST(COALESCE(c.failing, 0) AS BIGINT) AS failing,
           CAST(COALESCE(c.denied, 0) AS BIGINT) AS denied, CAST(COALESCE(c.errors, 0) AS BIGINT) AS errors,
           CAST(COALESCE(c.exempted, 0) AS BIGINT) AS exempted,
           CAST(COALESCE(c.judged_before, 0) AS BIGINT) AS judged_before,
           CAST(COALESCE(c.failing_before, 0) AS BIGINT) AS failing_before,
           CAST(COALESCE(c.denied_before, 0) AS BIGINT) AS denied_before
    FROM known
    JOIN names n ON n.id = known.policy_id
    LEFT JOIN served s ON s.policy_id = known.policy_id
    LEFT JOIN counts c ON c.policy_id = known.policy_id
    LEFT JOIN last l ON l.policy_id = known.policy_id
    LEFT JOIN revision_policies p ON p.policy_id = known.policy_id
         AND p.revision_id = COALESCE(s.revision_id, l.revision_id)
    ORDER BY failing DESC, failing_before DESC, n.name
    LIMIT $5";

const PAGE: &str = "
    SELECT n.name, p.code, p.title, p.description, p.severity, p.dialect, p.kinds, p.path, p.page, r.revision
    FROM revision_policies p
    JOIN names n ON n.id = p.policy_id
    JOIN revisions r ON r.id = p.revision_id
    WHERE p.policy_id = (SELECT id FROM names WHERE name = $1)
    ORDER BY r.revision = $2 DESC, p.revision_id DESC
    LIMIT 1";

const BY_NAMESPACE: &str = "
    SELECT n.name, CAST(SUM(CASE WHEN minute >= $3 THEN passes + failures + errors + exempted ELSE 0 END) AS BIGINT) AS judged,
           CAST(SUM(CASE WHEN minute >= $3 THEN failures + errors ELSE 0 END) AS BIGINT) AS failing,
           CAST(SUM(CASE WHEN minute >= $3 THEN denials ELSE 0 END) AS BIGINT) AS denied,
           CAST(SUM(CASE WHEN minute < $3 THEN failures + errors ELSE 0 END) AS BIGINT) AS failing_before
    FROM policy_minutes m JOIN names n ON n.id = m.namespace_id
    WHERE m.policy_id = (SELECT id FROM names WHERE name = $1) AND minute >= $2 AND minute < $4
    GROUP BY n.name ORDER BY 3 DESC, 5 DESC, n.name LIMIT $5";

const BY_CLUSTER: &str = "
    SELECT c.name, CAST(SUM(CASE WHEN minute >= $3 THEN passes + failures + errors + exempted ELSE 0 END) AS BIGINT) AS judged,
           CAST(SUM(CASE WHEN minute >= $3 THEN failures + errors ELSE 0 END) AS BIGINT) AS failing,
           CAST(SUM(CASE WHEN minute >= $3 THEN denials ELSE 0 END) AS BIGINT) AS denied,
           CAST(SUM(CASE WHEN minute < $3 THEN failures + errors ELSE 0 END) AS BIGINT) AS failing_before
    FROM policy_minutes m JOIN clusters c ON c.id = m.cluster_id
    WHERE m.policy_id = (SELECT id FROM names WHERE name = $1) AND minute >= $2 AND minute < $4
    GROUP BY c.name ORDER BY 3 DESC, 5 DESC, c.name LIMIT $5";

impl Store {
    /// The policies of this revision and those that judged something, those that fail most first.
    pub async fn policy_rows(&self, revision: &str, window: Window, limit: i64) -> sqlx::Result<Vec<PolicyRow>> {
        on!(self, |pool| {
            let query = sqlx::query_as(LIST).bind(revision).bind(window.before).bind(window.since);
            query.bind(window.until).bind(limit).fetch_all(pool).await
        })
    }

    /// What this revision says of a policy, or else the newest that holds it.
    pub async fn policy_page(&self, name: &str, revision: &str) -> sqlx::Result<Option<PolicyPage>> {
        on!(self, |pool| sqlx::query_as(PAGE).bind(name).bind(revision).fetch_optional(pool).await)
    }

    /// The namespaces that a policy fails in, worst first.
    pub async fn policy_namespaces(&self, name: &str, window: Window, limit: i64) -> sqlx::Result<Vec<Spread>> {
        self.policy_spread(BY_NAMESPACE, name, window, limit).await
    }

    /// The clusters that a policy fails in, worst first.
    pub async fn policy_clusters(&self, name: &str, window: Window, limit: i64) -> sqlx::Result<Vec<Spread>> {
        self.policy_spread(BY_CLUSTER, name, window, limit).await
    }

    async fn policy_spread(
        &self,
        statement: &'static str,
        name: &str,
        window: Window,
        limit: i64,
    ) -> sqlx::Result<Vec<Spread>> {
        on!(self, |pool| {
            let query = sqlx::query_as(statement).bind(name).bind(window.before).bind(window.since);
            query.bind(window.until).bind(limit).fetch_all(pool).await
        })
    }
}
