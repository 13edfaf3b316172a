//! What each cluster should enforce and what its agent proved, in one read.

use super::Store;

const STATUS: &str = "
    SELECT clusters.name, clusters.labels, clusters.enrolled_at, clusters.seen_at, clusters.agent_version,
        clusters.active_digest, clusters.active_epoch, clusters.active_revision, clusters.active_at,
        clusters.refused_digest, clusters.refused_reason, clusters.refused_at,
        clusters.load_errors, clusters.spooled, clusters.dropped, clusters.untold, clusters.replicas, clusters.certificate_expires_at,
        newest.digest AS desired_digest, newest.epoch AS desired_epoch, newest.issued_at AS desired_at,
        newest.deny_level, revisions.revision AS desired_revision
    FROM clusters
    LEFT JOIN assignments AS newest ON newest.cluster_id = clusters.id
        AND newest.epoch = (SELECT MAX(epoch) FROM assignments WHERE assignments.cluster_id = clusters.id)
    LEFT JOIN revisions ON revisions.id = newest.revision_id";
const BY_NAME: &str = " ORDER BY clusters.name";
const OF: &str = " WHERE clusters.name = $1";

/// One cluster.
#[derive(Debug, Clone, Default, PartialEq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the migration, which explains them")]
pub struct StatusRow {
    pub name: String,
    pub labels: String,
    pub enrolled_at: i64,
    pub seen_at: Option<i64>,
    pub agent_version: Option<String>,
    pub active_digest: Option<String>,
    pub active_epoch: Option<i64>,
    pub active_revision: Option<String>,
    pub active_at: Option<i64>,
    pub refused_digest: Option<String>,
    pub refused_reason: Option<String>,
    pub refused_at: Option<i64>,
    pub load_errors: String,
    pub spooled: i64,
    pub dropped: i64,
    pub untold: i64,
    pub replicas: i64,
    pub certificate_expires_at: Option<i64>,
    pub desired_digest: Option<String>,
    pub desired_epoch: Option<i64>,
    pub desired_at: Option<i64>,
    pub deny_level: Option<String>,
    pub desired_revision: Option<String>,
}

impl Store {
    /// All clusters by name.
    pub async fn status(&self) -> sqlx::Result<Vec<StatusRow>> {
        let text = sqlx::AssertSqlSafe([STATUS, BY_NAME].concat());
        on!(self, |pool| sqlx::query_as(text).fetch_all(pool).await)
    }

    /// The cluster of this name.
    pub async fn status_of(&self, cluster: &str) -> sqlx::Result<Option<StatusRow>> {
        let text = sqlx::AssertSqlSafe([STATUS, OF].concat());
        on!(self, |pool| sqlx::query_as(text).bind(cluster).fetch_optional(pool).await)
    }
}
