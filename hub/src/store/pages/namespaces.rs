//! Namespaces: their reviews, and which policies fail in them. `""` stands for cluster-scoped objects.

use super::totals::{listed, of_kind, places, statement, with_window};
use super::{PolicyRow, Spread, Window};
use crate::store::Store;
#[cfg(test)]
use crate::store::scan::Bound;
use crate::store::sums::{DAY, HOUR, Kind};

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
    WHERE c.judged + c.judged_before > 0 ORDER BY c.failing DESC, c.failing_before DESC, n.name LIMIT $95 OFFSET $96";

/// One of them: a row of the primary key for each bucket.
const ONE: &str = "
    SELECT n.name, c.judged AS reviews, c.failing, c.denied, c.judged_before AS reviews_before, c.failing_before,
           c.denied_before
    FROM (SELECT s.subject_id, {SUMS} {OF_SUBJECT} GROUP BY s.subject_id) c JOIN names n ON n.id = c.subject_id
    WHERE c.judged + c.judged_before > 0";

/// The cells of these namespaces and policies in the later span: what [`Walk`] says for each cell, and of minutes the few
/// namespaces that a policy was judged in. CASE keeps the latter one range instead of a look for each namespace.
const CELLS: &str = ",
    wanted_policies AS (SELECT id FROM names WHERE name IN {POLICIES}),
    wanted_namespaces AS (SELECT id FROM names WHERE name IN {NAMESPACES}),
    cells AS MATERIALIZED (
        SELECT p.id AS of_id, n.id AS subject_id, w.* FROM {WALK} w CROSS JOIN wanted_policies p CROSS JOIN wanted_namespaces n
        WHERE w.later <> 0 AND w.span > 1),
    found AS (
        {HOURS_AND_DAYS}
        UNION ALL
        SELECT t.subject_id, t.of_id, t.failing * w.later FROM series w CROSS JOIN wanted_policies p CROSS JOIN sums t
        WHERE w.later <> 0 AND w.span = 1 AND t.span = 1 AND t.bucket = w.bucket AND t.kind = {KIND} AND t.of_id = p.id
          AND CASE WHEN t.subject_id IN (SELECT id FROM wanted_namespaces) THEN 1 ELSE 0 END = 1
        UNION ALL
        SELECT t.subject_id, t.of_id, t.failing FROM ({RECENT}) t
        WHERE t.later = 1 AND CASE WHEN t.of_id IN (SELECT id FROM wanted_policies)
          AND t.subject_id IN (SELECT id FROM wanted_namespaces) THEN 1 ELSE 0 END = 1)
    SELECT n.name AS namespace, p.name AS policy, c.failing
    FROM (SELECT subject_id, of_id, CAST(SUM(failing) AS BIGINT) AS failing FROM found
          GROUP BY subject_id, of_id HAVING SUM(failing) > 0) c
    JOIN names n ON n.id = c.subject_id JOIN names p ON p.id = c.of_id
    ORDER BY c.failing DESC, n.name, p.name";

/// The cells in buckets of one length.
const CELLS_OF_SPAN: &str = "
    SELECT t.subject_id, t.of_id, t.failing * w.later AS failing FROM cells w CROSS JOIN sums t
    WHERE w.span = {SPAN} AND t.span = {SPAN} AND t.kind = {KIND} AND t.of_id = w.of_id AND t.subject_id = w.subject_id
      AND {BUCKETS}";

/// Each policy that fails anywhere in the window, the worst of the fleet first, and what it did in this namespace or cluster:
/// what [`Walk`] says for each of them, and a row of the primary key for each minute.
const POLICIES: &str = ",
    worst AS (SELECT * FROM (SELECT s.subject_id, {SUMS} {OF_FLEET} GROUP BY s.subject_id) a
        ORDER BY a.failing + a.exempted + a.failing_before DESC, a.subject_id LIMIT $96),
    places AS MATERIALIZED (SELECT p.subject_id AS of_id, w.* FROM worst p CROSS JOIN {WALK} w WHERE w.span > 1)
    SELECT n.name, COALESCE(p.code, '') AS code, COALESCE(p.title, '') AS title,
           COALESCE(p.severity, '') AS severity, TRUE AS is_served, c.*
    FROM (SELECT s.of_id AS policy_id, {SUMS}
          FROM ({HOURS_AND_DAYS}
              UNION ALL SELECT w.later, w.earlier, t.of_id, t.subject_id, {READ} FROM series w CROSS JOIN sums t
              WHERE w.span = 1 AND t.kind = {KIND} AND t.span = 1 AND t.bucket = w.bucket AND t.subject_id = $95
                AND t.of_id {ANY}SELECT subject_id FROM worst{END}
              UNION ALL SELECT t.* FROM ({RECENT}) t
              WHERE t.subject_id = $95 AND CASE WHEN t.of_id IN (SELECT subject_id FROM worst) THEN 1 ELSE 0 END = 1) s
          GROUP BY s.of_id) c
    JOIN names n ON n.id = c.policy_id
    LEFT JOIN revision_policies p ON p.policy_id = c.policy_id
         AND p.revision_id = (SELECT MAX(revision_id) FROM revision_policies l WHERE l.policy_id = c.policy_id)
    WHERE c.failing + c.failing_before + c.exempted > 0
    ORDER BY c.failing DESC, c.failing_before DESC, n.name LIMIT $97";

/// The policies in buckets of one length.
const POLICIES_OF_SPAN: &str = "
    SELECT w.later, w.earlier, t.of_id, t.subject_id, {READ} FROM places w CROSS JOIN sums t
    WHERE w.span = {SPAN} AND t.span = {SPAN} AND t.kind = {KIND} AND t.of_id = w.of_id AND t.subject_id = $95 AND {BUCKETS}";

/// How hours and longer sums of one policy in one namespace or cluster are found: by a row of the primary key for each bucket,
/// or by a range of `sums_by_subject` for each piece of the window. SQLite looks up quickly and has one writer, who is spared
/// an index; PostgreSQL takes microseconds for each look of a join. It is told the spans in words: it must see that the index is
/// there for all that is asked, or else it reads millions of rows instead.
#[derive(Debug, Clone, Copy)]
struct Walk {
    /// What is walked over, `w`.
    relation: &'static str,
    /// Which buckets of `sums t` each of it is.
    buckets: &'static str,
    /// How a column is one of a list without becoming a join.
    any: [&'static str; 2],
}

impl Walk {
    const OF_SQLITE: Self = Self { relation: "series", buckets: "t.bucket = w.bucket", any: ["IN (", ")"] };
    const OF_POSTGRES: Self =
        Self { relation: "pieces", buckets: "t.bucket >= w.low AND t.bucket < w.high", any: ["= ANY (ARRAY(", "))"] };

    fn of(self, text: &str, of_span: &str) -> String {
        let [open, close] = self.any;
        let spans = [HOUR, DAY].map(|span| of_span.replace("{SPAN}", &span.to_string()));
        let text = text.replace("{HOURS_AND_DAYS}", &spans.join(" UNION ALL "));
        let text = text.replace("{WALK}", self.relation).replace("{BUCKETS}", self.buckets);
        text.replace("{ANY}", open).replace("{END}", close)
    }
}

/// Policies of the fleet that are looked for in one namespace.
const MAX_POLICIES: i64 = 300;

impl Store {
    /// Namespaces with reviews in the window, those with the most failing reviews first, after the first `skip` of them.
    pub async fn namespace_rows(&self, window: Window, limit: i64, skip: i64) -> sqlx::Result<Vec<NamespaceRow>> {
        let text = statement(LIST, Kind::Namespace);
        listed(self, text, (window, Kind::Namespace), &[0, limit, skip]).await
    }

    /// One namespace, if it has reviews in the window.
    pub async fn namespace_row(&self, name: &str, window: Window) -> sqlx::Result<Option<NamespaceRow>> {
        let Some(id) = self.name_id(name).await? else { return Ok(None) };
        let text = statement(ONE, Kind::Namespace);
        on!(self, |pool| {
            let query = with_window!(sqlx::query_as(sqlx::AssertSqlSafe(text)), window, Kind::Namespace);
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
        let first = places(94, policies.len());
        let second = places(94 + policies.len(), namespaces.len());
        let text = self.cells(&first, &second);
        on!(self, |pool| {
            let query = with_window!(sqlx::query_as(sqlx::AssertSqlSafe(text)), window, Kind::PolicyInNamespace);
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

    fn cells(&self, policies: &str, namespaces: &str) -> String {
        let text = CELLS.replace("{POLICIES}", policies).replace("{NAMESPACES}", namespaces);
        statement(&self.walk().of(&text, CELLS_OF_SPAN), Kind::PolicyInNamespace)
    }

    fn statement_of_policies(&self, kind: Kind) -> String {
        let text = POLICIES.replace("{OF_FLEET}", &of_kind(Kind::Policy, ""));
        statement(&self.walk().of(&text, POLICIES_OF_SPAN), kind)
    }

    fn walk(&self) -> Walk {
        match self {
            Store::Sqlite { .. } => Walk::OF_SQLITE,
            Store::Postgres { .. } => Walk::OF_POSTGRES,
        }
    }

    async fn policies_in(&self, kind: Kind, id: i64, window: Window, limit: i64) -> sqlx::Result<Vec<PolicyRow>> {
        let text = self.statement_of_policies(kind);
        on!(self, |pool| {
            let query = with_window!(sqlx::query_as(sqlx::AssertSqlSafe(text)), window, kind);
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

#[cfg(test)]
pub(super) fn statements(store: &Store) -> Vec<(&'static str, String, Vec<Bound>)> {
    use crate::store::scan::Bound::Number;
    vec![
        ("namespaces", statement(LIST, Kind::Namespace), [0, 10, 0].map(Number).to_vec()),
        ("namespace", statement(ONE, Kind::Namespace), [0, 1].map(Number).to_vec()),
        ("cells", store.cells("('a', 'b')", "('c', 'd')"), vec![]),
        (
            "policies of a namespace",
            store.statement_of_policies(Kind::PolicyInNamespace),
            [0, 1, 300, 10].map(Number).to_vec(),
        ),
        (
            "policies of a cluster",
            store.statement_of_policies(Kind::PolicyInCluster),
            [0, 1, 300, 10].map(Number).to_vec(),
        ),
    ]
}
