//! The fleet beyond its status: its reviews in both spans of a window, since when clusters enforce their revision, and
//! the bars of those that are shown.

use super::totals::{statement, with_window};
use super::{NamespaceRow, Window};
use crate::store::Store;
#[cfg(test)]
use crate::store::scan::{Bound, Statement};
use crate::store::sums::Kind;
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

/// A row of the primary key of `sums` for each bucket.
const TOTALS: &str = "
    SELECT '' AS name, judged AS reviews, failing, denied, judged_before AS reviews_before, failing_before, denied_before
    FROM (SELECT s.subject_id, {SUMS} {OF_SUBJECT} GROUP BY s.subject_id) c";

/// A row of the primary key of `sums` for each minute and cluster that is shown, and what was counted a moment ago.
const SLOTS: &str = "
    WITH RECURSIVE series (bucket) AS (
        SELECT CAST($1 AS BIGINT) UNION ALL SELECT bucket + 1 FROM series WHERE bucket + 1 < $2),
    shown AS (SELECT id, name FROM clusters WHERE name IN {CLUSTERS}),
    places AS MATERIALIZED (SELECT b.bucket, c.id FROM series b CROSS JOIN shown c)
    SELECT c.name AS cluster, (s.bucket - $1) / $3 AS slot, CAST(SUM(s.judged) AS BIGINT) AS reviews,
           CAST(SUM(s.failing) AS BIGINT) AS failing, CAST(SUM(s.denied) AS BIGINT) AS denied
    FROM (SELECT t.subject_id, t.bucket, t.judged, t.failing, t.denied
          FROM places p CROSS JOIN sums t
          WHERE t.kind = 1 AND t.span = 1 AND t.of_id = 0 AND t.bucket = p.bucket AND t.subject_id = p.id
          UNION ALL
          SELECT cluster_id, minute, passes + failures + errors + exempted, failures + errors, denials
          FROM recent WHERE what = 0 AND minute >= $1 AND minute < $2) s
    JOIN shown c ON c.id = s.subject_id
    GROUP BY c.name, (s.bucket - $1) / $3 ORDER BY c.name, slot";

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

    /// Reviews of the whole fleet in both spans of the window.
    pub async fn fleet_row(&self, window: Window) -> sqlx::Result<NamespaceRow> {
        let text = statement(TOTALS, Kind::Fleet);
        let row: Option<NamespaceRow> = on!(self, |pool| {
            let query = with_window!(sqlx::query_as(sqlx::AssertSqlSafe(text)), window, Kind::Fleet);
            query.bind(0_i64).bind(0_i64).fetch_optional(pool).await
        })?;
        Ok(row.unwrap_or_default())
    }

    /// Reviews of these clusters by slot over both spans of the window.
    pub async fn review_slots(&self, window: Window, clusters: &[&str]) -> sqlx::Result<Vec<ReviewSlot>> {
        if clusters.is_empty() {
            return Ok(Vec::new());
        }
        let text = SLOTS.replace("{CLUSTERS}", &super::totals::places(4, clusters.len()));
        on!(self, |pool| {
            let query = sqlx::query_as(sqlx::AssertSqlSafe(text)).bind(window.before).bind(window.until);
            let query = query.bind(SLOT_MINUTES);
            clusters.iter().fold(query, |query, name| query.bind(*name)).fetch_all(pool).await
        })
    }
}

#[cfg(test)]
pub(super) fn statements() -> Vec<(&'static str, String, Vec<Bound>)> {
    vec![("fleet", statement(TOTALS, Kind::Fleet), vec![Bound::Number(0), Bound::Number(0)])]
}

#[cfg(test)]
pub(super) fn slots() -> Statement {
    let values = [1, 121, 5].map(Bound::Number).to_vec();
    Statement { text: SLOTS.replace("{CLUSTERS}", "('a')"), values }
}
