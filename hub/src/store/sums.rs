//! Sums that pages read instead of rows, by minute, hour and day: written in the transaction of the counts that they
//! sum, so that they are never behind and never differ. One row per subject and bucket, however many agents report.
//!
//! Why they are needed: the counts of one minute have a row per cluster, namespace and policy. Two hours of a thousand
//! clusters are hundreds of thousands of them, too many to add up each time that a page is looked at.

use super::Tx;
use super::bulk::{Insert, Value};
use std::collections::BTreeMap;
use writ_policy::wire::{PolicyCount, ReviewCount};

/// The lengths of buckets, in minutes.
pub const SPANS: [i64; 3] = [MINUTE, HOUR, DAY];
/// Buckets of a minute.
pub const MINUTE: i64 = 1;
/// Buckets of an hour.
pub const HOUR: i64 = 60;
/// Buckets of a day, in UTC.
pub const DAY: i64 = 1_440;

const ADD: Insert = Insert {
    into: "INSERT INTO sums (kind, span, policy_id, bucket, subject_id, judged, failing, denied, errors, exempted)",
    on_conflict: "ON CONFLICT (span, bucket, kind, policy_id, subject_id) DO UPDATE SET
        judged = sums.judged + excluded.judged, failing = sums.failing + excluded.failing,
        denied = sums.denied + excluded.denied, errors = sums.errors + excluded.errors,
        exempted = sums.exempted + excluded.exempted",
};

/// Whose sums; the numbers are those of the column `kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Fleet = 0,
    Cluster = 1,
    Namespace = 2,
    Policy = 3,
    PolicyInCluster = 4,
    PolicyInNamespace = 5,
}

/// What a row is found by, in the order of the primary key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    span: i64,
    bucket: i64,
    kind: i64,
    policy_id: i64,
    subject_id: i64,
}

/// Judged, failing, denied, errors, exempted.
type Numbers = [i64; 5];

/// What reports add, each row once; in the order of the key, so that two hubs never wait for each other in a circle.
#[derive(Debug, Default)]
pub(crate) struct Sums(BTreeMap<Key, Numbers>);

impl Sums {
    /// What these evaluations add.
    pub(crate) fn add_policy_count(&mut self, cluster_id: i64, namespace_id: i64, policy_id: i64, count: &PolicyCount) {
        let failing = count.failures + count.errors;
        let judged = count.passes + failing + count.exempted;
        let numbers = numbers([judged, failing, count.denials, count.errors, count.exempted]);
        self.add(Kind::Policy, 0, count.minute, policy_id, numbers);
        self.add(Kind::PolicyInCluster, policy_id, count.minute, cluster_id, numbers);
        self.add(Kind::PolicyInNamespace, policy_id, count.minute, namespace_id, numbers);
    }

    /// What these reviews add.
    pub(crate) fn add_review_count(&mut self, cluster_id: i64, namespace_id: i64, count: &ReviewCount) {
        let numbers = numbers([count.reviews, count.failing, count.denied, 0, 0]);
        self.add(Kind::Fleet, 0, count.minute, 0, numbers);
        self.add(Kind::Cluster, 0, count.minute, cluster_id, numbers);
        self.add(Kind::Namespace, 0, count.minute, namespace_id, numbers);
    }

    fn add(&mut self, kind: Kind, policy_id: i64, minute: i64, subject_id: i64, numbers: Numbers) {
        for span in SPANS {
            let key = Key { kind: kind as i64, span, policy_id, bucket: minute.div_euclid(span), subject_id };
            let sums = self.0.entry(key).or_default();
            for (sum, number) in sums.iter_mut().zip(numbers) {
                *sum += number;
            }
        }
    }
}

fn numbers(counts: [u64; 5]) -> Numbers {
    counts.map(|count| i64::try_from(count).unwrap_or(i64::MAX))
}

impl Tx {
    /// Adds to the sums.
    pub(super) async fn add_sums(&mut self, sums: &Sums) -> sqlx::Result<()> {
        let rows: Vec<[Value<'_>; 10]> = sums.0.iter().map(row).collect();
        self.insert(ADD, &rows).await
    }
}

fn row((key, numbers): (&Key, &Numbers)) -> [Value<'static>; 10] {
    let Key { kind, span, policy_id, bucket, subject_id } = *key;
    let [judged, failing, denied, errors, exempted] = *numbers;
    [kind, span, policy_id, bucket, subject_id, judged, failing, denied, errors, exempted].map(Value::Int)
}
