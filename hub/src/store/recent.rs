//! Counts as reports bring them: summed over a transaction in memory and appended, nothing else. `fold.rs` takes them on
//! into `sums` and `rollups`; until then whoever reads a sum adds what is here, so that every sum is right at every moment.

use super::Tx;
use super::bulk::{Append, Value};
use super::names::Names;
use super::reports::{News, namespace};
use std::collections::BTreeMap;
use writ_policy::wire::{Failure, PolicyCount, ReviewCount};

const APPEND: Append = Append {
    table: "recent",
    columns:
        "what, minute, cluster_id, namespace_id, policy_id, revision_id, passes, failures, denials, warnings, dryruns,
        errors, exempted, micros, micros_max",
};

/// What a row counts; the numbers are those of the column `what`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum What {
    Reviews = 0,
    Evaluations = 1,
    /// Failures that were stored, by code.
    Failures = 2,
}

/// What is counted. Of reviews there is no policy and no revision, of failures that were stored only their code, in the
/// place of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) what: i64,
    pub(super) minute: i64,
    pub(super) cluster: i64,
    pub(super) namespace: i64,
    pub(super) policy: i64,
    pub(super) revision: i64,
}

/// Passes, failures, denials, warnings, dryruns, errors, exempted, micros; and last the largest micros of one.
pub(super) type Counted = [i64; 9];

/// Adds to what was counted.
pub(super) fn add(counted: &mut Counted, more: &Counted) {
    let most = counted[8].max(more[8]);
    for (sum, more) in counted.iter_mut().zip(more) {
        *sum = sum.saturating_add(*more);
    }
    counted[8] = most;
}

/// What the reports of one transaction bring.
#[derive(Debug, Default)]
pub(super) struct Recent(BTreeMap<Key, Counted>);

impl Recent {
    /// What these reports bring.
    pub(super) fn of(news: &[News<'_>], names: &Names) -> Self {
        let mut recent = Self::default();
        for news in news {
            let (cluster, report) = (news.cluster(), news.report());
            report.policy_counts.iter().for_each(|count| recent.add_evaluations(cluster, count, names));
            report.review_counts.iter().for_each(|count| recent.add_reviews(cluster, count, names));
        }
        recent
    }

    fn add_evaluations(&mut self, cluster: i64, count: &PolicyCount, names: &Names) {
        let key = Key {
            what: What::Evaluations as i64,
            minute: count.minute,
            cluster,
            namespace: names.id(namespace(&count.namespace)),
            policy: names.id(count.policy.as_str()),
            revision: names.id(count.revision.as_str()),
        };
        let PolicyCount { passes, failures, denials, warnings, dryruns, errors, exempted, .. } = *count;
        let counted = [passes, failures, denials, warnings, dryruns, errors, exempted, count.micros, count.micros_max];
        self.add(key, counted.map(|number| i64::try_from(number).unwrap_or(i64::MAX)));
    }

    fn add_reviews(&mut self, cluster: i64, count: &ReviewCount, names: &Names) {
        let (what, namespace) = (What::Reviews as i64, names.id(namespace(&count.namespace)));
        let key = Key { what, minute: count.minute, cluster, namespace, policy: 0, revision: 0 };
        let [all, failing, denied] = [count.reviews, count.failing, count.denied].map(|number| number as i64);
        self.add(key, [all - failing, failing, denied, 0, 0, 0, 0, 0, 0]);
    }

    /// This failure was stored, and was not there before.
    pub(super) fn add_stored(&mut self, failure: &Failure, names: &Names) {
        let (what, minute) = (What::Failures as i64, failure.at.div_euclid(60_000));
        let policy = names.id(failure.code.as_str());
        let key = Key { what, minute, cluster: 0, namespace: 0, policy, revision: 0 };
        self.add(key, [1, 0, 0, 0, 0, 0, 0, 0, 0]);
    }

    fn add(&mut self, key: Key, counted: Counted) {
        add(self.0.entry(key).or_default(), &counted);
    }
}

impl Tx {
    /// Appends what was counted.
    pub(super) async fn append_recent(&mut self, recent: &Recent) -> sqlx::Result<()> {
        let rows: Vec<[Value<'_>; 15]> = recent.0.iter().map(row).collect();
        self.append(APPEND, &rows).await
    }
}

fn row((key, counted): (&Key, &Counted)) -> [Value<'static>; 15] {
    let Key { what, minute, cluster, namespace, policy, revision } = *key;
    let [passes, failures, denials, warnings, dryruns, errors, exempted, micros, micros_max] = *counted;
    [
        what, minute, cluster, namespace, policy, revision, passes, failures, denials, warnings, dryruns, errors,
        exempted, micros, micros_max,
    ]
    .map(Value::Int)
}
