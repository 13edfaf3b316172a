//! Action: what came of an objection. One pure function decides it.

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
    /// The fleet's own action for this policy.
    Action,
    /// The constraint's own `enforcementAction`.
    Constraint,
    /// The policy's `on_error`.
    OnError,
    /// The fleet lets the policy do no more than this, whatever its `on_error`.
    Bounded,
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

/// The action of a failure: the platform's own word for this policy if there is one, else the deny level
/// against the severity.
pub fn resolve(severity: Severity, deny_level: DenyLevel, per_policy: Option<Action>) -> Ruling {
    match per_policy {
        Some(action) => Ruling { action, because: Because::Action },
        None => {
            let action = if deny_level.denies(severity) { Action::Deny } else { Action::Warn };
            Ruling { action, because: Because::DenyLevel(deny_level) }
        }
    }
}

/// The action of a policy's own error: its `on_error`, and never more than the platform lets the policy do. An error in
/// a policy that is tried out (`dryrun`), or where nothing is denied, denies nothing either.
pub fn resolve_error(on_error: OnError, deny_level: DenyLevel, per_policy: Option<Action>) -> Ruling {
    let most = match (per_policy, deny_level) {
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
mod tests {
    use super::*;

    #[test]
    fn per_policy_action_wins_over_the_deny_level() {
        let action = |severity, level, own| resolve(severity, level, own).action;
        assert_eq!(action(Severity::High, DenyLevel::High, Some(Action::Dryrun)), Action::Dryrun);
        assert_eq!(action(Severity::Low, DenyLevel::Off, Some(Action::Deny)), Action::Deny);
        assert_eq!(action(Severity::Med, DenyLevel::Low, None), Action::Warn);
        assert_eq!(action(Severity::Med, DenyLevel::Med, None), Action::Deny);
    }

    #[test]
    fn error_never_does_more_than_the_platform_lets_the_policy_do() {
        let denying = |level, action| resolve_error(OnError::Deny, level, action).action;
        assert_eq!(denying(DenyLevel::Low, None), Action::Deny);
        assert_eq!(denying(DenyLevel::Off, None), Action::Warn);
        assert_eq!(denying(DenyLevel::Off, Some(Action::Deny)), Action::Deny);
        assert_eq!(denying(DenyLevel::High, Some(Action::Dryrun)), Action::Dryrun);
        assert_eq!(resolve_error(OnError::Allow, DenyLevel::High, Some(Action::Deny)).action, Action::Dryrun);
    }
}
