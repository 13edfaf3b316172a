//! Failures as pages and the API list them: the newest first, by a key that new rows do not shift.
//!
//! They are walked along `failures_by_cluster`, `_by_namespace` or `_by_policy`, whichever begins with the first of these
//! filters that is given, else along the key, which is the time and the id. All end with these, so that a page is one walk
//! without sorting; all other filters are applied to at most `MOST_LOOKED_AT` rows of it. A code is looked for among the
//! failures of its policy.

use super::Store;
#[cfg(test)]
use super::scan::Statement;
use super::scan::{Condition, Listed, Page, Place, Scan, Shown};
use serde::Serialize;

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

const SHOWN: Shown = Shown { columns: COLUMNS, rows: ROWS };

const POLICIES_OF_CODE: &str = "
    SELECT name FROM names WHERE id IN (SELECT policy_id FROM revision_policies WHERE code = $1) ORDER BY name LIMIT 2";

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

impl Listed for FailureItem {
    fn place(&self) -> Place {
        (self.at, self.id.clone())
    }
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
        let begins = |text: &str| ["cluster_id", "namespace_id", "policy_id"].iter().any(|it| text.starts_with(it));
        let is_indexed = conditions.first().is_some_and(|first| begins(first.text));
        let (indexed, rest) = conditions.split_at(usize::from(is_indexed));
        let (indexed, rest) = (indexed.first(), rest.iter().collect());
        let (table, at, fixed) = ("failures", "at", "1 = 1");
        Scan { table, at, fixed, indexed, rest, since: self.since, before: self.before.as_ref() }
    }
}

impl Store {
    /// A page of failures.
    pub async fn failure_page(&self, query: &FailureQuery) -> sqlx::Result<Page<FailureItem>> {
        let query = &self.with_policy_of_code(query.clone()).await?;
        let conditions = query.conditions();
        query.scan(&conditions).page(self, SHOWN, query.limit).await
    }

    /// No index holds codes: that of the policy serves when only one policy ever had the code.
    async fn with_policy_of_code(&self, mut query: FailureQuery) -> sqlx::Result<FailureQuery> {
        let (Some(code), None) = (&query.code, &query.policy) else { return Ok(query) };
        let mut names: Vec<String> =
            on!(self, |pool| sqlx::query_scalar(POLICIES_OF_CODE).bind(code).fetch_all(pool).await)?;
        if names.len() == 1 {
            query.policy = names.pop();
        }
        Ok(query)
    }
}

/// What is asked of the database for this list.
#[cfg(test)]
pub(super) fn statements(query: &FailureQuery) -> Vec<Statement> {
    let conditions = query.conditions();
    let scan = query.scan(&conditions);
    vec![scan.list(SHOWN, 50), scan.end_of_looking()]
}
