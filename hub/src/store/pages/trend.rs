//! Trends: what was judged minute by minute, for the charts.

use crate::store::Store;

/// One minute: of evaluations for a policy, of reviews for a namespace or the fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Minute {
    /// Unix minutes.
    pub minute: i64,
    /// All.
    pub judged: i64,
    /// Those with an objection or an error.
    pub failing: i64,
    /// Those that were refused.
    pub denied: i64,
}

/// Whose trend.
#[derive(Debug, Clone, Copy)]
pub enum Trend<'a> {
    /// Reviews of all clusters.
    Fleet,
    /// Evaluations of one policy.
    Policy(&'a str),
    /// Reviews in one namespace; `""` for cluster-scoped objects.
    Namespace(&'a str),
}

const FLEET: &str = "
    SELECT minute, CAST(SUM(reviews) AS BIGINT) AS judged,
           CAST(SUM(failing) AS BIGINT) AS failing, CAST(SUM(denied) AS BIGINT) AS denied
    FROM review_minutes
    WHERE minute >= $1 AND minute < $2
    GROUP BY minute ORDER BY minute";

const POLICY: &str = "
    SELECT minute, CAST(SUM(passes + failures + errors + exempted) AS BIGINT) AS judged,
           CAST(SUM(failures + errors) AS BIGINT) AS failing, CAST(SUM(denials) AS BIGINT) AS denied
    FROM policy_minutes
    WHERE minute >= $1 AND minute < $2 AND policy_id = (SELECT id FROM names WHERE name = $3)
    GROUP BY minute ORDER BY minute";

const NAMESPACE: &str = "
    SELECT minute, CAST(SUM(reviews) AS BIGINT) AS judged,
           CAST(SUM(failing) AS BIGINT) AS failing, CAST(SUM(denied) AS BIGINT) AS denied
    FROM review_minutes
    WHERE minute >= $1 AND minute < $2 AND namespace_id = (SELECT id FROM names WHERE name = $3)
    GROUP BY minute ORDER BY minute";

impl Store {
    /// The minutes of `[from, until)` in which something was judged, in order.
    pub async fn trend(&self, trend: Trend<'_>, from: i64, until: i64) -> sqlx::Result<Vec<Minute>> {
        let (statement, name) = match trend {
            Trend::Fleet => (FLEET, None),
            Trend::Policy(name) => (POLICY, Some(name)),
            Trend::Namespace(name) => (NAMESPACE, Some(name)),
        };
        on!(self, |pool| {
            let query = sqlx::query_as(statement).bind(from).bind(until);
            match name {
                Some(name) => query.bind(name).fetch_all(pool).await,
                None => query.fetch_all(pool).await,
            }
        })
    }
}
