//! From a decision to the violations that it is. Pure.

use crate::report::batch::capped;
use writ_policy::wire::{self, FailureOutcome, FixedReason, Violation, ViolationKey};
use writ_policy::{Action, Decided, Decision, NamespaceName, Outcome, PolicyResult, ReviewFacts, Revision};

/// The longest text of an object's facts, in bytes.
const MAX_FACT_BYTES: usize = 256;

/// What the decision objects to. A child's implied pod is left out: its workload speaks for it, and its pods for
/// themselves.
pub(super) fn found(decided: &Decided, at: i64, revision: &Revision) -> Vec<Violation> {
    let facts = &decided.facts;
    let told = decided.decision.objections().filter(|result| !(facts.child && result.implied));
    told.map(|result| violation(facts, result, at, revision)).collect()
}

/// Why a violation that was there is not found any more.
pub(super) fn reason_of(decision: &Decision, key: &ViolationKey) -> FixedReason {
    match decision.results.iter().any(|result| result.policy.name == key.policy) {
        true => FixedReason::Passes,
        false => FixedReason::Policy,
    }
}

fn violation(facts: &ReviewFacts, result: &PolicyResult, at: i64, revision: &Revision) -> Violation {
    let fact = |text: &str| capped(text.to_owned(), MAX_FACT_BYTES);
    Violation {
        key: ViolationKey {
            policy: result.policy.name.clone(),
            namespace: NamespaceName::new(&facts.namespace).ok(),
            kind: fact(&facts.kind),
            workload: fact(&facts.workload),
        },
        at,
        code: result.policy.code.clone(),
        severity: result.policy.severity,
        action: result.action().unwrap_or(Action::Dryrun),
        because: result.ruling.as_ref().map(|ruling| ruling.because.to_string()).unwrap_or_default(),
        exemption: result.exemption.as_deref().map(str::to_owned),
        outcome: match result.outcome {
            Outcome::Error(_) => FailureOutcome::Error,
            _ => FailureOutcome::Fail,
        },
        message: capped(result.messages().join(", "), wire::MAX_MESSAGE_BYTES),
        name: fact(&facts.name),
        uid: fact(&facts.object_uid),
        objects: 1,
        revision: revision.clone(),
    }
}
