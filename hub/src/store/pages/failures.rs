//! Failures, newest first, by whatever the reader asks for. Conditions are constants, values are bound.

use crate::store::Store;

/// One policy objecting in one review.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct FailureRow {
    /// UUIDv7.
    pub id: String,
    /// When the review was decided.
    pub at: i64,
    /// Cluster.
    pub cluster: String,
    /// Namespace, `""` for cluster-scoped objects.
    pub namespace: String,
    /// Policy.
    pub policy: String,
    /// Its code.
    pub code: String,
    /// Its severity.
    pub severity: String,
    /// deny, warn or dryrun.
    pub action: String,
    /// fail or error.
    pub outcome: String,
    /// What the developer saw.
    pub message: String,
    /// `group/Kind`.
    pub kind: String,
    /// Name of the object.
    pub object: String,
    /// The owner at the top.
    pub workload: String,
    /// CREATE, UPDATE, DELETE or CONNECT.
    pub operation: String,
    /// Who asked.
    pub requester: String,
    /// The revision that judged.
    pub revision: String,
}

/// What must be true of a failure; nothing asked, nothing left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FailureFilter {
    /// Only of this cluster.
    pub cluster: Option<String>,
    /// Only in this namespace; `""` for cluster-scoped objects.
    pub namespace: Option<String>,
    /// Only of this policy.
    pub policy: Option<String>,
    /// Only with this action.
    pub action: Option<String>,
    /// Only with this code.
    pub code: Option<String>,
    /// Only from this moment on.
    pub since: Option<i64>,
    /// Only older than this place in the list.
    pub before: Option<FailurePlace>,
}

/// A place in the list, for paging by key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailurePlace {
    /// When.
    pub at: i64,
    /// Which.
    pub id: String,
}

const LIST: &str = "
    SELECT f.id, f.at, c.name AS cluster, n.name AS namespace, p.name AS policy, f.code, f.severity, f.action,
           f.outcome, f.message, k.name AS kind, f.object, f.workload, f.operation, f.requester, r.name AS revision
    FROM failures f
    JOIN clusters c ON c.id = f.cluster_id
    JOIN names n ON n.id = f.namespace_id
    JOIN names p ON p.id = f.policy_id
    JOIN names k ON k.id = f.kind_id
    JOIN names r ON r.id = f.revision_id
    WHERE 1 = 1";
const IN_CLUSTER: &str = " AND f.cluster_id = (SELECT id FROM clusters WHERE name = ";
const IN_NAMESPACE: &str = " AND f.namespace_id = (SELECT id FROM names WHERE name = ";
const OF_POLICY: &str = " AND f.policy_id = (SELECT id FROM names WHERE name = ";
const WITH_ACTION: &str = " AND f.action = ";
const WITH_CODE: &str = " AND f.code = ";
const SINCE: &str = " AND f.at >= ";
const BEFORE: &str = " AND (f.at, f.id) < (";
const NEWEST: &str = " ORDER BY f.at DESC, f.id DESC LIMIT ";

impl Store {
    /// The newest failures that pass the filter.
    pub async fn failure_rows(&self, filter: &FailureFilter, limit: i64) -> sqlx::Result<Vec<FailureRow>> {
        on!(self, |pool| {
            let mut query = sqlx::QueryBuilder::new(LIST);
            for (condition, value) in
                [(IN_CLUSTER, &filter.cluster), (IN_NAMESPACE, &filter.namespace), (OF_POLICY, &filter.policy)]
            {
                if let Some(value) = value {
                    query.push(condition).push_bind(value).push(")");
                }
            }
            for (condition, value) in [(WITH_ACTION, &filter.action), (WITH_CODE, &filter.code)] {
                if let Some(value) = value {
                    query.push(condition).push_bind(value);
                }
            }
            if let Some(since) = filter.since {
                query.push(SINCE).push_bind(since);
            }
            if let Some(place) = &filter.before {
                query.push(BEFORE).push_bind(place.at).push(", ").push_bind(&place.id).push(")");
            }
            query.push(NEWEST).push_bind(limit);
            query.build_query_as().fetch_all(pool).await
        })
    }
}
