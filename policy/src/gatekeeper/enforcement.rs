//! What a constraint does to a request: its `enforcementAction`, perhaps by enforcement point.

use crate::yaml::Node;
use crate::{Action, Diagnostic};

/// The point that an admission webhook is.
const WEBHOOK: &str = "validation.gatekeeper.sh";
/// Points that exist beside it; a constraint may be for them alone.
const OTHERS: [&str; 3] = ["audit.gatekeeper.sh", "gator.gatekeeper.sh", "vap.k8s.io"];

/// What a constraint does where Writ enforces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Enforcement {
    /// At admission; `None` when the constraint is for other enforcement points only.
    pub admission: Option<Action>,
}

impl Enforcement {
    /// What `spec` says; Gatekeeper denies when it says nothing.
    pub(crate) fn read(spec: Option<&Node>, path: &str, findings: &mut Vec<Diagnostic>) -> Self {
        let Some(action) = spec.and_then(|spec| spec.get("enforcementAction")) else {
            return Self { admission: Some(Action::Deny) };
        };
        match action.text() {
            Some("scoped") => Self { admission: scoped(spec, action, path, findings) },
            _ => Self { admission: Some(parse(action, path, findings)) },
        }
    }
}

fn parse(action: &Node, path: &str, findings: &mut Vec<Diagnostic>) -> Action {
    match action.text() {
        Some("deny") => Action::Deny,
        Some("warn") => Action::Warn,
        Some("dryrun") => Action::Dryrun,
        _ => {
            let shown = action.text().unwrap_or(action.what());
            let finding = action.error(path, format!("`enforcementAction` is {shown:?}"));
            findings.push(finding.help("Use deny, warn, dryrun or scoped."));
            Action::Deny
        }
    }
}

/// The strictest action that is scoped to the webhook.
fn scoped(spec: Option<&Node>, action: &Node, path: &str, findings: &mut Vec<Diagnostic>) -> Option<Action> {
    let listed = spec.and_then(|spec| spec.get("scopedEnforcementActions")).map(Node::items).unwrap_or_default();
    if listed.is_empty() {
        let finding = action.error(path, "`scoped` without `scopedEnforcementActions` enforces nothing");
        findings.push(finding.help("List `{action: deny, enforcementPoints: [{name: \"*\"}]}`."));
    }
    let mut strictest = None;
    for item in listed {
        let action = item.get("action").map(|action| parse(action, path, findings));
        let points = item.get("enforcementPoints").map(Node::items).unwrap_or_default();
        for point in points.iter().filter_map(|point| point.get("name")) {
            match point.text().unwrap_or_default() {
                WEBHOOK | "*" => strictest = strictest.max(action),
                other if OTHERS.contains(&other) => {}
                other => {
                    let finding = point.error(path, format!("there is no enforcement point {other:?}"));
                    findings.push(
                        finding.help(
                            "Use `*`, `validation.gatekeeper.sh`, `audit.gatekeeper.sh` or `gator.gatekeeper.sh`.",
                        ),
                    );
                }
            }
        }
    }
    strictest
}
