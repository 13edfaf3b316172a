//! Action: what came of an objection. One pure function decides it.

mod namespace;

pub use namespace::DENY_LEVEL;
pub(crate) use namespace::NamespaceWord;

use crate::{DenyLevel, Severity};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What an objection does to the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Recorded, not said.
    Dryrun,
    /// Recorded and said as a warning; the request goes through.
    Warn,
    /// The request is refused.
    Deny,
}

impl Action {
    /// The word that files, rows and pages use.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Dryrun => "dryrun",
            Action::Warn => "warn",
            Action::Deny => "deny",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What came of an objection, and which word decided it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    /// What it does to the request.
    pub action: Action,
    /// Whose word won.
    pub because: Because,
}

/// Whose word decided an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Because {
    /// The deny level against the policy's severity.
    DenyLevel(DenyLevel),
    /// The deny level that the owners of the namespace chose, above the platform's, against the policy's severity.
    NamespaceLevel(DenyLevel),
    /// The fleet's own action for this policy.
    Action,
    /// The constraint's own `enforcementAction`.
    Constraint,
    /// The policy's `on_error`.
    OnError,
    /// The fleet lets the policy do no more than this, whatever its `on_error`.
    Bounded,
    /// An exemption covers it.
    Exemption,
    /// It would be refused, and break glass is open.
    BreakGlass,
    /// It would be refused, and the object is one that must stay usable.
    Lifeline,
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Because::DenyLevel(level) => write!(f, "denyLevel {level}"),
            Because::NamespaceLevel(level) => write!(f, "{DENY_LEVEL} {level} of the namespace"),
            Because::Action => f.write_str("actions of the fleet"),
            Because::Constraint => f.write_str("enforcementAction"),
            Because::OnError => f.write_str("on_error"),
            Because::Bounded => f.write_str("on_error, bounded by the fleet"),
            Because::Exemption => f.write_str("exemption"),
            Because::BreakGlass => f.write_str("break glass"),
            Because::Lifeline => f.write_str("lifeline"),
        }
    }
}

/// What a policy's own error means for the request; a different thing from the webhook's failure policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnError {
    /// Fail closed: the request is refused. The default, because a wrong verdict is the worst defect.
    #[default]
    Deny,
    /// The request goes through with a warning.
    Warn,
    /// The request goes through; the error is recorded.
    Allow,
}

impl OnError {
    /// The action that an error of the policy has.
    pub fn action(self) -> Action {
        match self {
            OnError::Deny => Action::Deny,
            OnError::Warn => Action::Warn,
            OnError::Allow => Action::Dryrun,
        }
    }
}

/// What is ruled on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objection {
    /// A failure of this severity.
    Failure(Severity),
    /// An error of a policy, and what its author wants of it.
    Error(OnError),
    /// A failure or an error of a constraint, and its own action.
    Constraint(Action),
}

/// Everything that was said of a policy in a cluster and a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Words {
    /// The platform's deny level: the fleet's, or that of the cluster's rule.
    pub deny_level: DenyLevel,
    /// The deny level that the owners of the namespace ask for.
    pub namespace_level: Option<DenyLevel>,
    /// Whether the platform lets them.
    pub may_tighten: bool,
    /// The platform's own action for this policy.
    pub action: Option<Action>,
    /// Whether an exemption covers the object.
    pub exempted: bool,
    /// Whether break glass is open there.
    pub break_glass: bool,
    /// Whether the object must stay usable whatever policies say.
    pub lifeline: bool,
}

impl Words {
    /// The deny level that counts, and whose word it is. A team is heard only when it is stricter.
    fn level(&self) -> (DenyLevel, Because) {
        let stricter = self.namespace_level.filter(|level| self.may_tighten && *level > self.deny_level);
        match stricter {
            Some(level) => (level, Because::NamespaceLevel(level)),
            None => (self.deny_level, Because::DenyLevel(self.deny_level)),
        }
    }
}

/// What an objection does. In this order: an exemption, which records it and no more; a constraint's own action; the
/// platform's own action for the policy; the deny level against the severity. A refusal that then meets a lifeline or
/// open break glass is a warning.
pub fn rule(objection: Objection, words: &Words) -> Ruling {
    if words.exempted {
        return Ruling { action: Action::Dryrun, because: Because::Exemption };
    }
    let ruling = match objection {
        Objection::Constraint(action) => Ruling { action, because: Because::Constraint },
        Objection::Failure(severity) => rule_failure(severity, words),
        Objection::Error(on_error) => rule_error(on_error, words),
    };
    match ruling.action {
        Action::Deny if words.lifeline => Ruling { action: Action::Warn, because: Because::Lifeline },
        Action::Deny if words.break_glass => Ruling { action: Action::Warn, because: Because::BreakGlass },
        _ => ruling,
    }
}

fn rule_failure(severity: Severity, words: &Words) -> Ruling {
    let (level, because) = words.level();
    match words.action {
        Some(action) => Ruling { action, because: Because::Action },
        None if level.denies(severity) => Ruling { action: Action::Deny, because },
        None => Ruling { action: Action::Warn, because },
    }
}

/// The policy's `on_error`, and never more than the platform lets the policy do. An error in a policy that is tried out
/// (`dryrun`), or where nothing is denied, denies nothing either.
fn rule_error(on_error: OnError, words: &Words) -> Ruling {
    let most = match (words.action, words.level().0) {
        (Some(action), _) => action,
        (None, DenyLevel::Off) => Action::Warn,
        (None, _) => Action::Deny,
    };
    match on_error.action() {
        action if action <= most => Ruling { action, because: Because::OnError },
        _ => Ruling { action: most, because: Because::Bounded },
    }
}

#[cfg(test)]
mod tests;
