//! The fleet: each cluster with what it should and what it does enforce, and its reviews of two hours.

use super::Window;
use crate::store::Store;

/// A cluster as its newest assignment and its agent's last word describe it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ClusterRow {
    /// Row of the cluster.
    pub id: i64,
    /// Name.
    pub name: String,
    /// JSON object.
    pub labels: String,
    /// When its token was used.
    pub enrolled_at: i64,
    /// When its agent was last heard.
    pub seen_at: Option<i64>,
    /// The agent's version.
    pub agent_version: Option<String>,
    /// Digest of the assignment that the agent refused last.
    pub refused_digest: Option<String>,
    /// Why.
    pub refused_reason: Option<String>,
    /// When.
    pub refused_at: Option<i64>,
    /// JSON array of `wire::LoadError`.
    pub load_errors: String,
    /// Reports that wait at the agent.
    pub spooled: i64,
    /// Failures and counts that the agent had to drop.
    pub dropped: i64,
    /// Epoch of the newest assignment.
    pub desired_epoch: Option<i64>,
    /// Its digest.
    pub desired_digest: Option<String>,
    /// Its revision.
    pub desired_revision: Option<String>,
    /// When it was signed.
    pub desired_at: Option<i64>,
    /// Deny level of the newest assignment.
    pub deny_level: Option<String>,
    /// Epoch of the assignment that is enforced.
    pub active_epoch: Option<i64>,
    /// Its revision.
    pub active_revision: Option<String>,
    /// Since when.
    pub active_at: Option<i64>,
}

/// Minutes per slot of [`ReviewSlot`].
pub const SLOT_MINUTES: i64 = 5;

/// Reviews of one cluster in one slot of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct ReviewSlot {
    /// Row of the cluster.
    pub cluster_id: i64,
    /// Counts from 0 at the start of the time before.
    pub slot: i64,
    /// All reviews.
    pub reviews: i64,
    /// Those with a failure or an error.
    pub failing: i64,
    /// Those that were refused.
    pub denied: i64,
}

const CLUSTERS: &str = "
    SELECT c.id, c.name, c.labels, c.enrolled_at, c.seen_at, c.agent_version,
           c.refused_digest, c.refused_reason, c.refused_at, c.load_errors, c.spooled, c.dropped,
           d.epoch AS desired_epoch, d.digest AS desired_digest, dr.revision AS desired_revision,
           d.issued_at AS desired_at, d.deny_level,
           a.epoch AS active_epoch, ar.revision AS active_revision, a.active_at
    FROM clusters c
    LEFT JOIN assignments d ON d.cluster_id = c.id
         AND d.epoch = (SELECT MAX(epoch) FROM assignments WHERE cluster_id = c.id)
    LEFT JOIN revisions dr ON dr.id = d.revision_id
    LEFT JOIN assignments a ON a.cluster_id = c.id
         AND a.epoch = (SELECT MAX(epoch) FROM assignments WHERE cluster_id = c.id AND active_at IS NOT NULL)
    LEFT JOIN revisions ar ON ar.id = a.revision_id
    ORDER BY c.name
    LIMIT $1";

const SLOTS: &str = "
    SELECT cluster_id, (minute - $1) / $3 AS slot, CAST(SUM(reviews) AS BIGINT) AS reviews,
           CAST(SUM(failing) AS BIGINT) AS failing, CAST(SUM(denied) AS BIGINT) AS denied
    FROM review_minutes
    WHERE minute >= $1 AND minute < $2
    GROUP BY cluster_id, slot ORDER BY cluster_id, slot";

impl Store {
    /// The first `limit` clusters by name.
    pub async fn fleet(&self, limit: i64) -> sqlx::Result<Vec<ClusterRow>> {
        on!(self, |pool| sqlx::query_as(CLUSTERS).bind(limit).fetch_all(pool).await)
    }

    /// Reviews by cluster and slot over both spans of the window.
    pub async fn review_slots(&self, window: Window) -> sqlx::Result<Vec<ReviewSlot>> {
        on!(self, |pool| {
            sqlx::query_as(SLOTS).bind(window.before).bind(window.until).bind(SLOT_MINUTES).fetch_all(pool).await
        })
    }
}
