//! Sums that pages read instead of rows, by minute, hour and day, some by quarter of a day and week: one row per subject
//! and bucket, however many agents report. What was reported a moment ago is in `recent` still, and is added by whoever
//! reads.
//!
//! Why they are needed: evaluations of one minute have a row per cluster, namespace and policy. Two hours of a thousand
//! clusters are hundreds of thousands of them, too many to add up each time that a page is looked at.

use super::bulk::{Upsert, Value};
use super::recent::{self, Counted, Key, What};
use std::collections::HashMap;

/// Buckets of a minute.
pub const MINUTE: i64 = 1;
/// Buckets of an hour.
pub const HOUR: i64 = 60;
/// Buckets of a quarter of a day.
pub const QUARTER: i64 = 360;
/// Buckets of a day, in UTC.
pub const DAY: i64 = 1_440;
/// Buckets of a week, from Thursday to Wednesday in UTC.
pub const WEEK: i64 = 10_080;

pub(super) const ADD: Upsert<'static> = Upsert {
    into: "INSERT INTO sums (span, bucket, kind, of_id, subject_id, judged, failing, denied, warned, errors, exempted, micros,
        micros_max)",
    on_conflict: "ON CONFLICT (span, bucket, kind, of_id, subject_id) DO UPDATE SET
        judged = sums.judged + excluded.judged, failing = sums.failing + excluded.failing,
        denied = sums.denied + excluded.denied, warned = sums.warned + excluded.warned,
        errors = sums.errors + excluded.errors, exempted = sums.exempted + excluded.exempted,
        micros = sums.micros + excluded.micros, micros_max = CASE WHEN excluded.micros_max > sums.micros_max
            THEN excluded.micros_max ELSE sums.micros_max END",
};

/// Whose sums; the numbers are those of the column `kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Fleet = 0,
    Cluster = 1,
    Namespace = 2,
    Policy = 3,
    PolicyInCluster = 4,
    PolicyInNamespace = 5,
    NamespaceInCluster = 6,
    ClusterInNamespace = 7,
    Code = 8,
}

impl Kind {
    /// Every kind.
    pub(super) const ALL: [Kind; 9] = [
        Kind::Fleet,
        Kind::Cluster,
        Kind::Namespace,
        Kind::Policy,
        Kind::PolicyInCluster,
        Kind::PolicyInNamespace,
        Kind::NamespaceInCluster,
        Kind::ClusterInNamespace,
        Kind::Code,
    ];
    const OF_REVIEWS: [Kind; 5] =
        [Kind::Fleet, Kind::Cluster, Kind::Namespace, Kind::NamespaceInCluster, Kind::ClusterInNamespace];
    const OF_EVALUATIONS: [Kind; 3] = [Kind::Policy, Kind::PolicyInCluster, Kind::PolicyInNamespace];

    /// What its sums are of.
    pub(super) fn what(self) -> What {
        match self {
            Kind::Code => What::Failures,
            kind if Self::OF_EVALUATIONS.contains(&kind) => What::Evaluations,
            _ => What::Reviews,
        }
    }

    /// The lengths of its buckets, each a multiple of the one before. Lists of all clusters, namespaces or policies read many
    /// rows for each bucket, and these are few to write; of what is of something else there are too many to be worth a row
    /// more.
    pub(super) const fn spans(self) -> &'static [i64] {
        match self {
            Kind::PolicyInCluster | Kind::PolicyInNamespace | Kind::NamespaceInCluster | Kind::ClusterInNamespace => {
                &[MINUTE, HOUR, DAY]
            }
            Kind::Fleet | Kind::Cluster | Kind::Namespace | Kind::Policy | Kind::Code => {
                &[MINUTE, HOUR, QUARTER, DAY, WEEK]
            }
        }
    }

    /// The columns of `recent` that are `of_id` and `subject_id` here.
    pub(super) fn columns(self) -> (&'static str, &'static str) {
        match self {
            Kind::Fleet => ("0", "0"),
            Kind::Cluster => ("0", "cluster_id"),
            Kind::Namespace => ("0", "namespace_id"),
            Kind::Policy | Kind::Code => ("0", "policy_id"),
            Kind::PolicyInCluster => ("policy_id", "cluster_id"),
            Kind::PolicyInNamespace => ("policy_id", "namespace_id"),
            Kind::NamespaceInCluster => ("cluster_id", "namespace_id"),
            Kind::ClusterInNamespace => ("namespace_id", "cluster_id"),
        }
    }

    /// The same of a row in memory.
    fn ids(self, key: &Key) -> (i64, i64) {
        let of_column = |column| match column {
            "cluster_id" => key.cluster,
            "namespace_id" => key.namespace,
            "policy_id" => key.policy,
            _ => 0,
        };
        let (of, subject) = self.columns();
        (of_column(of), of_column(subject))
    }
}

/// Span, bucket, kind, of, subject: the order of the primary key.
type Place = [i64; 5];

/// What counts add to the sums of a minute: by kind, minute, of and subject.
#[derive(Debug, Default)]
pub(super) struct Sums(HashMap<(Kind, i64, i64, i64), Counted>);

impl Sums {
    /// Adds what was counted in a minute to all sums of that minute.
    pub(super) fn add(&mut self, key: &Key, counted: &Counted) {
        let kinds: &[Kind] = match key.what {
            what if what == What::Reviews as i64 => &Kind::OF_REVIEWS,
            what if what == What::Evaluations as i64 => &Kind::OF_EVALUATIONS,
            _ => &[Kind::Code],
        };
        for kind in kinds {
            let (of, subject) = kind.ids(key);
            recent::add(self.0.entry((*kind, key.minute, of, subject)).or_default(), counted);
        }
    }

    /// Those of all spans, in the order of the key: what lies together is written together.
    pub(super) fn rows(self) -> Vec<[Value<'static>; 13]> {
        let mut all: HashMap<Place, Counted> = HashMap::with_capacity(2 * self.0.len());
        for ((kind, minute, of, subject), counted) in &self.0 {
            for span in kind.spans() {
                let place = [*span, minute.div_euclid(*span), *kind as i64, *of, *subject];
                recent::add(all.entry(place).or_default(), counted);
            }
        }
        let mut all: Vec<(Place, Counted)> = all.into_iter().collect();
        all.sort_unstable_by_key(|(place, _)| *place);
        all.iter().map(row).collect()
    }
}

fn row((place, counted): &(Place, Counted)) -> [Value<'static>; 13] {
    let [span, bucket, kind, of, subject] = *place;
    let [passes, failures, denials, warnings, _, errors, exempted, micros, micros_max] = *counted;
    let (judged, failing) = (passes + failures + errors + exempted, failures + errors);
    [span, bucket, kind, of, subject, judged, failing, denials, warnings, errors, exempted, micros, micros_max]
        .map(Value::Int)
}
