//! Totals of what agents reported, from sums: days, and the hours and minutes beside them, so that any time since when is
//! some hundred rows of each policy.

use super::pages::{Window, totals};
use super::sums::{DAY, HOUR, Kind};
use super::{MINUTE_MS, Store};
use serde::Serialize;
use std::collections::BTreeMap;

/// Days that have sums.
const DAYS: &str = "
    SELECT MIN(bucket), MAX(bucket) FROM (
        SELECT MIN(bucket) AS bucket FROM sums WHERE span = 1440 UNION ALL SELECT MAX(bucket) FROM sums WHERE span = 1440
        UNION ALL SELECT MIN(minute) / 1440 FROM recent UNION ALL SELECT MAX(minute) / 1440 FROM recent) AS days";
/// Of reviews, of all policies; and of each code.
const ALL: &str = "SELECT {SUMS} {OF_KIND}";
const BY_CODE: &str = "
    SELECT n.name, c.judged FROM (SELECT s.subject_id, {SUMS} {OF_KIND} GROUP BY s.subject_id) c
    JOIN names n ON n.id = c.subject_id WHERE c.judged > 0 ORDER BY n.name";
const DROPPED: &str = "SELECT CAST(COALESCE(SUM(dropped), 0) AS BIGINT) FROM cursors WHERE received_at >= $1";
/// Sums by minute are kept for some days; what is older is told by hours.
const BY_MINUTES: i64 = DAY;

/// Sums over all clusters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Failures that were stored.
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
    /// Records and counts that agents dropped and said so, of boots that reported since.
    pub dropped: i64,
    /// Failures that were stored, by policy code.
    pub failures_by_code: BTreeMap<String, i64>,
}

/// A row of sums, as `totals` names them.
#[derive(Debug, Clone, Copy, Default, sqlx::FromRow)]
struct Sums {
    judged: Option<i64>,
    failing: Option<i64>,
    denied: Option<i64>,
    errors: Option<i64>,
    exempted: Option<i64>,
}

impl Store {
    /// Totals since a time (Unix milliseconds; the minute that it is in is taken whole, or the hour if that is long ago).
    pub async fn counts(&self, since: i64) -> sqlx::Result<Counts> {
        let days: (Option<i64>, Option<i64>) = on!(self, |pool| sqlx::query_as(DAYS).fetch_one(pool).await)?;
        let dropped = on!(self, |pool| sqlx::query_scalar(DROPPED).bind(since).fetch_one(pool).await)?;
        let (Some(first), Some(last)) = days else { return Ok(Counts { dropped, ..Counts::default() }) };
        let until = (last + 1) * DAY;
        let since = since.div_euclid(MINUTE_MS).clamp(first * DAY, until);
        let since = if until - since > BY_MINUTES + DAY { since.div_euclid(HOUR) * HOUR } else { since };
        let window = Window { before: since, since, until };
        let (reviews, policies) = (self.sums(ALL, Kind::Fleet, window), self.sums(ALL, Kind::Policy, window));
        let (reviews, policies, failures_by_code) = tokio::try_join!(reviews, policies, self.by_code(window))?;
        let number = |number: Option<i64>| number.unwrap_or_default();
        let (failing, exempted) = (number(policies.failing), number(policies.exempted));
        Ok(Counts {
            failures: failures_by_code.values().sum(),
            policy_passes: number(policies.judged) - failing - exempted,
            policy_failures: failing - number(policies.errors),
            policy_denials: number(policies.denied),
            policy_errors: number(policies.errors),
            policy_exempted: exempted,
            reviews: number(reviews.judged),
            failing_reviews: number(reviews.failing),
            denied_reviews: number(reviews.denied),
            dropped,
            failures_by_code,
        })
    }

    async fn sums(&self, text: &str, kind: Kind, window: Window) -> sqlx::Result<Sums> {
        let text = sqlx::AssertSqlSafe(totals::statement(text, kind));
        on!(self, |pool| totals::with_window!(sqlx::query_as(text), window, kind).bind(0_i64).fetch_one(pool).await)
    }

    async fn by_code(&self, window: Window) -> sqlx::Result<BTreeMap<String, i64>> {
        let text = sqlx::AssertSqlSafe(totals::statement(BY_CODE, Kind::Code));
        let rows: Vec<(String, i64)> =
            on!(self, |pool| totals::with_window!(sqlx::query_as(text), window, Kind::Code)
                .bind(0_i64)
                .fetch_all(pool)
                .await)?;
        Ok(rows.into_iter().collect())
    }
}
