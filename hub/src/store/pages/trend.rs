//! Trends: what was judged bucket by bucket, for the charts.

use crate::store::Store;
#[cfg(test)]
use crate::store::scan::{Bound, Statement};
use crate::store::sums::Kind;

/// One bucket of time: of evaluations for a policy, of reviews for a namespace, a cluster or the fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Minute {
    /// Unix minutes at which it begins.
    pub minute: i64,
    /// All.
    pub judged: i64,
    /// Those with an objection or an error.
    pub failing: i64,
    /// Those that were refused.
    pub denied: i64,
}

/// Whose trend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trend<'a> {
    /// Reviews of all clusters.
    Fleet,
    /// Reviews in one cluster.
    Cluster(&'a str),
    /// Reviews in one namespace; `""` for cluster-scoped objects.
    Namespace(&'a str),
    /// Evaluations of one policy.
    Policy(&'a str),
    /// Evaluations of one policy (first) in one cluster.
    PolicyInCluster(&'a str, &'a str),
    /// Evaluations of one policy (first) in one namespace.
    PolicyInNamespace(&'a str, &'a str),
}

/// The most buckets of one trend: two months of hours, four years of days.
pub const MAX_BUCKETS: i64 = 1_600;

/// One row of the primary key for each bucket, so the cost is the number of buckets, whatever is stored; and what was
/// counted a moment ago.
fn statement(kind: Kind) -> String {
    let (number, what, (of, subject)) = (kind as i64, kind.what() as i64, kind.columns());
    format!(
        "WITH RECURSIVE series (bucket) AS (
            SELECT CAST($1 AS BIGINT) UNION ALL SELECT bucket + 1 FROM series WHERE bucket + 1 < $2)
        SELECT s.bucket * $3 AS minute, CAST(SUM(s.judged) AS BIGINT) AS judged, CAST(SUM(s.failing) AS BIGINT) AS failing,
               CAST(SUM(s.denied) AS BIGINT) AS denied
        FROM (SELECT t.bucket, t.judged, t.failing, t.denied FROM series b CROSS JOIN sums t
              WHERE t.kind = {number} AND t.span = $3 AND t.of_id = $4 AND t.bucket = b.bucket AND t.subject_id = $5
              UNION ALL
              SELECT minute / $3, passes + failures + errors + exempted, failures + errors, denials FROM recent
              WHERE what = {what} AND {of} = $4 AND {subject} = $5 AND minute >= $1 * $3 AND minute < $2 * $3) s
        GROUP BY s.bucket ORDER BY s.bucket"
    )
}

const NAME_ID: &str = "SELECT id FROM names WHERE name = $1";
const CLUSTER_ID: &str = "SELECT id FROM clusters WHERE name = $1";

impl Store {
    /// The buckets of `span` minutes that begin in `[from, until)` (Unix minutes) and in which something was judged, in
    /// order; the newest [`MAX_BUCKETS`] of them.
    pub async fn trend(&self, trend: Trend<'_>, span: i64, from: i64, until: i64) -> sqlx::Result<Vec<Minute>> {
        let Some((kind, policy_id, subject_id)) = self.subject(trend).await? else { return Ok(Vec::new()) };
        let end = until.div_euclid(span) + i64::from(until.rem_euclid(span) > 0);
        let first = from.div_euclid(span).max(end - MAX_BUCKETS);
        if first >= end {
            return Ok(Vec::new());
        }
        let text = sqlx::AssertSqlSafe(statement(kind));
        on!(self, |pool| {
            let query = sqlx::query_as(text).bind(first).bind(end).bind(span);
            query.bind(policy_id).bind(subject_id).fetch_all(pool).await
        })
    }

    /// Kind, policy and subject of `sums`; nothing when a name is not known.
    async fn subject(&self, trend: Trend<'_>) -> sqlx::Result<Option<(Kind, i64, i64)>> {
        let (kind, policy, subject) = match trend {
            Trend::Fleet => return Ok(Some((Kind::Fleet, 0, 0))),
            Trend::Cluster(name) => (Kind::Cluster, None, self.cluster_id(name).await?),
            Trend::Namespace(name) => (Kind::Namespace, None, self.name_id(name).await?),
            Trend::Policy(name) => (Kind::Policy, None, self.name_id(name).await?),
            Trend::PolicyInCluster(policy, name) => {
                (Kind::PolicyInCluster, Some(self.name_id(policy).await?), self.cluster_id(name).await?)
            }
            Trend::PolicyInNamespace(policy, name) => {
                (Kind::PolicyInNamespace, Some(self.name_id(policy).await?), self.name_id(name).await?)
            }
        };
        Ok(match (policy, subject) {
            (None, Some(subject)) => Some((kind, 0, subject)),
            (Some(Some(policy)), Some(subject)) => Some((kind, policy, subject)),
            _ => None,
        })
    }

    /// The number of a name, if anything was ever told of it.
    pub(in crate::store) async fn name_id(&self, name: &str) -> sqlx::Result<Option<i64>> {
        on!(self, |pool| sqlx::query_scalar(NAME_ID).bind(name).fetch_optional(pool).await)
    }

    /// The row of a cluster.
    pub(in crate::store) async fn cluster_id(&self, name: &str) -> sqlx::Result<Option<i64>> {
        on!(self, |pool| sqlx::query_scalar(CLUSTER_ID).bind(name).fetch_optional(pool).await)
    }
}

#[cfg(test)]
pub(super) fn statements() -> Vec<(String, Statement)> {
    let of = |kind| Statement { text: statement(kind), values: [1, 700, 60, 0, 5].map(Bound::Number).to_vec() };
    vec![("trend of a policy".to_owned(), of(Kind::Policy)), ("trend of the fleet".to_owned(), of(Kind::Fleet))]
}
