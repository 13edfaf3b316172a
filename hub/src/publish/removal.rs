//! The guard against a commit that removes most policies by accident: a moved folder, a bad merge, a wrong --path.

use crate::repository::Commit;
use writ_policy::{Diagnostic, PolicyInfo};

/// Refuses a commit that removes more than half of the served policies, unless its message says that it may.
pub(super) fn guard(served: &[String], policies: &[PolicyInfo], commit: &Commit) -> Option<Diagnostic> {
    let stays = |code: &&String| policies.iter().any(|policy| policy.code.as_str() == code.as_str());
    let removed: Vec<&str> = served.iter().filter(|code| !stays(code)).map(String::as_str).collect();
    if removed.len() * 2 <= served.len() || commit.allows_removal() {
        return None;
    }
    let named = removed.iter().take(10).copied().collect::<Vec<_>>().join(", ");
    let more = if removed.len() > 10 { ", ..." } else { "" };
    let message = format!("the commit removes {} of {} policies: {named}{more}", removed.len(), served.len());
    let help = "If this is meant, end the commit message with the line `Writ-Allow-Removal: yes`.";
    Some(Diagnostic::error("", message).help(help))
}
