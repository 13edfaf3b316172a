//! The newest full pass of audit of each cluster. Reports write it; this reads it.

use super::Store;

const OF: &str = "
    SELECT audits.finished_at, audits.objects, audits.unseen, audits.closes, names.name AS revision
    FROM audits JOIN clusters ON clusters.id = audits.cluster_id JOIN names ON names.id = audits.revision_id
    WHERE clusters.name = $1";

/// One pass.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the migration, which explains them")]
pub struct AuditRow {
    pub finished_at: i64,
    pub objects: i64,
    pub unseen: String,
    pub closes: i64,
    pub revision: String,
}

impl Store {
    /// The newest full pass of this cluster.
    pub async fn last_audit(&self, cluster: &str) -> sqlx::Result<Option<AuditRow>> {
        on!(self, |pool| sqlx::query_as(OF).bind(cluster).fetch_optional(pool).await)
    }
}
