//! Violations that the hub was told and that are open, as others' tools may want them: what is remembered, and no messages.

use std::sync::Arc;
use writ_policy::Action;
use writ_policy::wire::{FailureOutcome, Violation, ViolationKey};

/// How bad an open violation is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The policy could not decide.
    Error,
    /// Its creation would be refused.
    #[default]
    Deny,
    /// It would be warned about.
    Warn,
    /// It would be noted.
    Dryrun,
    /// It is permitted.
    Exempt,
}

/// An open violation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Which.
    pub key: Arc<ViolationKey>,
    /// How many objects it is about.
    pub objects: u32,
    /// How bad it is.
    pub verdict: Verdict,
}

impl Verdict {
    pub(super) fn of(violation: &Violation) -> Self {
        match (&violation.exemption, violation.outcome, violation.action) {
            (Some(_), ..) => Verdict::Exempt,
            (None, FailureOutcome::Error, _) => Verdict::Error,
            (None, _, Action::Deny) => Verdict::Deny,
            (None, _, Action::Warn) => Verdict::Warn,
            (None, _, Action::Dryrun) => Verdict::Dryrun,
        }
    }
}
