//! Exemptions that cover nothing, are over, or say the same twice. None of it makes a commit wrong but two of one name: time
//! alone must not keep the next commit from being served.

use super::fleet::Declared;
use crate::{Diagnostic, Exemption, Fleet, PolicyInfo};

const YEAR_MS: i64 = 366 * 24 * 60 * 60 * 1000;

/// What can be said whatever the time is.
pub(super) fn check(fleet: &Fleet, policies: &[Declared<'_>]) -> Vec<Diagnostic> {
    let mut findings = vec![];
    for (at, exemption) in fleet.exemptions.iter().enumerate() {
        findings.extend(check_twice(exemption, &fleet.exemptions[..at]));
        findings.extend(check_policies(exemption, fleet, policies));
    }
    findings
}

/// What is over, and what is meant for ever.
pub(super) fn check_time(exemptions: &[Exemption], now: i64) -> Vec<Diagnostic> {
    let check = |exemption: &Exemption| match exemption.expires_at.saturating_sub(now) {
        left if left <= 0 => Some(
            warning(exemption, format!("the exemption `{}` has expired", exemption.name))
                .help("Remove it; it covers nothing any more."),
        ),
        left if left > YEAR_MS => Some(
            warning(exemption, format!("the exemption `{}` expires in more than a year", exemption.name))
                .help("Choose a nearer day, and renew it when it is still needed."),
        ),
        _ => None,
    };
    exemptions.iter().filter_map(check).collect()
}

fn check_twice(exemption: &Exemption, earlier: &[Exemption]) -> Option<Diagnostic> {
    let name = &exemption.name;
    if let Some(first) = earlier.iter().find(|first| first.name == *name) {
        let message = format!("the exemption `{name}` is already declared in {}:{}", first.path, first.line);
        let finding = Diagnostic::error(&exemption.path, message).at(exemption.line, 1);
        return Some(finding.help("Give each exemption a name of its own: it is shown beside what it covers."));
    }
    let covered = |it: &Exemption| {
        let Exemption { policies, clusters, namespaces, kinds, names, users, groups, .. } = it.clone();
        (policies, clusters, namespaces, kinds, names, users, groups)
    };
    let same = earlier.iter().find(|first| covered(first) == covered(exemption))?;
    let finding = warning(exemption, format!("the exemption `{name}` covers the same as `{}`", same.name));
    Some(finding.help("Keep one of them."))
}

fn check_policies(exemption: &Exemption, fleet: &Fleet, policies: &[Declared<'_>]) -> Vec<Diagnostic> {
    let mut findings = vec![];
    for word in &exemption.policies {
        let only = Exemption { policies: vec![word.clone()], ..exemption.clone() };
        let mut about = policies.iter().map(|policy| policy.info).filter(|policy| only.is_about(policy)).peekable();
        if about.peek().is_none() {
            let finding = warning(exemption, format!("no policy has the code, the name or the set `{word}`"));
            findings.push(finding.help("Correct it, or remove it from the exemption."));
        } else if !about.any(|policy| may_judge(policy, fleet)) {
            let finding =
                warning(exemption, format!("`{word}` is off in every cluster, so nothing needs an exemption"));
            findings.push(finding.help("Remove it from the exemption, or enable it in fleet.yaml."));
        }
    }
    findings
}

fn may_judge(policy: &PolicyInfo, fleet: &Fleet) -> bool {
    let enabled = fleet.clusters.iter().flat_map(|rule| &rule.enable).chain(&fleet.enable);
    policy.enabled || enabled.into_iter().any(|name| policy.code.as_str() == name || policy.sets.contains(name))
}

fn warning(exemption: &Exemption, message: String) -> Diagnostic {
    Diagnostic::warning(&exemption.path, message).at(exemption.line, 1)
}
