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
pub fn resolve(severity: Severity, deny_level: DenyLevel, per_policy: Option<Action>) -> Action {
    match per_policy {
        Some(action) => action,
        None if deny_level.denies(severity) => Action::Deny,
        None => Action::Warn,
    }
}

/// The action of a policy's own error: its `on_error`, and never more than the platform lets the policy do. An error in
/// a policy that is tried out (`dryrun`), or where nothing is denied, denies nothing either.
pub fn resolve_error(on_error: OnError, deny_level: DenyLevel, per_policy: Option<Action>) -> Action {
    let most = match (per_policy, deny_level) {
        (Some(action), _) => action,
        (None, DenyLevel::Off) => Action::Warn,
        (None, _) => Action::Deny,
    };
    on_error.action().min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn per_policy_action_wins_over_the_deny_level() {
        assert_eq!(resolve(Severity::High, DenyLevel::High, Some(Action::Dryrun)), Action::Dryrun);
        assert_eq!(resolve(Severity::Low, DenyLevel::Off, Some(Action::Deny)), Action::Deny);
        assert_eq!(resolve(Severity::Med, DenyLevel::Low, None), Action::Warn);
        assert_eq!(resolve(Severity::Med, DenyLevel::Med, None), Action::Deny);
    }

    #[test]
    fn error_never_does_more_than_the_platform_lets_the_policy_do() {
        let denying = |level, action| resolve_error(OnError::Deny, level, action);
        assert_eq!(denying(DenyLevel::Low, None), Action::Deny);
        assert_eq!(denying(DenyLevel::Off, None), Action::Warn);
        assert_eq!(denying(DenyLevel::Off, Some(Action::Deny)), Action::Deny);
        assert_eq!(denying(DenyLevel::High, Some(Action::Dryrun)), Action::Dryrun);
        assert_eq!(resolve_error(OnError::Allow, DenyLevel::High, Some(Action::Deny)), Action::Dryrun);
    }
}
