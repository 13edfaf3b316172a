//! Trends: what was judged bucket by bucket, for the charts.

use crate::store::Store;
#[cfg(test)]
use crate::store::scan::{Bound, Statement};
use crate::store::sums::Kind;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

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

/// One row of the primary key for each bucket of each subject, so the cost is the number of buckets, whatever is stored; and
/// what was counted a moment ago, read once for all of them. The span is in words, so that other partitions are not looked at.
fn statement(kind: Kind, span: i64, subjects: usize) -> String {
    let (number, what, (of, subject)) = (kind as i64, kind.what() as i64, kind.columns());
    let row = |row: usize| format!("(CAST(${} AS BIGINT), CAST(${} AS BIGINT))", 3 + 2 * row, 4 + 2 * row);
    let rows: Vec<String> = (0..subjects).map(row).collect();
    format!(
        "WITH RECURSIVE series (bucket) AS (
            SELECT CAST($1 AS BIGINT) UNION ALL SELECT bucket + 1 FROM series WHERE bucket + 1 < $2),
        wanted (of_id, subject_id) AS (VALUES {rows}),
        places AS MATERIALIZED (SELECT w.of_id, w.subject_id, b.bucket FROM wanted w CROSS JOIN series b)
        SELECT s.of_id, s.subject_id, s.bucket * {span} AS minute, CAST(SUM(s.judged) AS BIGINT) AS judged,
               CAST(SUM(s.failing) AS BIGINT) AS failing, CAST(SUM(s.denied) AS BIGINT) AS denied
        FROM (SELECT t.of_id, t.subject_id, t.bucket, t.judged, t.failing, t.denied FROM places p CROSS JOIN sums t
              WHERE t.kind = {number} AND t.span = {span} AND t.of_id = p.of_id AND t.bucket = p.bucket
                AND t.subject_id = p.subject_id
              UNION ALL
              SELECT {of}, {subject}, minute / {span}, passes + failures + errors + exempted, failures + errors, denials
              FROM recent WHERE what = {what} AND minute >= $1 * {span} AND minute < $2 * {span}
                AND CASE WHEN ({of}, {subject}) IN (SELECT of_id, subject_id FROM wanted) THEN 1 ELSE 0 END = 1) s
        GROUP BY s.of_id, s.subject_id, s.bucket ORDER BY s.of_id, s.subject_id, s.bucket",
        rows = rows.join(", ")
    )
}

/// A bucket of one of the subjects.
#[derive(Debug, sqlx::FromRow)]
struct Row {
    of_id: i64,
    subject_id: i64,
    #[sqlx(flatten)]
    minute: Minute,
}

/// Kind, policy and subject of `sums`.
type Subject = (Kind, i64, i64);

const NAME_ID: &str = "SELECT id FROM names WHERE name = $1";
const CLUSTER_ID: &str = "SELECT id FROM clusters WHERE name = $1";

impl Store {
    /// The buckets of `span` minutes that begin in `[from, until)` (Unix minutes) and in which something was judged, in
    /// order; the newest [`MAX_BUCKETS`] of them.
    pub async fn trend(&self, trend: Trend<'_>, span: i64, from: i64, until: i64) -> sqlx::Result<Vec<Minute>> {
        Ok(self.trends(&[trend], span, from, until).await?.pop().unwrap_or_default())
    }

    /// The buckets of each of these, as of one.
    pub async fn trends(
        &self,
        trends: &[Trend<'_>],
        span: i64,
        from: i64,
        until: i64,
    ) -> sqlx::Result<Vec<Vec<Minute>>> {
        let end = until.div_euclid(span) + i64::from(until.rem_euclid(span) > 0);
        let first = from.div_euclid(span).max(end - MAX_BUCKETS);
        let subjects = self.subjects(trends).await?;
        let mut buckets: BTreeMap<Subject, Vec<Minute>> = BTreeMap::new();
        for kind in subjects.iter().flatten().map(|(kind, ..)| *kind).collect::<BTreeSet<Kind>>() {
            let of_kind: BTreeSet<Subject> =
                subjects.iter().flatten().copied().filter(|subject| subject.0 == kind).collect();
            for row in self.buckets(kind, &of_kind, span, first..end).await? {
                buckets.entry((kind, row.of_id, row.subject_id)).or_default().push(row.minute);
            }
        }
        let of =
            |subject: &Option<Subject>| subject.and_then(|subject| buckets.get(&subject).cloned()).unwrap_or_default();
        Ok(subjects.iter().map(of).collect())
    }

    /// Those of all subjects of one kind.
    async fn buckets(
        &self,
        kind: Kind,
        subjects: &BTreeSet<Subject>,
        span: i64,
        buckets: Range<i64>,
    ) -> sqlx::Result<Vec<Row>> {
        if buckets.is_empty() {
            return Ok(Vec::new());
        }
        let text = sqlx::AssertSqlSafe(statement(kind, span, subjects.len()));
        on!(self, |pool| {
            let query = sqlx::query_as(text).bind(buckets.start).bind(buckets.end);
            subjects.iter().fold(query, |query, (_, of, subject)| query.bind(*of).bind(*subject)).fetch_all(pool).await
        })
    }

    async fn subjects(&self, trends: &[Trend<'_>]) -> sqlx::Result<Vec<Option<Subject>>> {
        let mut subjects = Vec::with_capacity(trends.len());
        for trend in trends {
            subjects.push(self.subject(*trend).await?);
        }
        Ok(subjects)
    }

    /// Kind, policy and subject of `sums`; nothing when a name is not known.
    async fn subject(&self, trend: Trend<'_>) -> sqlx::Result<Option<Subject>> {
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
    let of =
        |kind| Statement { text: statement(kind, 60, 2), values: [1, 700, 0, 5, 0, 6].map(Bound::Number).to_vec() };
    vec![("trend of a policy".to_owned(), of(Kind::Policy)), ("trend of the fleet".to_owned(), of(Kind::Fleet))]
}
