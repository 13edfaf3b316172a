//! What one agent reports: failures of a skewed choice of namespaces and policies, the counts that belong to them, and
//! violations of the same. Drawn from a fixed seed.

use std::collections::BTreeMap;
use uuid::Uuid;
use writ_policy::wire::{Failure, FailureOutcome, PolicyCount, Report, ReviewCount, Violation, ViolationKey};
use writ_policy::{Action, NamespaceName, PolicyCode, PolicyName, Revision, Severity};

/// Namespaces of one cluster, of all of them, and policies.
const OWN_NAMESPACES: u64 = 20;
const NAMESPACES: u64 = 2_000;
const POLICIES: u64 = 200;
const MINUTE_MS: i64 = 60_000;

/// How much is in each report.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) failures: usize,
    pub(super) violations: usize,
    pub(super) distinct: usize,
}

#[derive(Debug)]
pub(super) struct Writer {
    shape: Shape,
    cluster: u64,
    boot: Uuid,
    sequence: u64,
    told: u64,
    dice: u64,
    revision: Revision,
}

impl Writer {
    pub(super) fn new(cluster: u64, shape: Shape) -> Self {
        let revision = Revision::new("5eed".repeat(10)).expect("40 hexadecimal digits");
        let dice = 0x9e37_79b9_7f4a_7c15 ^ (cluster + 1);
        Self { shape, cluster, boot: Uuid::now_v7(), sequence: 0, told: 0, dice, revision }
    }

    /// The next report as it travels, and how many rows it brings.
    pub(super) fn next(&mut self, now: i64) -> (Vec<u8>, u64) {
        self.sequence += 1;
        let failures: Vec<Failure> = (0..self.shape.failures).map(|index| self.failure(now, index)).collect();
        let violations: Vec<Violation> = (0..self.shape.violations).map(|_| self.violation(now)).collect();
        let rows = (failures.len() + violations.len()) as u64;
        let report = Report {
            boot: self.boot,
            sequence: self.sequence,
            closed_at: now,
            policy_counts: policy_counts(&failures),
            review_counts: review_counts(&failures),
            failures,
            violations,
            fixed: vec![],
            audits: vec![],
            dropped: 0,
        };
        (serde_json::to_vec(&report).expect("a report is JSON"), rows)
    }

    fn failure(&mut self, now: i64, index: usize) -> Failure {
        let (namespace, policy) = (self.namespace(), self.skewed(POLICIES));
        let workload = self.skewed(400);
        let denies = policy.is_multiple_of(5);
        Failure {
            id: Uuid::now_v7(),
            at: now - index as i64,
            review: Uuid::now_v7().to_string(),
            policy: policy_name(policy),
            code: code(policy),
            severity: Some(if denies { Severity::High } else { Severity::Low }),
            action: if denies { Action::Deny } else { Action::Warn },
            because: "denyLevel LOW".into(),
            exemption: None,
            implied: false,
            child: false,
            outcome: FailureOutcome::Fail,
            message: format!(
                "[FAIL] LOW - container \"app\" of the workload does not do what policy {policy} asks for"
            ),
            namespace: Some(namespace),
            kind: "apps/Deployment".into(),
            name: format!("service-{workload}"),
            uid: Uuid::now_v7().to_string(),
            workload: format!("Deployment/service-{workload}"),
            operation: "UPDATE".into(),
            user: "system:serviceaccount:ci:deployer".into(),
            revision: self.revision.clone(),
        }
    }

    /// Each of the distinct ones in turn.
    fn violation(&mut self, now: i64) -> Violation {
        let place = self.told % self.shape.distinct.max(1) as u64;
        self.told += 1;
        let (policy, namespace) = (place % POLICIES, (self.cluster * 7 + place / POLICIES) % NAMESPACES);
        let workload = format!("Deployment/service-{place}");
        let key = ViolationKey {
            policy: policy_name(policy),
            namespace: NamespaceName::new(format!("team-{namespace:04}")).ok(),
            kind: "apps/Deployment".into(),
            workload,
        };
        Violation {
            key,
            at: now,
            code: code(policy),
            severity: Some(Severity::Low),
            action: Action::Warn,
            because: "denyLevel LOW".into(),
            exemption: None,
            outcome: FailureOutcome::Fail,
            message: format!(
                "[FAIL] LOW - container \"app\" of the workload does not do what policy {policy} asks for"
            ),
            name: format!("service-{place}"),
            uid: Uuid::nil().to_string(),
            objects: 1,
            revision: self.revision.clone(),
        }
    }

    fn namespace(&mut self) -> NamespaceName {
        let own = self.skewed(OWN_NAMESPACES);
        NamespaceName::new(format!("team-{:04}", (self.cluster * 7 + own) % NAMESPACES)).expect("a good name")
    }

    /// Below the end, small numbers more often.
    fn skewed(&mut self, end: u64) -> u64 {
        let draw = self.draw() % 1_000;
        draw * draw * end / 1_000_000
    }

    fn draw(&mut self) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.dice
    }
}

fn policy_name(policy: u64) -> PolicyName {
    PolicyName::new(format!("policy-{policy:03}")).expect("a good name")
}

fn code(policy: u64) -> PolicyCode {
    PolicyCode::new(format!("PL{policy:04}")).expect("a good code")
}

/// Of ten evaluations one fails.
fn policy_counts(failures: &[Failure]) -> Vec<PolicyCount> {
    let mut counts: BTreeMap<(i64, &str, &str), PolicyCount> = BTreeMap::new();
    for failure in failures {
        let minute = failure.at.div_euclid(MINUTE_MS);
        let namespace = failure.namespace.as_ref().map_or("", |name| name.as_str());
        let count = counts.entry((minute, namespace, failure.policy.as_str())).or_insert_with(|| PolicyCount {
            minute,
            namespace: failure.namespace.clone(),
            policy: failure.policy.clone(),
            code: failure.code.clone(),
            revision: failure.revision.clone(),
            passes: 0,
            failures: 0,
            denials: 0,
            warnings: 0,
            dryruns: 0,
            errors: 0,
            exempted: 0,
            micros: 0,
            micros_max: 0,
        });
        count.passes += 9;
        count.failures += 1;
        count.denials += u64::from(failure.action == Action::Deny);
        count.warnings += u64::from(failure.action == Action::Warn);
        count.micros += 150;
        count.micros_max = 150;
    }
    counts.into_values().collect()
}

fn review_counts(failures: &[Failure]) -> Vec<ReviewCount> {
    let mut counts: BTreeMap<(i64, &str), ReviewCount> = BTreeMap::new();
    for failure in failures {
        let minute = failure.at.div_euclid(MINUTE_MS);
        let namespace = failure.namespace.as_ref().map_or("", |name| name.as_str());
        let count = counts.entry((minute, namespace)).or_insert_with(|| ReviewCount {
            minute,
            namespace: failure.namespace.clone(),
            reviews: 0,
            failing: 0,
            denied: 0,
        });
        count.reviews += 3;
        count.failing += 1;
        count.denied += u64::from(failure.action == Action::Deny);
    }
    counts.into_values().collect()
}
