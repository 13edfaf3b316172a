//! The guard against a commit that removes most policies by accident: a moved folder, a bad merge, a wrong --path, a class
//! of clusters whose paths say too little.

use crate::repository::Commit;
use crate::store::Served;
use writ_policy::{Diagnostic, PolicyInfo};
use writ_runtime::ClassPart;

const HELP: &str = "If this is meant, end the commit message with the line `Writ-Allow-Removal: yes`.";

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
    Some(Diagnostic::error("", message).help(HELP))
}

/// The same for each class of clusters, against what it is served now; a new class is served everything until then.
pub(super) fn guard_classes(served: &Served, parts: &[ClassPart], commit: &Commit) -> Option<Diagnostic> {
    let before =
        |part: &ClassPart| served.classes.get(&part.name).map_or(served.codes.len(), |was| was.policies as usize);
    let bare = parts.iter().find(|part| (part.content.policies as usize) * 2 < before(part));
    let part = bare.filter(|_| !commit.allows_removal())?;
    let (left, before) = (part.content.policies, before(part));
    let message = format!("clusters of class `{}` are served {left} policies, and {before} before", part.name);
    Some(Diagnostic::error("", message).help(HELP))
}
