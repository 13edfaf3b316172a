//! Counts: additions to minutes, hours and days, all in the transaction of the report, so that every sum is right at
//! every moment, also when a report comes days late. Additions of one transaction are summed before they are written.

use super::super::Tx;
use super::super::bulk::{Insert, Value};
use super::super::names::Names;
use super::super::sums::Sums;
use super::{News, namespace};
use std::collections::BTreeMap;
use writ_policy::wire::{PolicyCount, ReviewCount};

const POLICY_MINUTES: Insert = Insert {
    into:
        "INSERT INTO policy_minutes (minute, cluster_id, namespace_id, policy_id, passes, failures, denials, warnings,
        dryruns, errors, exempted, micros, micros_max)",
    on_conflict: "ON CONFLICT (minute, cluster_id, namespace_id, policy_id) DO UPDATE SET
        passes = policy_minutes.passes + excluded.passes, failures = policy_minutes.failures + excluded.failures,
        denials = policy_minutes.denials + excluded.denials, warnings = policy_minutes.warnings + excluded.warnings,
        dryruns = policy_minutes.dryruns + excluded.dryruns, errors = policy_minutes.errors + excluded.errors,
        exempted = policy_minutes.exempted + excluded.exempted, micros = policy_minutes.micros + excluded.micros,
        micros_max = CASE WHEN excluded.micros_max > policy_minutes.micros_max
            THEN excluded.micros_max ELSE policy_minutes.micros_max END",
};
const POLICY_HOURS: Insert = Insert {
    into: "INSERT INTO policy_hours (hour, cluster_id, namespace_id, policy_id, revision_id, passes, failures, denials,
        warnings, dryruns, errors, exempted, micros, micros_max)",
    on_conflict: "ON CONFLICT (hour, cluster_id, namespace_id, policy_id, revision_id) DO UPDATE SET
        passes = policy_hours.passes + excluded.passes, failures = policy_hours.failures + excluded.failures,
        denials = policy_hours.denials + excluded.denials, warnings = policy_hours.warnings + excluded.warnings,
        dryruns = policy_hours.dryruns + excluded.dryruns, errors = policy_hours.errors + excluded.errors,
        exempted = policy_hours.exempted + excluded.exempted, micros = policy_hours.micros + excluded.micros,
        micros_max = CASE WHEN excluded.micros_max > policy_hours.micros_max
            THEN excluded.micros_max ELSE policy_hours.micros_max END",
};
const POLICY_DAYS: Insert = Insert {
    into: "INSERT INTO policy_days (day, cluster_id, namespace_id, policy_id, revision_id, passes, failures, denials,
        warnings, dryruns, errors, exempted, micros, micros_max)",
    on_conflict: "ON CONFLICT (day, cluster_id, namespace_id, policy_id, revision_id) DO UPDATE SET
        passes = policy_days.passes + excluded.passes, failures = policy_days.failures + excluded.failures,
        denials = policy_days.denials + excluded.denials, warnings = policy_days.warnings + excluded.warnings,
        dryruns = policy_days.dryruns + excluded.dryruns, errors = policy_days.errors + excluded.errors,
        exempted = policy_days.exempted + excluded.exempted, micros = policy_days.micros + excluded.micros,
        micros_max = CASE WHEN excluded.micros_max > policy_days.micros_max
            THEN excluded.micros_max ELSE policy_days.micros_max END",
};
const REVIEW_MINUTES: Insert = Insert {
    into: "INSERT INTO review_minutes (minute, cluster_id, namespace_id, reviews, failing, denied)",
    on_conflict: "ON CONFLICT (minute, cluster_id, namespace_id) DO UPDATE SET
        reviews = review_minutes.reviews + excluded.reviews, failing = review_minutes.failing + excluded.failing,
        denied = review_minutes.denied + excluded.denied",
};
const REVIEW_HOURS: Insert = Insert {
    into: "INSERT INTO review_hours (hour, cluster_id, namespace_id, reviews, failing, denied)",
    on_conflict: "ON CONFLICT (hour, cluster_id, namespace_id) DO UPDATE SET
        reviews = review_hours.reviews + excluded.reviews, failing = review_hours.failing + excluded.failing,
        denied = review_hours.denied + excluded.denied",
};
const REVIEW_DAYS: Insert = Insert {
    into: "INSERT INTO review_days (day, cluster_id, namespace_id, reviews, failing, denied)",
    on_conflict: "ON CONFLICT (day, cluster_id, namespace_id) DO UPDATE SET
        reviews = review_days.reviews + excluded.reviews, failing = review_days.failing + excluded.failing,
        denied = review_days.denied + excluded.denied",
};
const HOUR: i64 = 60;
const DAY: i64 = 24 * HOUR;

/// Time, cluster, namespace, policy, and the revision where a table has it.
type PolicyKey = (i64, i64, i64, i64, i64);
/// Passes, failures, denials, warnings, dryruns, errors, exempted, micros, and the largest micros.
type PolicySums = [i64; 9];
/// Time, cluster and namespace.
type ReviewKey = (i64, i64, i64);
/// Reviews, failing, denied.
type ReviewSums = [i64; 3];

impl Tx {
    /// Adds the counts of these reports to minutes, hours and days, and to the sums that pages read.
    pub(super) async fn add_counts(&mut self, news: &[News<'_>], names: &Names) -> sqlx::Result<()> {
        let mut policies: [BTreeMap<PolicyKey, PolicySums>; 3] = Default::default();
        let mut reviews: [BTreeMap<ReviewKey, ReviewSums>; 3] = Default::default();
        let mut pages = Sums::default();
        for news in news {
            for count in &news.report().policy_counts {
                add_policy_count(&mut policies, news.cluster(), count, names);
                let (namespace, policy) = (names.id(namespace(&count.namespace)), names.id(count.policy.as_str()));
                pages.add_policy_count(news.cluster(), namespace, policy, count);
            }
            for count in &news.report().review_counts {
                add_review_count(&mut reviews, news.cluster(), count, names);
                pages.add_review_count(news.cluster(), names.id(namespace(&count.namespace)), count);
            }
        }
        let [minutes, hours, days] = policies;
        let rows: Vec<_> = minutes.iter().map(minute_row).collect();
        self.insert(POLICY_MINUTES, &rows).await?;
        for (statement, sums) in [(POLICY_HOURS, hours), (POLICY_DAYS, days)] {
            let rows: Vec<_> = sums.iter().map(rollup_row).collect();
            self.insert(statement, &rows).await?;
        }
        for (statement, sums) in [REVIEW_MINUTES, REVIEW_HOURS, REVIEW_DAYS].into_iter().zip(reviews) {
            let rows: Vec<_> = sums.iter().map(review_row).collect();
            self.insert(statement, &rows).await?;
        }
        // Rows that every agent adds to come last, so that they are held for the shortest time.
        self.add_sums(&pages).await
    }
}

fn add_policy_count(
    [minutes, hours, days]: &mut [BTreeMap<PolicyKey, PolicySums>; 3],
    cluster: i64,
    count: &PolicyCount,
    names: &Names,
) {
    let PolicyCount {
        minute, passes, failures, denials, warnings, dryruns, errors, exempted, micros, micros_max, ..
    } = *count;
    let sums = [passes, failures, denials, warnings, dryruns, errors, exempted, micros, micros_max];
    let sums = sums.map(|sum| i64::try_from(sum).unwrap_or(i64::MAX));
    let (namespace, policy) = (names.id(namespace(&count.namespace)), names.id(count.policy.as_str()));
    let revision = names.id(count.revision.as_str());
    for (map, time, revision) in
        [(minutes, minute, 0), (hours, minute.div_euclid(HOUR), revision), (days, minute.div_euclid(DAY), revision)]
    {
        let row = map.entry((time, cluster, namespace, policy, revision)).or_default();
        for (sum, more) in row.iter_mut().zip(sums) {
            *sum += more;
        }
        // The last is no sum but the largest.
        row[8] = (row[8] - sums[8]).max(sums[8]);
    }
}

fn add_review_count(maps: &mut [BTreeMap<ReviewKey, ReviewSums>; 3], cluster: i64, count: &ReviewCount, names: &Names) {
    let ReviewCount { minute, reviews, failing, denied, .. } = *count;
    let namespace = names.id(namespace(&count.namespace));
    let times = [minute, minute.div_euclid(HOUR), minute.div_euclid(DAY)];
    for (map, time) in maps.iter_mut().zip(times) {
        let row = map.entry((time, cluster, namespace)).or_default();
        for (sum, more) in row.iter_mut().zip([reviews, failing, denied]) {
            *sum += i64::try_from(more).unwrap_or(i64::MAX);
        }
    }
}

fn minute_row(((time, cluster, namespace, policy, _), sums): (&PolicyKey, &PolicySums)) -> [Value<'static>; 13] {
    let [passes, failures, denials, warnings, dryruns, errors, exempted, micros, micros_max] = *sums;
    [
        *time, *cluster, *namespace, *policy, passes, failures, denials, warnings, dryruns, errors, exempted, micros,
        micros_max,
    ]
    .map(Value::Int)
}

fn rollup_row(((time, cluster, namespace, policy, revision), sums): (&PolicyKey, &PolicySums)) -> [Value<'static>; 14] {
    let [passes, failures, denials, warnings, dryruns, errors, exempted, micros, micros_max] = *sums;
    [
        *time, *cluster, *namespace, *policy, *revision, passes, failures, denials, warnings, dryruns, errors,
        exempted, micros, micros_max,
    ]
    .map(Value::Int)
}

fn review_row(
    ((time, cluster, namespace), [reviews, failing, denied]): (&ReviewKey, &ReviewSums),
) -> [Value<'static>; 6] {
    [*time, *cluster, *namespace, *reviews, *failing, *denied].map(Value::Int)
}
