//! Policies: those of the served revision, and those that judged something in the window.

use super::Window;
use super::totals::{listed, statement, with_window};
use crate::store::Store;
#[cfg(test)]
use crate::store::scan::Bound;
use crate::store::sums::Kind;

/// A policy with its evaluations in both spans of a window.
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
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
    /// Judged in the span before.
    pub judged_before: i64,
    /// Failing in the span before.
    pub failing_before: i64,
}

/// The sums of all policies are one range of `sums` for each bucket; what a policy is called is looked up by
/// `revision_policies_by_policy`, once for each.
const LIST: &str = ",
    counts AS (SELECT s.subject_id AS policy_id, {SUMS} {OF_KIND} GROUP BY s.subject_id),
    served AS (SELECT * FROM revision_policies WHERE revision_id = (SELECT id FROM revisions WHERE revision = $95)),
    known AS (SELECT policy_id FROM served UNION SELECT policy_id FROM counts WHERE judged + judged_before > 0)
    SELECT n.name, COALESCE(p.code, '') AS code, COALESCE(p.title, '') AS title,
           COALESCE(p.severity, '') AS severity, (s.policy_id IS NOT NULL) AS is_served,
           COALESCE(c.judged, 0) AS judged, COALESCE(c.failing, 0) AS failing, COALESCE(c.denied, 0) AS denied,
           COALESCE(c.errors, 0) AS errors, COALESCE(c.exempted, 0) AS exempted,
           COALESCE(c.judged_before, 0) AS judged_before, COALESCE(c.failing_before, 0) AS failing_before,
           COALESCE(c.denied_before, 0) AS denied_before
    FROM known
    JOIN names n ON n.id = known.policy_id
    LEFT JOIN served s ON s.policy_id = known.policy_id
    LEFT JOIN counts c ON c.policy_id = known.policy_id
    LEFT JOIN revision_policies p ON p.policy_id = known.policy_id AND p.revision_id = COALESCE(s.revision_id,
         (SELECT MAX(revision_id) FROM revision_policies l WHERE l.policy_id = known.policy_id))
    ORDER BY failing DESC, failing_before DESC, n.name
    LIMIT $96";

/// One policy: a row of the primary key for each bucket.
const ONE: &str = "
    SELECT n.name, COALESCE(p.code, '') AS code, COALESCE(p.title, '') AS title,
           COALESCE(p.severity, '') AS severity, TRUE AS is_served, c.*
    FROM (SELECT s.subject_id AS policy_id, {SUMS} {OF_SUBJECT} GROUP BY s.subject_id) c
    JOIN names n ON n.id = c.policy_id
    LEFT JOIN revision_policies p ON p.policy_id = c.policy_id
         AND p.revision_id = (SELECT MAX(revision_id) FROM revision_policies l WHERE l.policy_id = c.policy_id)
    WHERE c.judged + c.judged_before > 0";

const PAGE: &str = "
    SELECT n.name, p.code, p.title, p.description, p.severity, p.dialect, p.kinds, p.path, p.page, r.revision
    FROM revision_policies p
    JOIN names n ON n.id = p.policy_id
    JOIN revisions r ON r.id = p.revision_id
    WHERE p.policy_id = (SELECT id FROM names WHERE name = $1)
    ORDER BY r.revision = $2 DESC, p.revision_id DESC
    LIMIT 1";

/// Where one policy judged, or one cluster or namespace had reviews: one range for each bucket.
const SPREAD: &str = "
    SELECT n.name, c.judged, c.failing, c.denied, c.judged_before, c.failing_before
    FROM (SELECT s.subject_id, {SUMS} {OF_KIND} GROUP BY s.subject_id) c JOIN {NAMES} n ON n.id = c.subject_id
    WHERE c.judged + c.judged_before > 0 ORDER BY c.failing DESC, c.failing_before DESC, n.name LIMIT $95";

impl Store {
    /// The policies of this revision and those that judged something, those that fail most first.
    pub async fn policy_rows(&self, revision: &str, window: Window, limit: i64) -> sqlx::Result<Vec<PolicyRow>> {
        let text = statement(LIST, Kind::Policy);
        on!(self, |pool| {
            let query = with_window!(sqlx::query_as(sqlx::AssertSqlSafe(text)), window, Kind::Policy);
            let query = query.bind(0_i64).bind(revision).bind(limit);
            query.fetch_all(pool).await
        })
    }

    /// What one policy judged in the window, if anything.
    pub async fn policy_row(&self, name: &str, window: Window) -> sqlx::Result<Option<PolicyRow>> {
        let Some(id) = self.name_id(name).await? else { return Ok(None) };
        let text = statement(ONE, Kind::Policy);
        on!(self, |pool| {
            let query = with_window!(sqlx::query_as(sqlx::AssertSqlSafe(text)), window, Kind::Policy);
            query.bind(0_i64).bind(id).fetch_optional(pool).await
        })
    }

    /// What this revision says of a policy, or else the newest that holds it.
    pub async fn policy_page(&self, name: &str, revision: &str) -> sqlx::Result<Option<PolicyPage>> {
        on!(self, |pool| sqlx::query_as(PAGE).bind(name).bind(revision).fetch_optional(pool).await)
    }

    /// The namespaces that a policy fails in, worst first.
    pub async fn policy_namespaces(&self, name: &str, window: Window, limit: i64) -> sqlx::Result<Vec<Spread>> {
        match self.name_id(name).await? {
            Some(id) => self.spread(Kind::PolicyInNamespace, id, window, limit).await,
            None => Ok(Vec::new()),
        }
    }

    /// The clusters that a policy fails in, worst first.
    pub async fn policy_clusters(&self, name: &str, window: Window, limit: i64) -> sqlx::Result<Vec<Spread>> {
        match self.name_id(name).await? {
            Some(id) => self.spread(Kind::PolicyInCluster, id, window, limit).await,
            None => Ok(Vec::new()),
        }
    }

    /// The namespaces or clusters of a policy, a cluster or a namespace.
    pub(super) async fn spread(&self, kind: Kind, of: i64, window: Window, limit: i64) -> sqlx::Result<Vec<Spread>> {
        listed(self, spread(kind), (window, kind), &[of, limit]).await
    }
}

fn spread(kind: Kind) -> String {
    let names = if kind.columns().1 == "cluster_id" { "clusters" } else { "names" };
    statement(&SPREAD.replace("{NAMES}", names), kind)
}

#[cfg(test)]
pub(super) fn statements() -> Vec<(&'static str, String, Vec<Bound>)> {
    use crate::store::scan::Bound::{Number, Text};
    let mut all = vec![
        ("policies", statement(LIST, Kind::Policy), vec![Number(0), Text("a".into()), Number(10)]),
        ("policy", statement(ONE, Kind::Policy), vec![Number(0), Number(1)]),
    ];
    for kind in [Kind::PolicyInNamespace, Kind::PolicyInCluster, Kind::NamespaceInCluster, Kind::ClusterInNamespace] {
        all.push(("spread", spread(kind), vec![Number(1), Number(10)]));
    }
    all
}
