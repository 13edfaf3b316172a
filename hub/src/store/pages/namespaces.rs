//! Namespaces: their reviews, and which policies fail in them. `""` stands for cluster-scoped objects.

use super::totals::{of_kind, places, statement, with_window};
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
    ORDER BY c.failing DESC, c.failing_before DESC, n.name LIMIT $45 OFFSET $46";

/// One of them: a row of the primary key for each bucket.
const ONE: &str = "
    SELECT n.name, c.judged AS reviews, c.failing, c.denied, c.judged_before AS reviews_before, c.failing_before,
           c.denied_before
    FROM (SELECT s.subject_id, {SUMS} {OF_SUBJECT} GROUP BY s.subject_id) c JOIN names n ON n.id = c.subject_id";

/// The cells of these namespaces and policies in the later span. Of days a row of the primary key for each cell, since
/// most namespaces fail most policies in one of them; of hours and minutes the few namespaces that a policy failed in.
/// CASE keeps the latter one range instead of a look for each namespace.
const CELLS: &str = ",
    wanted_policies AS (SELECT id FROM names WHERE name IN {POLICIES}),
    wanted_namespaces AS (SELECT id FROM names WHERE name IN {NAMESPACES}),
    cells AS MATERIALIZED (
        SELECT b.bucket, p.id AS of_id, n.id AS subject_id
        FROM series b CROSS JOIN wanted_policies p CROSS JOIN wanted_namespaces n WHERE b.is_later = 1 AND b.span = 1440),
    found AS (
        SELECT t.subject_id, t.of_id, t.failing FROM cells c CROSS JOIN sums t
        WHERE t.span = 1440 AND t.bucket = c.bucket AND t.kind = {KIND} AND t.of_id = c.of_id AND t.subject_id = c.subject_id
        UNION ALL
        SELECT t.subject_id, t.of_id, t.failing
        FROM series b CROSS JOIN wanted_policies p CROSS JOIN sums t
        WHERE b.is_later = 1 AND b.span < 1440
          AND t.span = b.span AND t.bucket = b.bucket AND t.kind = {KIND} AND t.of_id = p.id
          AND CASE WHEN t.subject_id IN (SELECT id FROM wanted_namespaces) THEN 1 ELSE 0 END = 1
        UNION ALL
        SELECT t.subject_id, t.of_id, t.failing FROM ({RECENT}) t
        WHERE t.is_later = 1 AND t.of_id IN (SELECT id FROM wanted_policies)
          AND t.subject_id IN (SELECT id FROM wanted_namespaces))
    SELECT n.name AS namespace, p.name AS policy, c.failing
    FROM (SELECT subject_id, of_id, CAST(SUM(failing) AS BIGINT) AS failing FROM found
          GROUP BY subject_id, of_id HAVING SUM(failing) > 0) c
    JOIN names n ON n.id = c.subject_id JOIN names p ON p.id = c.of_id
    ORDER BY c.failing DESC, n.name, p.name";

/// Each policy that fails anywhere in the window, the worst of the fleet first, and what it did in this namespace or cluster:
/// a row of the primary key for each of them and each bucket.
const POLICIES: &str = ",
    worst AS (SELECT * FROM (SELECT s.subject_id, {SUMS} {OF_FLEET} GROUP BY s.subject_id) a
        ORDER BY a.failing + a.exempted + a.failing_before DESC, a.subject_id LIMIT $46),
    places AS MATERIALIZED (SELECT w.subject_id AS of_id, p.is_later, p.span, p.bucket FROM worst w CROSS JOIN series p)
    SELECT n.name, COALESCE(p.code, '') AS code, COALESCE(p.title, '') AS title,
           COALESCE(p.severity, '') AS severity, TRUE AS is_served, c.*
    FROM (SELECT s.of_id AS policy_id, {SUMS}
          FROM (SELECT p.is_later, t.of_id, t.subject_id, {READ} FROM places p CROSS JOIN sums t
              WHERE t.kind = {KIND} AND t.span = p.span AND t.of_id = p.of_id AND t.bucket = p.bucket
                AND t.subject_id = $45
              UNION ALL SELECT t.* FROM ({RECENT}) t
              WHERE t.subject_id = $45 AND t.of_id IN (SELECT subject_id FROM worst)) s
          GROUP BY s.of_id) c
    JOIN names n ON n.id = c.policy_id
    LEFT JOIN revision_policies p ON p.policy_id = c.policy_id
         AND p.revision_id = (SELECT MAX(revision_id) FROM revision_policies l WHERE l.policy_id = c.policy_id)
    WHERE c.failing + c.failing_before + c.exempted > 0
    ORDER BY c.failing DESC, c.failing_before DESC, n.name LIMIT $47";

/// Policies of the fleet that are looked for in one namespace.
const MAX_POLICIES: i64 = 300;

impl Store {
    /// Namespaces with reviews in the window, those with the most failing reviews first, after the first `skip` of them.
    pub async fn namespace_rows(&self, window: Window, limit: i64, skip: i64) -> sqlx::Result<Vec<NamespaceRow>> {
        let text = statement(LIST, Kind::Namespace);
        on!(self, |pool| {
            let query = with_window!(sqlx::query_as(sqlx::AssertSqlSafe(text)), window);
            query.bind(0_i64).bind(limit).bind(skip).fetch_all(pool).await
        })
    }

    /// One namespace, if it has reviews in the window.
    pub async fn namespace_row(&self, name: &str, window: Window) -> sqlx::Result<Option<NamespaceRow>> {
        let Some(id) = self.name_id(name).await? else { return Ok(None) };
        let text = statement(ONE, Kind::Namespace);
        on!(self, |pool| {
            let query = with_window!(sqlx::query_as(sqlx::AssertSqlSafe(text)), window);
            query.bind(0_i64).bind(id).fetch_optional(pool).await
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
        let first = places(44, policies.len());
        let second = places(44 + policies.len(), namespaces.len());
        let text = CELLS.replace("{POLICIES}", &first).replace("{NAMESPACES}", &second);
        let text = statement(&text, Kind::PolicyInNamespace);
        on!(self, |pool| {
            let query = with_window!(sqlx::query_as(sqlx::AssertSqlSafe(text)), window);
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
        let text = policies_in(kind);
        on!(self, |pool| {
            let query = with_window!(sqlx::query_as(sqlx::AssertSqlSafe(text)), window);
            query.bind(0_i64).bind(id).bind(MAX_POLICIES).bind(limit).fetch_all(pool).await
        })
    }

    /// The clusters that a namespace has reviews in, worst first.
    pub async fn namespace_clusters(&self, name: &str, window: Window, limit: i64) -> sqlx::Result<Vec<Spread>> {
        match self.name_id(name).await? {
            Some(id) => self.spread(Kind::ClusterInNamespace, id, window, limit).await,
            None => Ok(Vec::new()),
        }
    }
}

fn policies_in(kind: Kind) -> String {
    statement(&POLICIES.replace("{OF_FLEET}", &of_kind(Kind::Policy, "")), kind)
}

#[cfg(test)]
pub(super) fn statements() -> Vec<(&'static str, String, Vec<Bound>)> {
    use crate::store::scan::Bound::Number;
    let cells = CELLS.replace("{POLICIES}", "('a', 'b')").replace("{NAMESPACES}", "('c', 'd')");
    vec![
        ("namespaces", statement(LIST, Kind::Namespace), [0, 10, 0].map(Number).to_vec()),
        ("namespace", statement(ONE, Kind::Namespace), [0, 1].map(Number).to_vec()),
        ("cells", statement(&cells, Kind::PolicyInNamespace), vec![]),
        ("policies of a namespace", policies_in(Kind::PolicyInNamespace), [0, 1, 300, 10].map(Number).to_vec()),
        ("policies of a cluster", policies_in(Kind::PolicyInCluster), [0, 1, 300, 10].map(Number).to_vec()),
    ]
}
