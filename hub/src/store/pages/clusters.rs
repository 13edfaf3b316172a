//! Clusters: their reviews in both spans of a window, the worst first, and what fails in one of them.

use super::totals::{listed, statement, with_window};
use super::{NamespaceRow, Spread, Window};
use crate::store::Store;
#[cfg(test)]
use crate::store::scan::Bound;
use crate::store::sums::Kind;

/// The sums of all clusters: one range of `sums` for each bucket.
const LIST: &str = "
    SELECT n.name, c.judged AS reviews, c.failing, c.denied, c.judged_before AS reviews_before, c.failing_before,
           c.denied_before
    FROM (SELECT s.subject_id, {SUMS} {OF_KIND} GROUP BY s.subject_id) c JOIN clusters n ON n.id = c.subject_id
    WHERE c.judged + c.judged_before > 0 ORDER BY c.failing DESC, c.failing_before DESC, n.name LIMIT $95 OFFSET $96";

/// One of them: a row of the primary key for each bucket.
const ONE: &str = "
    SELECT n.name, c.judged AS reviews, c.failing, c.denied, c.judged_before AS reviews_before, c.failing_before,
           c.denied_before
    FROM (SELECT s.subject_id, {SUMS} {OF_SUBJECT} GROUP BY s.subject_id) c JOIN clusters n ON n.id = c.subject_id
    WHERE c.judged + c.judged_before > 0";

/// A cluster with its reviews in both spans; the columns are those of a namespace.
pub type ClusterRow = NamespaceRow;

impl Store {
    /// Clusters with reviews in the window, those with the most failing reviews first, after the first `skip` of them.
    pub async fn cluster_rows(&self, window: Window, limit: i64, skip: i64) -> sqlx::Result<Vec<ClusterRow>> {
        let text = statement(LIST, Kind::Cluster);
        listed(self, text, (window, Kind::Cluster), &[0, limit, skip]).await
    }

    /// One cluster, if it has reviews in the window.
    pub async fn cluster_row(&self, name: &str, window: Window) -> sqlx::Result<Option<ClusterRow>> {
        let Some(id) = self.cluster_id(name).await? else { return Ok(None) };
        let text = statement(ONE, Kind::Cluster);
        on!(self, |pool| {
            let query = with_window!(sqlx::query_as(sqlx::AssertSqlSafe(text)), window, Kind::Cluster);
            query.bind(0_i64).bind(id).fetch_optional(pool).await
        })
    }

    /// The namespaces of a cluster, worst first.
    pub async fn cluster_namespaces(&self, name: &str, window: Window, limit: i64) -> sqlx::Result<Vec<Spread>> {
        match self.cluster_id(name).await? {
            Some(id) => self.spread(Kind::NamespaceInCluster, id, window, limit).await,
            None => Ok(Vec::new()),
        }
    }
}

#[cfg(test)]
pub(super) fn statements() -> Vec<(&'static str, String, Vec<Bound>)> {
    use crate::store::scan::Bound::Number;
    vec![
        ("clusters", statement(LIST, Kind::Cluster), [0, 10, 0].map(Number).to_vec()),
        ("cluster", statement(ONE, Kind::Cluster), [0, 1].map(Number).to_vec()),
    ]
}
