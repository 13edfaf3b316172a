//! Failures as the API lists them: newest first, by a key that new rows do not shift.

use super::Store;
use serde::Serialize;

const SELECT: &str = "
    SELECT failures.id, failures.at, clusters.name AS cluster, namespaces.name AS namespace, policies.name AS policy,
        failures.code, failures.severity, failures.action, failures.outcome, failures.message, kinds.name AS kind,
        failures.object, failures.workload, failures.operation, failures.requester AS user, failures.review,
        revisions.name AS revision, failures.because, failures.exemption, failures.implied <> 0 AS implied, failures.child <> 0 AS child
    FROM failures
    JOIN clusters ON clusters.id = failures.cluster_id
    JOIN names AS namespaces ON namespaces.id = failures.namespace_id
    JOIN names AS policies ON policies.id = failures.policy_id
    JOIN names AS kinds ON kinds.id = failures.kind_id
    JOIN names AS revisions ON revisions.id = failures.revision_id
    WHERE ";
const CLUSTER: &str = "failures.cluster_id = (SELECT id FROM clusters WHERE name = ";
const NAMESPACE: &str = "failures.namespace_id = (SELECT id FROM names WHERE name = ";
const POLICY: &str = "failures.policy_id = (SELECT id FROM names WHERE name = ";
const ORDER: &str = " ORDER BY failures.at DESC, failures.id DESC LIMIT ";

/// Which failures are asked for.
#[derive(Debug, Clone, Default)]
pub struct FailureQuery {
    /// Of this cluster.
    pub cluster: Option<String>,
    /// Of this namespace.
    pub namespace: Option<String>,
    /// Of this policy.
    pub policy: Option<String>,
    /// With this action.
    pub action: Option<String>,
    /// With this code.
    pub code: Option<String>,
    /// Covered by this exemption.
    pub exemption: Option<String>,
    /// Not before this time.
    pub since: i64,
    /// Older than this row.
    pub before: Option<(i64, String)>,
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

impl Store {
    /// A page of failures.
    pub async fn failure_list(&self, query: &FailureQuery) -> sqlx::Result<Vec<FailureItem>> {
        let filters = [
            (CLUSTER, ")", &query.cluster),
            (NAMESPACE, ")", &query.namespace),
            (POLICY, ")", &query.policy),
            ("failures.action = ", "", &query.action),
            ("failures.code = ", "", &query.code),
            ("failures.exemption = ", "", &query.exemption),
        ];
        let mut text = format!("{SELECT}failures.at >= $1");
        let mut values: Vec<&str> = vec![];
        for (condition, close, value) in filters {
            if let Some(value) = value {
                values.push(value);
                text.push_str(&format!(" AND {condition}${}{close}", values.len() + 1));
            }
        }
        let mut place = values.len() + 1;
        if query.before.is_some() {
            text.push_str(&format!(" AND (failures.at, failures.id) < (${}, ${})", place + 1, place + 2));
            place += 2;
        }
        text.push_str(&format!("{ORDER}${}", place + 1));
        on!(self, |pool| {
            let mut rows = sqlx::query_as(sqlx::AssertSqlSafe(text)).bind(query.since);
            rows = values.into_iter().fold(rows, |rows, value| rows.bind(value));
            if let Some((at, id)) = &query.before {
                rows = rows.bind(*at).bind(id.as_str());
            }
            rows.bind(query.limit).fetch_all(pool).await
        })
    }
}
