//! What came of one review: the outcome of every policy that matched it. Knows nothing of HTTP or of the hub.

use crate::action::Ruling;
use crate::glob::glob_matches;
use crate::{Action, OnError, PolicyCode, PolicyName, Severity};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// In which of the three dialects a policy is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// Rego v1 in `package writ.*` with `# METADATA`.
    Writ,
    /// Rego v0 in `package kubernetes.admission.*`.
    MagTape,
    /// A constraint of a Gatekeeper ConstraintTemplate.
    Gatekeeper,
}

impl Dialect {
    /// The word that rows and pages use.
    pub fn as_str(self) -> &'static str {
        match self {
            Dialect::Writ => "writ",
            Dialect::MagTape => "magtape",
            Dialect::Gatekeeper => "gatekeeper",
        }
    }
}

/// What a policy says of itself. Shared by all its results.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicyInfo {
    /// Unique in the repository.
    pub name: PolicyName,
    /// Unique in the repository.
    pub code: PolicyCode,
    /// One line for people.
    pub title: String,
    /// What it checks and why.
    pub description: String,
    /// How bad a failure is. Constraints have none: their own action stands.
    pub severity: Option<Severity>,
    /// `group/Kind` (`Kind` for the core group), or `*` for every kind.
    pub kinds: Vec<String>,
    /// How it is written.
    pub dialect: Dialect,
    /// What its own error means.
    pub on_error: OnError,
    /// Whether it judges without being turned on by the fleet.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// The named sets that it belongs to, e.g. `pss-baseline`; a fleet can turn on a whole set.
    #[serde(default)]
    pub sets: Vec<String>,
    /// Whether it also judges the pod that a workload implies, when it judges pods.
    #[serde(default = "yes")]
    pub expand: bool,
    /// Where it judges, as names or globs, when it is a team's own; empty for the platform's, which judge everywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    /// The file it is declared in.
    pub path: String,
}

impl PolicyInfo {
    /// Whether it judges objects of this namespace. A team judges what is in its namespaces, not the Namespace objects.
    pub fn judges_in(&self, kind: &str, namespace: &str) -> bool {
        let is_inside = !namespace.is_empty() && kind != "Namespace";
        self.namespaces.is_empty() || (is_inside && self.namespaces.iter().any(|glob| glob_matches(glob, namespace)))
    }
}

fn yes() -> bool {
    true
}

/// The outcome of all matching policies on one review.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decision {
    /// One per policy whose kinds match, in the order of policy codes.
    pub results: Vec<PolicyResult>,
    /// What people should know beside: a word about the policies that could not be followed.
    pub notes: Vec<String>,
}

/// The outcome of one policy.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyResult {
    /// Who judged.
    pub policy: Arc<PolicyInfo>,
    /// What it found.
    pub outcome: Outcome,
    /// What that does to the request, and why. `None` for a pass.
    pub ruling: Option<Ruling>,
    /// The name of the exemption that covers the failure; its action is dryrun then.
    pub exemption: Option<Arc<str>>,
    /// Whether the pod that the object implies was judged, not the object itself.
    pub implied: bool,
    /// Time spent evaluating, in microseconds.
    pub micros: u32,
}

/// What one policy found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// No objection.
    Pass,
    /// One or more objections, as the developer reads them: `[FAIL] LOW - ... (MT1001)`.
    Fail(Vec<String>),
    /// It erred or ran out of its budget; the reason is for people.
    Error(String),
}

impl Decision {
    /// Whether the request goes through.
    pub fn is_allowed(&self) -> bool {
        self.results.iter().all(|result| result.action() != Some(Action::Deny))
    }

    /// The results that are not passes.
    pub fn objections(&self) -> impl Iterator<Item = &PolicyResult> {
        self.results.iter().filter(|result| result.outcome != Outcome::Pass)
    }
}

impl PolicyResult {
    /// What the result does to the request. `None` for a pass.
    pub fn action(&self) -> Option<Action> {
        self.ruling.as_ref().map(|ruling| ruling.action)
    }

    /// The messages of a failure; for an error the one sentence that says so; nothing for a pass.
    pub fn messages(&self) -> Vec<String> {
        match &self.outcome {
            Outcome::Pass => vec![],
            Outcome::Fail(messages) => messages.clone(),
            Outcome::Error(reason) => {
                if let (Dialect::Gatekeeper, Some((_, name))) =
                    (self.policy.dialect, self.policy.code.as_str().split_once('/'))
                {
                    return vec![format!("[{name}] the constraint could not be evaluated: {reason}")];
                }
                let severity = self.policy.severity.map(|severity| format!(" {severity} -")).unwrap_or_default();
                vec![format!("[ERROR]{severity} {}: {reason} ({})", self.policy.name, self.policy.code)]
            }
        }
    }
}
