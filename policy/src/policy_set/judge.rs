//! One policy judges one review with its program: the evaluation in the policy's dialect, and what that does to the
//! request. Anything that is not a clear result is an error of the policy, never "no violation".

use super::dialect::{gatekeeper, magtape, writ};
use super::message::cut;
use super::namespaces::Namespace;
use super::program::Program;
use super::world::World;
use crate::action::Objection;
use crate::decision::{Dialect, Outcome, PolicyInfo};
use crate::engine::{EvalError, Value};
use crate::gatekeeper::Constraint;
use crate::review::parse::Review;
use crate::wire::MAX_MESSAGE_BYTES;
use crate::{Action, Severity};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// One policy or constraint: who it is, and with what its program is asked.
pub(super) struct Judge {
    pub info: Arc<PolicyInfo>,
    /// The position of its program.
    pub program: usize,
    /// The author's defaults with the fleet's words over them.
    pub parameters: Value,
    /// The constraint, where it is one.
    pub constraint: Option<Constraint>,
}

/// What is judged.
pub(super) struct Subject<'a> {
    pub review: &'a Review,
    pub namespace: Option<&'a Namespace>,
    /// Whether the review is of the pod that a workload implies.
    pub implied: bool,
}

/// What a policy found, and how severe it said that is.
pub(super) struct Verdict {
    pub outcome: Outcome,
    /// Whether it was stopped because its time was over.
    pub ran_out: bool,
    /// The severity of this failure where the dialect lets each have its own, else the policy's.
    pub severity: Option<Severity>,
}

/// The time of one evaluation, of which every rule takes what it needs.
pub(super) struct Clock {
    started: Instant,
    limit: Duration,
}

impl Clock {
    /// What is left.
    pub(super) fn left(&self) -> Duration {
        self.limit.saturating_sub(self.started.elapsed())
    }
}

impl Judge {
    /// Whether the Namespace object must be known before the subject is asked about.
    pub(super) fn wants_namespace(&self) -> bool {
        self.constraint.as_ref().is_some_and(|constraint| constraint.matcher.wants_namespace())
    }

    /// Whether it judges the subject, whose kind is one of its own.
    pub(super) fn selects(&self, subject: &Subject<'_>) -> bool {
        let facts = &subject.review.facts;
        self.info.judges_in(&facts.kind, &facts.namespace)
            && self.constraint.as_ref().is_none_or(|constraint| gatekeeper::matches(constraint, subject))
    }

    /// What the policy says of the subject, within the limit.
    pub(super) fn judge(
        &self,
        program: &mut Program,
        subject: &Subject<'_>,
        world: &mut World<'_>,
        limit: Duration,
    ) -> Verdict {
        if limit.is_zero() {
            return self.error("the review's time was used up before this policy was reached".into());
        }
        let clock = Clock { started: Instant::now(), limit };
        self.evaluate(program, subject, world, &clock).unwrap_or_else(|error| match error {
            // All of its time, not what the last of its rules had left of it.
            EvalError::Budget(_) => Verdict { ran_out: true, ..self.error(EvalError::Budget(limit).to_string()) },
            error => self.error(error.to_string()),
        })
    }

    fn evaluate(
        &self,
        program: &mut Program,
        subject: &Subject<'_>,
        world: &mut World<'_>,
        clock: &Clock,
    ) -> Result<Verdict, EvalError> {
        let rules = match program {
            Program::Cel(policy) => return gatekeeper::judge_native(self, policy, subject, clock),
            Program::Rego(rules) => rules,
        };
        rules.replicate(subject, world)?;
        match self.info.dialect {
            Dialect::Writ => writ::judge(self, rules, subject, clock),
            Dialect::MagTape => magtape::judge(self, rules, subject, clock),
            Dialect::Gatekeeper => gatekeeper::judge(self, rules, subject, clock),
        }
    }

    /// Whether what cannot be evaluated is passed, as its author wants it.
    pub(super) fn ignores_errors(&self) -> bool {
        self.constraint.as_ref().is_some_and(|constraint| constraint.ignores_errors)
    }

    /// What is to be ruled on; nothing when the policy did not object.
    pub(super) fn objection(&self, outcome: &Outcome, severity: Option<Severity>) -> Option<Objection> {
        let own = self.constraint.as_ref().map(|constraint| constraint.enforcement.admission.unwrap_or(Action::Dryrun));
        match (outcome, own) {
            (Outcome::Pass, _) => None,
            (Outcome::Error(_), Some(_)) if self.ignores_errors() => Some(Objection::Constraint(Action::Dryrun)),
            (_, Some(action)) => Some(Objection::Constraint(action)),
            (Outcome::Fail(_), None) => Some(Objection::Failure(severity.unwrap_or(Severity::High))),
            (Outcome::Error(_), None) => Some(Objection::Error(self.info.on_error)),
        }
    }

    /// Whether it asks for what workloads imply and not for the workloads.
    pub(super) fn judges_implied_alone(&self) -> bool {
        self.constraint.as_ref().is_some_and(|constraint| constraint.matcher.is_for_implied_alone())
    }

    pub(super) fn pass(&self) -> Verdict {
        Verdict { outcome: Outcome::Pass, severity: self.info.severity, ran_out: false }
    }

    pub(super) fn error(&self, reason: String) -> Verdict {
        let outcome = Outcome::Error(cut(&reason, MAX_MESSAGE_BYTES));
        Verdict { outcome, severity: self.info.severity, ran_out: false }
    }
}
