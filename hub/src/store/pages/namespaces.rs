//! Namespaces: their reviews, and which policies fail in them. `""` stands for cluster-scoped objects.

use super::totals::{places, statement, with_window};
use super::{PolicyRow, Spread, Window};
use crate::store::Store;
#[cfg(test)]
use crate::store::scan::Bound;
use crate::store::sums::Kind;

/// A namespace (or a cluster, or the fleet) with its reviews in both spans of a window.
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
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

/// The sums of all namespaces: one range of `sums` for each bucket.
const LIST: &str = "
    SELECT n.name, c.judged AS reviews, c.failing, c.denied, c.judged_before AS reviews_before, c.failing_before,
           c.denied_before
    FROM (SELECT s.subject_id, {SUMS} {OF_KIND} GROUP BY s.subject_id) c JOIN names n ON n.id = c.subject_id
    ORDER BY c.failing DESC, c.failing_before DESC, n.name LIMIT $43 OFFSET $44";

/// One of them: a row of the primary key for each bucket.
const ONE: &str = "
    SELECT n.name, c.judged AS reviews, c.failing, c.denied, c.judged_before AS reviews_before, c.failing_before,
           c.denied_before
    FROM (SELECT s.subject_id, {SUMS} {OF_SUBJECT} GROUP BY s.subject_id) c JOIN names n ON n.id = c.subject_id";

/// The cells of these namespaces and policies in the later span. Of days a row of the primary key for each cell, since
/// most namespaces fail most policies in one of them; of hours and minutes the few namespaces that a policy failed in.
/// The plus keeps the latter one range instead of a look for each namespace.
const CELLS: &str = ",
    found AS (
        SELECT s.subject_id, s.policy_id, s.failing
        FROM names p CROSS JOIN names n CROSS JOIN series b CROSS JOIN sums s
        WHERE b.is_later = 1 AND b.span = 1440 AND p.name IN {POLICIES} AND n.name IN {NAMESPACES}
          AND s.span = 1440 AND s.bucket = b.bucket AND s.kind = $41 AND s.policy_id = p.id AND s.subject_id = n.id
        UNION ALL
        SELECT s.subject_id, s.policy_id, s.failing
        FROM names p CROSS JOIN series b CROSS JOIN sums s
        WHERE b.is_later = 1 AND b.span < 1440 AND p.name IN {POLICIES}
          AND s.span = b.span AND s.bucket = b.bucket AND s.kind = $41 AND s.policy_id = p.id
          AND +s.subject_id IN (SELECT id FROM names WHERE name IN {NAMESPACES}))
    SELECT n.name AS namespace, p.name AS policy, CAST(SUM(c.failing) AS BIGINT) AS failing
    FROM found c JOIN names n ON n.id = c.subject_id JOIN names p ON p.id = c.policy_id
    GROUP BY n.name, p.name HAVING SUM(c.failing) > 0
    ORDER BY 3 DESC, n.name, p.name";

/// Each policy that fails anywhere in the window, the worst of the fleet first, and what it did in this namespace: a row
/// of the primary key for each of them and each bucket.
const POLICIES: &str = ",
    worst AS (SELECT * FROM (SELECT s.subject_id, {SUMS} {OF_KIND} GROUP BY s.subject_id) a
        ORDER BY a.failing + a.exempted + a.failing_before DESC, a.subject_id LIMIT $44)
    SELECT n.name, COALESCE(p.code, '') AS code, COALESCE(p.title, '') AS title,
           COALESCE(p.severity, '') AS severity, TRUE AS is_served, c.*
    FROM (SELECT s.policy_id, {SUMS}
          FROM worst w CROSS JOIN series p CROSS JOIN sums s
          WHERE s.kind = $45 AND s.span = p.span AND s.policy_id = w.subject_id AND s.bucket = p.bucket
                AND s.subject_id = $43
          GROUP BY s.policy_id) c
    JOIN names n ON n.id = c.policy_id
    LEFT JOIN revision_policies p ON p.policy_id = c.policy_id
         AND p.revision_id = (SELECT MAX(revision_id) FROM revision_policies l WHERE l.policy_id = c.policy_id)
    WHERE c.failing + c.failing_before + c.exempted > 0
    ORDER BY c.failing DESC, c.failing_before DESC, n.name LIMIT $46";

/// Clusters with reviews in the namespace: `review_minutes_by_namespace` and the same of hours and days, for each piece.
const CLUSTERS: &str = ",
    reviewed AS (
        SELECT p.is_later, r.cluster_id, r.reviews, r.failing, r.denied FROM pieces p CROSS JOIN review_minutes r
        WHERE p.span = 1 AND r.namespace_id = $41 AND r.minute >= p.low AND r.minute < p.high
        UNION ALL
        SELECT p.is_later, r.cluster_id, r.reviews, r.failing, r.denied FROM pieces p CROSS JOIN review_hours r
        WHERE p.span = 60 AND r.namespace_id = $41 AND r.hour >= p.low AND r.hour < p.high
        UNION ALL
        SELECT p.is_later, r.cluster_id, r.reviews, r.failing, r.denied FROM pieces p CROSS JOIN review_days r
        WHERE p.span = 1440 AND r.namespace_id = $41 AND r.day >= p.low AND r.day < p.high)
    SELECT c.name, CAST(SUM(CASE WHEN is_later = 1 THEN reviews ELSE 0 END) AS BIGINT) AS judged,
           CAST(SUM(CASE WHEN is_later = 1 THEN failing ELSE 0 END) AS BIGINT) AS failing,
           CAST(SUM(CASE WHEN is_later = 1 THEN denied ELSE 0 END) AS BIGINT) AS denied,
           CAST(SUM(CASE WHEN is_later = 0 THEN reviews ELSE 0 END) AS BIGINT) AS judged_before,
           CAST(SUM(CASE WHEN is_later = 0 THEN failing ELSE 0 END) AS BIGINT) AS failing_before
    FROM reviewed r JOIN clusters c ON c.id = r.cluster_id
    GROUP BY c.name ORDER BY 3 DESC, 6 DESC, c.name LIMIT $42";

/// Policies of the fleet that are looked for in one namespace.
const MAX_POLICIES: i64 = 300;

impl Store {
    /// Namespaces with reviews in the window, those with the most failing reviews first, after the first `skip` of them.
    pub async fn namespace_rows(&self, window: Window, limit: i64, skip: i64) -> sqlx::Result<Vec<NamespaceRow>> {
        let text = statement(LIST);
        on!(self, |pool| {
            let query = with_window!(sqlx::query_as(sqlx::AssertSqlSafe(text)), window);
            let query = query.bind(Kind::Namespace as i64).bind(0_i64);
            query.bind(limit).bind(skip).fetch_all(pool).await
        })
    }

    /// One namespace, if it has reviews in the window.
    pub async fn namespace_row(&self, name: &str, window: Window) -> sqlx::Result<Option<NamespaceRow>> {
        let Some(id) = self.name_id(name).await? else { return Ok(None) };
        let text = statement(ONE);
        on!(self, |pool| {
            let query = with_window!(sqlx::query_as(sqlx::AssertSqlSafe(text)), window);
            query.bind(Kind::Namespace as i64).bind(0_i64).bind(id).fetch_optional(pool).await
        })
    }

    /// How often these policies failed in these namespaces, in the later span of the window.
    pub async fn namespace_cells(
        &self,
        window: Window,
        namespaces: &[&str],
        policies: &[&str],
    ) -> sqlx::Result<Vec<NamespaceCell>> {
        if namespaces.is_empty() || policies.is_empty() {
            return Ok(Vec::new());
        }
        let first = places(42, policies.len());
        let second = places(42 + policies.len(), namespaces.len());
        let text = statement(CELLS).replace("{POLICIES}", &first).replace("{NAMESPACES}", &second);
        on!(self, |pool| {
            let query = with_window!(sqlx::query_as(sqlx::AssertSqlSafe(text)), window);
            let query = query.bind(Kind::PolicyInNamespace as i64);
            policies.iter().chain(namespaces).fold(query, |query, name| query.bind(*name)).fetch_all(pool).await
        })
    }

    /// The policies that fail in a namespace, worst first.
    pub async fn namespace_policies(&self, name: &str, window: Window, limit: i64) -> sqlx::Result<Vec<PolicyRow>> {
        match self.name_id(name).await? {
            Some(id) => self.policies_in(Kind::PolicyInNamespace, id, window, limit).await,
            None => Ok(Vec::new()),
        }
    }

    /// The policies that fail in a cluster, worst first.
    pub async fn cluster_policies(&self, name: &str, window: Window, limit: i64) -> sqlx::Result<Vec<PolicyRow>> {
        match self.cluster_id(name).await? {
            Some(id) => self.policies_in(Kind::PolicyInCluster, id, window, limit).await,
            None => Ok(Vec::new()),
        }
    }

    async fn policies_in(&self, kind: Kind, id: i64, window: Window, limit: i64) -> sqlx::Result<Vec<PolicyRow>> {
        let text = statement(POLICIES);
        on!(self, |pool| {
            let query = with_window!(sqlx::query_as(sqlx::AssertSqlSafe(text)), window);
            let query = query.bind(Kind::Policy as i64).bind(0_i64).bind(id).bind(MAX_POLICIES);
            query.bind(kind as i64).bind(limit).fetch_all(pool).await
        })
    }

    /// The clusters that a namespace has reviews in, worst first.
    pub async fn namespace_clusters(&self, name: &str, window: Window, limit: i64) -> sqlx::Result<Vec<Spread>> {
        let Some(id) = self.name_id(name).await? else { return Ok(Vec::new()) };
        let text = statement(CLUSTERS);
        on!(self, |pool| {
            let query = with_window!(sqlx::query_as(sqlx::AssertSqlSafe(text)), window);
            query.bind(id).bind(limit).fetch_all(pool).await
        })
    }
}

#[cfg(test)]
pub(super) fn statements() -> Vec<(&'static str, String, Vec<Bound>)> {
    use crate::store::scan::Bound::Number;
    let cells = CELLS.replace("{POLICIES}", "('a', 'b')").replace("{NAMESPACES}", "('c', 'd')");
    vec![
        ("namespaces", LIST.to_owned(), [2, 0, 10, 0].map(Number).to_vec()),
        ("namespace", ONE.to_owned(), [2, 0, 1].map(Number).to_vec()),
        ("cells", cells, vec![Number(5)]),
        ("policies of a namespace", POLICIES.to_owned(), [3, 0, 1, 300, 5, 10].map(Number).to_vec()),
        ("clusters of a namespace", CLUSTERS.to_owned(), [1, 10].map(Number).to_vec()),
    ]
}
