//! The fleet beyond its status: since when each cluster enforces its revision, and its reviews of two hours.

use super::Window;
use crate::store::Store;
use std::collections::HashMap;

/// Minutes per slot of [`ReviewSlot`].
pub const SLOT_MINUTES: i64 = 5;

/// Reviews of one cluster in one slot of a window.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ReviewSlot {
    /// Name of the cluster.
    pub cluster: String,
    /// Counts from 0 at the start of the time before.
    pub slot: i64,
    /// All reviews.
    pub reviews: i64,
    /// Those with a failure or an error.
    pub failing: i64,
    /// Those that were refused.
    pub denied: i64,
}

const SLOTS: &str = "
    SELECT c.name AS cluster, (minute - $1) / $3 AS slot, CAST(SUM(reviews) AS BIGINT) AS reviews,
           CAST(SUM(failing) AS BIGINT) AS failing, CAST(SUM(denied) AS BIGINT) AS denied
    FROM review_minutes m JOIN clusters c ON c.id = m.cluster_id
    WHERE minute >= $1 AND minute < $2
    GROUP BY c.name, (minute - $1) / $3 ORDER BY c.name, slot";

/// A renewal is a new epoch of the same revision and does not count as a change.
const SINCE: &str = "
    SELECT c.name, MIN(s.active_at)
    FROM clusters c
    JOIN assignments a ON a.cluster_id = c.id AND a.epoch = c.active_epoch
    JOIN assignments s ON s.cluster_id = c.id AND s.revision_id = a.revision_id AND s.epoch <= a.epoch
         AND s.epoch > COALESCE((SELECT MAX(o.epoch) FROM assignments o WHERE o.cluster_id = c.id
             AND o.epoch < a.epoch AND o.revision_id <> a.revision_id), 0)
    WHERE s.active_at IS NOT NULL
    GROUP BY c.name ORDER BY c.name";

impl Store {
    /// Since when each cluster enforces the revision that it enforces, over all renewals.
    pub async fn enforcing_since(&self) -> sqlx::Result<HashMap<String, i64>> {
        let rows: Vec<(String, i64)> = on!(self, |pool| sqlx::query_as(SINCE).fetch_all(pool).await)?;
        Ok(rows.into_iter().collect())
    }

    /// Reviews by cluster and slot over both spans of the window.
    pub async fn review_slots(&self, window: Window) -> sqlx::Result<Vec<ReviewSlot>> {
        on!(self, |pool| {
            sqlx::query_as(SLOTS).bind(window.before).bind(window.until).bind(SLOT_MINUTES).fetch_all(pool).await
        })
    }
}
