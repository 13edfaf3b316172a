//! One batch while it is gathered: records of failures, and counts that are additions. Pure, apart from new ids.

use super::Recorded;
use crate::audit::News;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;
use writ_policy::wire::{
    self, AuditPass, Failure, FailureOutcome, Fixed, PolicyCount, Report, ReviewCount, Violation, ViolationKey,
};
use writ_policy::{Action, NamespaceName, Outcome, PolicyName, PolicyResult, Revision};

/// Failures that close a batch: far below what a report may carry, so that one more review always fits and a storm of
/// failures is never a large piece of memory.
const FULL_FAILURES: usize = wire::MAX_FAILURES / 8;
/// Violations, and fixed ones, that close a batch.
const FULL_VIOLATIONS: usize = wire::MAX_VIOLATIONS / 4;
/// Rows of counts that close a batch.
const FULL_COUNTS: usize = wire::MAX_COUNTS / 2;
/// Estimated bytes that close a batch.
const FULL_BYTES: usize = wire::MAX_REPORT_BYTES / 16;
/// The most failures that one review may add.
const MAX_FAILURES_OF_REVIEW: usize = 200;
/// The longest text of a review's facts, in bytes.
const MAX_FACT_BYTES: usize = 256;

/// Additions to what was reported before.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// One per review and objecting policy.
    pub failures: Vec<Failure>,
    #[serde(with = "rows")]
    policies: HashMap<PolicyKey, PolicyTally>,
    #[serde(with = "rows")]
    reviews: HashMap<ReviewKey, ReviewTally>,
    /// What audit found.
    #[serde(default)]
    violations: Vec<Violation>,
    /// What it found mended.
    #[serde(default)]
    fixed: Vec<Fixed>,
    /// Full passes that ended.
    #[serde(default)]
    audits: Vec<AuditPass>,
    /// Records and counts that are missing.
    pub dropped: u64,
    bytes: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct PolicyKey {
    minute: i64,
    namespace: Option<NamespaceName>,
    policy: PolicyName,
    code: writ_policy::PolicyCode,
    revision: Revision,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct PolicyTally {
    passes: u64,
    failures: u64,
    denials: u64,
    #[serde(default)]
    warnings: u64,
    #[serde(default)]
    dryruns: u64,
    errors: u64,
    #[serde(default)]
    exempted: u64,
    micros: u64,
    #[serde(default)]
    micros_max: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct ReviewKey {
    minute: i64,
    namespace: Option<NamespaceName>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct ReviewTally {
    reviews: u64,
    failing: u64,
    denied: u64,
}

impl Batch {
    /// Nothing but a loss.
    pub fn of_dropped(dropped: u64) -> Self {
        Self { dropped, ..Self::default() }
    }

    /// What audit tells.
    pub fn of_news(news: News) -> Self {
        let News { violations, fixed, pass } = news;
        let texts = violations.iter().map(|told| told.message.len() + told.name.len() + told.key.workload.len() + 512);
        let bytes = texts.sum::<usize>() + fixed.len() * 400;
        Self { violations, fixed, audits: pass.into_iter().collect(), bytes, ..Self::default() }
    }

    /// Adds one review.
    pub fn add(&mut self, recorded: &Recorded) {
        let decision = &recorded.decided.decision;
        let minute = recorded.at.div_euclid(60_000);
        let namespace = NamespaceName::new(&recorded.decided.facts.namespace).ok();
        let mut failing = false;
        for (count, result) in decision.results.iter().enumerate() {
            self.count(minute, namespace.as_ref(), &recorded.revision, result);
            let Some(outcome) = outcome(result) else { continue };
            failing |= result.exemption.is_none();
            if count < MAX_FAILURES_OF_REVIEW {
                self.push(failure(recorded, namespace.clone(), result, outcome));
            } else {
                self.dropped += 1;
            }
        }
        let tally = self.reviews.entry(ReviewKey { minute, namespace }).or_default();
        tally.reviews += 1;
        tally.failing += u64::from(failing);
        tally.denied += u64::from(!decision.is_allowed());
    }

    fn count(&mut self, minute: i64, namespace: Option<&NamespaceName>, revision: &Revision, result: &PolicyResult) {
        let key = PolicyKey {
            minute,
            namespace: namespace.cloned(),
            policy: result.policy.name.clone(),
            code: result.policy.code.clone(),
            revision: revision.clone(),
        };
        let tally = self.policies.entry(key).or_default();
        match &result.outcome {
            Outcome::Pass => tally.passes += 1,
            _ if result.exemption.is_some() => tally.exempted += 1,
            Outcome::Fail(_) => tally.failures += 1,
            Outcome::Error(_) => tally.errors += 1,
        }
        if outcome(result).is_some() && result.exemption.is_none() {
            match result.action().unwrap_or(Action::Dryrun) {
                Action::Deny => tally.denials += 1,
                Action::Warn => tally.warnings += 1,
                Action::Dryrun => tally.dryruns += 1,
            }
        }
        tally.micros += u64::from(result.micros);
        tally.micros_max = tally.micros_max.max(u64::from(result.micros));
    }

    fn push(&mut self, failure: Failure) {
        self.bytes += failure.message.len() + failure.name.len() + failure.workload.len() + failure.user.len() + 512;
        self.failures.push(failure);
    }

    /// Adds another batch.
    pub fn merge(&mut self, other: Batch) {
        self.failures.extend(other.failures);
        for (key, more) in other.policies {
            let tally = self.policies.entry(key).or_default();
            tally.passes += more.passes;
            tally.failures += more.failures;
            tally.denials += more.denials;
            tally.warnings += more.warnings;
            tally.dryruns += more.dryruns;
            tally.errors += more.errors;
            tally.exempted += more.exempted;
            tally.micros += more.micros;
            tally.micros_max = tally.micros_max.max(more.micros_max);
        }
        for (key, more) in other.reviews {
            let tally = self.reviews.entry(key).or_default();
            tally.reviews += more.reviews;
            tally.failing += more.failing;
            tally.denied += more.denied;
        }
        self.merge_violations(other.violations, other.fixed);
        self.audits.extend(other.audits);
        self.dropped += other.dropped;
        self.bytes += other.bytes;
    }

    /// Of what is told twice of one violation the later word stands.
    fn merge_violations(&mut self, violations: Vec<Violation>, fixed: Vec<Fixed>) {
        let keys = violations.iter().map(|told| &told.key).chain(fixed.iter().map(|told| &told.key));
        let told: HashSet<&ViolationKey> = keys.collect();
        if !told.is_empty() {
            self.violations.retain(|earlier| !told.contains(&earlier.key));
            self.fixed.retain(|earlier| !told.contains(&earlier.key));
        }
        self.violations.extend(violations);
        self.fixed.extend(fixed);
    }

    /// Nothing happened.
    pub fn is_empty(&self) -> bool {
        let nothing_told = self.violations.is_empty() && self.fixed.is_empty() && self.audits.is_empty();
        self.failures.is_empty() && self.reviews.is_empty() && nothing_told && self.dropped == 0
    }

    /// Whether the two together should be closed.
    pub fn is_full_with(&self, other: &Batch) -> bool {
        self.failures.len() + other.failures.len() >= FULL_FAILURES
            || self.violations.len() + other.violations.len() >= FULL_VIOLATIONS
            || self.fixed.len() + other.fixed.len() >= FULL_VIOLATIONS
            || self.bytes + other.bytes >= FULL_BYTES
            || self.policies.len() + other.policies.len() >= FULL_COUNTS
            || self.reviews.len() + other.reviews.len() >= FULL_COUNTS
    }

    /// The batch as it travels, with its rows in a fixed order.
    pub fn close(self, boot: Uuid, sequence: u64, now: i64) -> Report {
        let Self { failures, violations, fixed, audits, dropped, policies, reviews, .. } = self;
        let mut policy_counts: Vec<PolicyCount> = policies.into_iter().map(policy_count).collect();
        policy_counts.sort_by(|a, b| (a.minute, &a.namespace, &a.policy).cmp(&(b.minute, &b.namespace, &b.policy)));
        let mut review_counts: Vec<ReviewCount> = reviews.into_iter().map(review_count).collect();
        review_counts.sort_by(|a, b| (a.minute, &a.namespace).cmp(&(b.minute, &b.namespace)));
        Report {
            boot,
            sequence,
            closed_at: now,
            failures,
            policy_counts,
            review_counts,
            violations,
            fixed,
            audits,
            dropped,
        }
    }
}

fn policy_count((key, tally): (PolicyKey, PolicyTally)) -> PolicyCount {
    let PolicyKey { minute, namespace, policy, code, revision } = key;
    let PolicyTally { passes, failures, denials, warnings, dryruns, errors, exempted, micros, micros_max } = tally;
    PolicyCount {
        minute,
        namespace,
        policy,
        code,
        revision,
        passes,
        failures,
        denials,
        warnings,
        dryruns,
        errors,
        exempted,
        micros,
        micros_max,
    }
}

fn review_count((key, tally): (ReviewKey, ReviewTally)) -> ReviewCount {
    let ReviewTally { reviews, failing, denied } = tally;
    ReviewCount { minute: key.minute, namespace: key.namespace, reviews, failing, denied }
}

fn outcome(result: &PolicyResult) -> Option<FailureOutcome> {
    match result.outcome {
        Outcome::Pass => None,
        Outcome::Fail(_) => Some(FailureOutcome::Fail),
        Outcome::Error(_) => Some(FailureOutcome::Error),
    }
}

fn failure(
    recorded: &Recorded,
    namespace: Option<NamespaceName>,
    result: &PolicyResult,
    outcome: FailureOutcome,
) -> Failure {
    let facts = &recorded.decided.facts;
    let fact = |text: &str| capped(text.to_owned(), MAX_FACT_BYTES);
    Failure {
        id: Uuid::now_v7(),
        at: recorded.at,
        review: fact(&facts.uid),
        policy: result.policy.name.clone(),
        code: result.policy.code.clone(),
        severity: result.policy.severity,
        action: result.action().unwrap_or(Action::Dryrun),
        because: result.ruling.as_ref().map(|ruling| ruling.because.to_string()).unwrap_or_default(),
        exemption: result.exemption.as_deref().map(str::to_owned),
        implied: result.implied,
        child: facts.child,
        outcome,
        message: capped(result.messages().join(", "), wire::MAX_MESSAGE_BYTES),
        namespace,
        kind: fact(&facts.kind),
        name: fact(&facts.name),
        uid: fact(&facts.object_uid),
        workload: fact(&facts.workload),
        operation: fact(&facts.operation),
        user: fact(&facts.user),
        revision: recorded.revision.clone(),
    }
}

/// The text, cut at a character and marked when it is longer than `most` bytes.
pub(crate) fn capped(mut text: String, most: usize) -> String {
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most - '…'.len_utf8()));
        text.push('…');
    }
    text
}

/// Maps with structs for keys, as rows.
mod rows {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::collections::HashMap;
    use std::hash::Hash;

    pub(super) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &HashMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(super) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<HashMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Eq + Hash,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::<(K, V)>::deserialize(deserializer)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use writ_policy::{
        Because, Decided, Decision, Dialect, OnError, PolicyCode, PolicyInfo, ReviewFacts, Ruling, Severity,
    };

    fn result(outcome: Outcome, action: Option<Action>) -> PolicyResult {
        let policy = Arc::new(PolicyInfo {
            name: PolicyName::new("policy-pdb").unwrap(),
            code: PolicyCode::new("MT1005").unwrap(),
            title: String::new(),
            description: String::new(),
            severity: Some(Severity::High),
            kinds: vec!["*".into()],
            dialect: Dialect::Writ,
            on_error: OnError::Deny,
            enabled: true,
            sets: vec![],
            expand: true,
            namespaces: vec![],
            path: "a.rego".into(),
        });
        let ruling = action.map(|action| Ruling { action, because: Because::Action });
        PolicyResult { policy, outcome, ruling, exemption: None, implied: false, micros: 5 }
    }

    fn recorded(at: i64, namespace: &str, results: Vec<PolicyResult>) -> Recorded {
        let facts = ReviewFacts { namespace: namespace.into(), uid: "u".into(), ..ReviewFacts::default() };
        let revision = Revision::new("a".repeat(40)).unwrap();
        Recorded { decided: Decided { facts, decision: Decision { results, notes: vec![] } }, revision, at }
    }

    #[test]
    fn exempted_failure_is_a_record_and_counted_apart() {
        let mut batch = Batch::default();
        let exempted = PolicyResult {
            exemption: Some("legacy".into()),
            ..result(Outcome::Fail(vec!["no".into()]), Some(Action::Dryrun))
        };
        batch.add(&recorded(60_000, "shop", vec![exempted]));
        let report = batch.close(Uuid::nil(), 1, 0);
        assert_eq!(report.failures[0].exemption.as_deref(), Some("legacy"));
        assert_eq!(report.failures[0].because, "actions of the fleet");
        assert_eq!((report.policy_counts[0].failures, report.policy_counts[0].exempted), (0, 1));
        assert_eq!((report.review_counts[0].reviews, report.review_counts[0].failing), (1, 0));
    }

    #[test]
    fn passes_are_counted_and_failures_are_records() {
        let mut batch = Batch::default();
        let fail = || result(Outcome::Fail(vec!["no".into()]), Some(Action::Deny));
        batch.add(&recorded(60_000, "shop", vec![result(Outcome::Pass, None)]));
        batch.add(&recorded(61_000, "shop", vec![fail()]));
        batch.add(&recorded(120_000, "", vec![fail()]));
        let report = batch.close(Uuid::nil(), 1, 9);
        assert_eq!(report.failures.len(), 2);
        assert_eq!(report.failures[1].namespace, None, "cluster-scoped");
        let shop = report.policy_counts.iter().find(|row| row.minute == 1).unwrap();
        assert_eq!((shop.passes, shop.failures, shop.denials, shop.warnings), (1, 1, 1, 0));
        assert_eq!((shop.micros, shop.micros_max), (10, 5));
        let shop = report.review_counts.iter().find(|row| row.minute == 1).unwrap();
        assert_eq!((shop.reviews, shop.failing, shop.denied), (2, 1, 1));
    }

    #[test]
    fn merged_portions_are_the_whole_even_through_json() {
        let reviews = [recorded(60_000, "a", vec![result(Outcome::Pass, None)]), recorded(60_000, "b", vec![])];
        let mut merged = Batch::default();
        for review in &reviews {
            let mut portion = Batch::default();
            portion.add(review);
            merged.merge(serde_json::from_str(&serde_json::to_string(&portion).unwrap()).unwrap());
        }
        let mut whole = Batch::default();
        reviews.iter().for_each(|review| whole.add(review));
        assert_eq!(merged, whole);
    }

    #[test]
    fn long_message_is_cut_at_a_character() {
        let text = capped("ä".repeat(1_000), 1_024);
        assert!(text.len() <= 1_024 && text.ends_with('…'), "{}", text.len());
        assert_eq!(capped("short".into(), 1_024), "short");
    }

    #[test]
    fn policy_of_a_thousand_objections_is_bounded() {
        let results = (0..1_000).map(|_| result(Outcome::Error("slow".into()), Some(Action::Deny))).collect();
        let mut batch = Batch::default();
        batch.add(&recorded(1, "a", results));
        assert_eq!((batch.failures.len(), batch.dropped), (MAX_FAILURES_OF_REVIEW, 800));
    }
}
