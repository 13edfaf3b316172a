//! What one cluster is told. Small, because it is signed and sent: whose word each setting was is a function of the commit
//! and the cluster's labels, and `explain` finds it there.

use super::{BreakGlassRule, NamespaceRule, Switch};
use crate::{Action, BreakGlass, DenyLevel, Exemption, PolicyInfo};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What one cluster is told, resolved from the fleet by its labels. Part of the signed assignment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Which severities deny.
    pub deny_level: DenyLevel,
    /// Parameters by policy code.
    #[serde(default)]
    pub parameters: BTreeMap<String, serde_json::Map<String, serde_json::Value>>,
    /// The platform's own action by policy code.
    #[serde(default)]
    pub actions: BTreeMap<String, Action>,
    /// Which namespaces are judged.
    #[serde(default)]
    pub namespaces: NamespaceRule,
    /// Which policies judge, where that is not as their authors say: the most specific word first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub switches: Vec<Switch>,
    /// Kinds (`group/version/Kind`) whose objects policies see.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sync: Vec<String>,
    /// Who may fail which policies for how long.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exemptions: Vec<Exemption>,
    /// Whether workloads are also judged as the pod that they imply.
    #[serde(default = "yes")]
    pub expand: bool,
    /// What the owners of namespaces may suspend.
    #[serde(default)]
    pub break_glass: BreakGlassRule,
    /// What is suspended, and until when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suspensions: Vec<BreakGlass>,
    /// The agent's own namespaces. Not the hub's to say.
    #[serde(skip)]
    pub own_namespaces: BTreeSet<String>,
}

fn yes() -> bool {
    true
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            deny_level: DenyLevel::default(),
            parameters: BTreeMap::new(),
            actions: BTreeMap::new(),
            namespaces: NamespaceRule::default(),
            switches: vec![],
            sync: vec![],
            exemptions: vec![],
            expand: true,
            break_glass: BreakGlassRule::default(),
            suspensions: vec![],
            own_namespaces: BTreeSet::new(),
        }
    }
}

impl Settings {
    /// Whether a policy judges: a word about its code wins over a word about a set of it, then the more specific one, and
    /// without a word it is as its author says.
    pub fn enables(&self, policy: &PolicyInfo) -> bool {
        self.switch_of(policy).map_or(policy.enabled, |switch| switch.on)
    }

    /// The word that turns this policy on or off.
    pub(crate) fn switch_of(&self, policy: &PolicyInfo) -> Option<&Switch> {
        let by_code = self.switches.iter().find(|switch| policy.code.as_str() == switch.name);
        by_code.or_else(|| self.switches.iter().find(|switch| policy.sets.contains(&switch.name)))
    }
}
