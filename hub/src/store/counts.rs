//! Totals of what agents reported.

use super::Store;
use serde::Serialize;
use std::collections::BTreeMap;

const COUNTS: &str = "
    SELECT (SELECT COUNT(*) FROM failures WHERE at >= $1) AS failures,
        policies.*, reviews.*
    FROM (SELECT CAST(COALESCE(SUM(passes), 0) AS BIGINT) AS policy_passes,
            CAST(COALESCE(SUM(failures), 0) AS BIGINT) AS policy_failures,
            CAST(COALESCE(SUM(denials), 0) AS BIGINT) AS policy_denials,
            CAST(COALESCE(SUM(errors), 0) AS BIGINT) AS policy_errors,
            CAST(COALESCE(SUM(exempted), 0) AS BIGINT) AS policy_exempted
        FROM policy_minutes WHERE minute >= $2) AS policies,
        (SELECT CAST(COALESCE(SUM(reviews), 0) AS BIGINT) AS reviews,
            CAST(COALESCE(SUM(failing), 0) AS BIGINT) AS failing_reviews,
            CAST(COALESCE(SUM(denied), 0) AS BIGINT) AS denied_reviews
        FROM review_minutes WHERE minute >= $2) AS reviews";

const BY_CODE: &str = "SELECT code, COUNT(*) FROM failures WHERE at >= $1 GROUP BY code ORDER BY code";

/// Sums over all clusters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct Counts {
    /// Failure records.
    pub failures: i64,
    /// Evaluations without objection.
    pub policy_passes: i64,
    /// Evaluations with an objection.
    pub policy_failures: i64,
    /// Failures and errors that denied.
    pub policy_denials: i64,
    /// Evaluations that erred.
    pub policy_errors: i64,
    /// Evaluations whose objection an exemption covered; they are not among the failures.
    pub policy_exempted: i64,
    /// Reviews.
    pub reviews: i64,
    /// Reviews with at least one failure or error.
    pub failing_reviews: i64,
    /// Reviews that were refused.
    pub denied_reviews: i64,
    /// Failure records by policy code.
    #[sqlx(skip)]
    pub failures_by_code: BTreeMap<String, i64>,
}

impl Store {
    /// Totals since a time (Unix milliseconds; minutes are taken whole).
    pub async fn counts(&self, since: i64) -> sqlx::Result<Counts> {
        let mut counts: Counts =
            on!(self, |pool| sqlx::query_as(COUNTS).bind(since).bind(since / 60_000).fetch_one(pool).await)?;
        let by_code: Vec<(String, i64)> = on!(self, |pool| sqlx::query_as(BY_CODE).bind(since).fetch_all(pool).await)?;
        counts.failures_by_code = by_code.into_iter().collect();
        Ok(counts)
    }
}
