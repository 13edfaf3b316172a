//! Failures as pages and the API list them: the newest first, by a key that new rows do not shift.
//!
//! They are walked along `failures_by_cluster`, `_by_namespace`, `_by_policy` or `_by_code`, whichever begins with the
//! first of these filters that is given, else along `failures_by_time`. All end with the time and the id, so that a page
//! is one walk without sorting; all other filters are applied to at most `MOST_LOOKED_AT` rows of it.

use super::Store;
use super::scan::{Condition, Place, Scan, Statement, with_values};
use serde::Serialize;

/// The columns that filters ask for, beside id and time.
const COLUMNS: &str =
    "cluster_id, namespace_id, policy_id, kind_id, revision_id, code, severity, action, exemption, workload";

const ROWS: &str = "
    SELECT f.id, f.at, clusters.name AS cluster, namespaces.name AS namespace, policies.name AS policy,
        f.code, f.severity, f.action, f.outcome, f.message, kinds.name AS kind,
        f.object, f.workload, f.operation, f.requester AS user, f.review,
        revisions.name AS revision, f.because, f.exemption, f.implied <> 0 AS implied, f.child <> 0 AS child
    FROM found
    JOIN failures f ON f.id = found.id AND f.at = found.at
    JOIN clusters ON clusters.id = f.cluster_id
    JOIN names AS namespaces ON namespaces.id = f.namespace_id
    JOIN names AS policies ON policies.id = f.policy_id
    JOIN names AS kinds ON kinds.id = f.kind_id
    JOIN names AS revisions ON revisions.id = f.revision_id
    ORDER BY found.at DESC, found.id DESC";

/// Which failures are asked for.
#[derive(Debug, Clone, Default)]
pub struct FailureQuery {
    /// Of this cluster.
    pub cluster: Option<String>,
    /// Of this namespace; `""` for cluster-scoped objects.
    pub namespace: Option<String>,
    /// Of this policy.
    pub policy: Option<String>,
    /// With this code.
    pub code: Option<String>,
    /// Of this severity.
    pub severity: Option<String>,
    /// With this action.
    pub action: Option<String>,
    /// Of this kind, `group/Kind`.
    pub kind: Option<String>,
    /// Of this workload, `Kind/name`.
    pub workload: Option<String>,
    /// Covered by this exemption.
    pub exemption: Option<String>,
    /// Judged by this revision.
    pub revision: Option<String>,
    /// Not before this time.
    pub since: i64,
    /// Older than this row.
    pub before: Option<Place>,
    /// At most so many.
    pub limit: i64,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct FailurePage {
    /// The rows.
    pub rows: Vec<FailureItem>,
    /// Where the next part begins, if there may be one.
    pub next: Option<Place>,
    /// Whether the looking ended before enough were found: `next` looks further.
    pub is_partial: bool,
}

/// One policy objecting in one review.
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the migration, which explains them")]
pub struct FailureItem {
    pub id: String,
    pub at: i64,
    pub cluster: String,
    pub namespace: String,
    pub policy: String,
    pub code: String,
    pub severity: String,
    pub action: String,
    pub outcome: String,
    pub message: String,
    pub kind: String,
    pub object: String,
    pub workload: String,
    pub operation: String,
    pub user: String,
    pub review: String,
    pub revision: String,
    pub because: String,
    pub exemption: String,
    pub implied: bool,
    pub child: bool,
}

impl FailureQuery {
    fn conditions(&self) -> Vec<Condition> {
        let texts: [(&'static str, &Option<String>); 10] = [
            ("cluster_id = (SELECT id FROM clusters WHERE name = {})", &self.cluster),
            ("namespace_id = (SELECT id FROM names WHERE name = {})", &self.namespace),
            ("policy_id = (SELECT id FROM names WHERE name = {})", &self.policy),
            ("code = {}", &self.code),
            ("severity = {}", &self.severity),
            ("action = {}", &self.action),
            ("kind_id = (SELECT id FROM names WHERE name = {})", &self.kind),
            ("workload = {}", &self.workload),
            ("exemption = {}", &self.exemption),
            ("revision_id = (SELECT id FROM names WHERE name = {})", &self.revision),
        ];
        texts.into_iter().filter_map(|(text, value)| Some(Condition { text, value: value.clone()? })).collect()
    }

    fn scan<'a>(&'a self, conditions: &'a [Condition]) -> Scan<'a> {
        let begins =
            |text: &str| ["cluster_id", "namespace_id", "policy_id", "code"].iter().any(|it| text.starts_with(it));
        let is_indexed = conditions.first().is_some_and(|first| begins(first.text));
        let (indexed, rest) = conditions.split_at(usize::from(is_indexed));
        let (indexed, rest) = (indexed.first(), rest.iter().collect());
        let (table, at, fixed) = ("failures", "at", "1 = 1");
        Scan { table, at, fixed, indexed, rest, since: self.since, before: self.before.as_ref() }
    }
}

impl Store {
    /// A page of failures.
    pub async fn failure_page(&self, query: &FailureQuery) -> sqlx::Result<FailurePage> {
        let conditions = query.conditions();
        let scan = query.scan(&conditions);
        let Statement { text, values } = list(&scan, query.limit);
        let rows: Vec<FailureItem> = on!(self, |pool| {
            with_values!(sqlx::query_as(sqlx::AssertSqlSafe(text)), values).fetch_all(pool).await
        })?;
        if rows.len() as i64 >= query.limit {
            let next = rows.last().map(|row| (row.at, row.id.clone()));
            return Ok(FailurePage { rows, next, is_partial: false });
        }
        let next = if scan.rest.is_empty() { None } else { scan.end(self).await? };
        Ok(FailurePage { rows, is_partial: next.is_some(), next })
    }
}

/// The rows of a page.
fn list(scan: &Scan<'_>, limit: i64) -> Statement {
    let mut statement = Statement::default();
    statement.text.push_str("WITH found AS (");
    scan.matching(&mut statement, COLUMNS, limit);
    statement.text.push(')');
    statement.text.push_str(ROWS);
    statement
}

/// What is asked of the database for this list.
#[cfg(test)]
pub(super) fn statements(query: &FailureQuery) -> Vec<Statement> {
    let conditions = query.conditions();
    let scan = query.scan(&conditions);
    vec![list(&scan, 50), scan.end_of_looking()]
}
