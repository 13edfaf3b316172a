//! Exemptions: recorded, reasoned, expiring permission for objects to fail policies. What is covered is evaluated and
//! counted all the same.

mod read;

pub(crate) use read::read;

use crate::glob::glob_matches;
use crate::{Labels, PolicyInfo, ReviewFacts};
use serde::{Deserialize, Serialize};

/// `kind: Exemption`. A list that is empty means everything; what is listed must all agree.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exemption {
    /// Unique in the repository.
    pub name: String,
    /// Codes, names and sets of the policies that may fail.
    pub policies: Vec<String>,
    /// Labels of the clusters where it holds.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub clusters: Labels,
    /// Namespaces, as globs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    /// `group/Kind`, `Kind` for the core group, `*/Kind` for any group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
    /// Names of objects, or of the workloads that they belong to, as globs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Who asks: users, as globs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    /// Who asks: groups of users, as globs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Why.
    pub reason: String,
    /// Where it was discussed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub ticket: String,
    /// Who answers for it.
    pub approved_by: String,
    /// Unix milliseconds from which on it is as if it were not there.
    pub expires_at: i64,
    /// The file it stands in; empty in the settings of a cluster.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// Its line there.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub line: u32,
}

fn is_zero(line: &u32) -> bool {
    *line == 0
}

/// Who asks for what.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// What reports carry of the review.
    pub facts: &'a ReviewFacts,
    /// The groups that the user is in.
    pub groups: &'a [&'a str],
}

impl Exemption {
    /// Whether it is about this policy.
    pub fn is_about(&self, policy: &PolicyInfo) -> bool {
        let is_called =
            |word: &String| policy.code.as_str() == word || policy.name.as_str() == word || policy.sets.contains(word);
        self.policies.iter().any(is_called)
    }

    /// Whether the time is over.
    pub fn is_expired(&self, now: i64) -> bool {
        now >= self.expires_at
    }

    /// Whether it holds in clusters with these labels.
    pub(crate) fn is_for(&self, labels: &Labels) -> bool {
        self.clusters.iter().all(|(key, value)| labels.get(key) == Some(value))
    }

    /// What a cluster is told: who answers for it stays, where it is written does not.
    pub(crate) fn granted(&self) -> Self {
        Self { clusters: Labels::new(), path: String::new(), line: 0, ..self.clone() }
    }

    /// Whether it covers a failure of this policy at this time (Unix milliseconds).
    pub fn covers(&self, policy: &PolicyInfo, asked: Asked<'_>, now: i64) -> bool {
        !self.is_expired(now) && self.is_about(policy) && self.holds_namespace(asked) && self.holds_subject(asked) && {
            self.holds_object(&asked.facts.kind, &asked.facts.name) || self.holds_owner(asked.facts)
        }
    }

    fn holds_namespace(&self, asked: Asked<'_>) -> bool {
        let namespace = &asked.facts.namespace;
        self.namespaces.is_empty() || (!namespace.is_empty() && is_any(&self.namespaces, namespace))
    }

    fn holds_subject(&self, asked: Asked<'_>) -> bool {
        let anyone = self.users.is_empty() && self.groups.is_empty();
        anyone || is_any(&self.users, &asked.facts.user) || asked.groups.iter().any(|group| is_any(&self.groups, group))
    }

    fn holds_object(&self, kind: &str, name: &str) -> bool {
        let is_kind = |wanted: &String| match wanted.strip_prefix("*/") {
            Some(wanted) => kind.rsplit('/').next() == Some(wanted),
            None => wanted == kind,
        };
        (self.kinds.is_empty() || self.kinds.iter().any(is_kind))
            && (self.names.is_empty() || is_any(&self.names, name))
    }

    /// What a workload's controller makes is covered as the workload is. Anybody can name an owner, so the word of
    /// Kubernetes' own controllers alone is believed.
    fn holds_owner(&self, facts: &ReviewFacts) -> bool {
        let is_controller = facts.user.starts_with("system:serviceaccount:kube-system:")
            || facts.user == "system:kube-controller-manager";
        let Some((kind, name)) = facts.workload.split_once('/').filter(|_| is_controller) else { return false };
        let holds = |kind: &str, name: &str| {
            GROUPS.iter().any(|group| self.holds_object(format!("{group}{kind}").trim_start_matches('/'), name))
        };
        // A Job that a CronJob made ends with the minute that it is for.
        let scheduled = name.rsplit_once('-').filter(|(_, minute)| {
            kind == "Job" && minute.len() >= 8 && minute.bytes().all(|digit| digit.is_ascii_digit())
        });
        holds(kind, name) || scheduled.is_some_and(|(name, _)| holds("CronJob", name))
    }
}

/// The groups that Kubernetes' workloads are of; owners are known by kind and name.
const GROUPS: [&str; 3] = ["", "apps/", "batch/"];

fn is_any(globs: &[String], text: &str) -> bool {
    globs.iter().any(|glob| glob_matches(glob, text))
}

#[cfg(test)]
mod tests;
