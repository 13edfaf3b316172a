//! `fleet.yaml`: what the platform wants from each cluster, and the one function that resolves it.

mod break_glass;
mod classes;
mod settings;
mod switch;
mod waves;

pub use break_glass::BreakGlassRule;
pub use classes::Class;
pub use settings::Settings;
pub use switch::Switch;
pub use waves::{HaltOn, Percent, Share, Urgent, Wave};

use crate::glob::glob_matches;
use crate::{Action, DenyLevel, Diagnostic, Exemption, Labels, SourceFile};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The `apiVersion` of Writ's own documents.
pub const API_VERSION: &str = "writ.dev/v1";

/// `kind: Fleet`. Everything has a default, so a repository without the file is a fleet that only records.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fleet {
    /// `writ.dev/v1`.
    pub api_version: String,
    /// `Fleet`.
    pub kind: String,
    /// The deny level of every cluster until a rule below says more.
    #[serde(default)]
    pub deny_level: DenyLevel,
    /// Policies, by code or by set, that judge in every cluster until a rule below says more.
    #[serde(default)]
    pub enable: Vec<String>,
    /// Policies, by code or by set, that do not judge.
    #[serde(default)]
    pub disable: Vec<String>,
    /// Rules by cluster labels; for each setting the first match wins, the most specific first.
    #[serde(default)]
    pub clusters: Vec<ClusterRule>,
    /// Which namespaces are judged.
    #[serde(default)]
    pub namespaces: NamespaceRule,
    /// What the owners of namespaces may suspend.
    #[serde(default)]
    pub break_glass: BreakGlassRule,
    /// Clusters that are served a part of the files; those of no class are served all of them.
    #[serde(default)]
    pub classes: Vec<Class>,
    /// The order in which clusters receive a revision; one wave of all of them when there is none.
    #[serde(default)]
    pub waves: Vec<Wave>,
    /// How revisions pass that must not wait.
    #[serde(default)]
    pub urgent: Urgent,
    /// Whether workloads are also judged as the pod that they imply; on until it is said otherwise.
    pub expand: Option<bool>,
    /// The repository's exemptions, each a document of its own.
    #[serde(default)]
    pub exemptions: Vec<Exemption>,
    /// Kinds (`group/version/Kind`, core as `v1/Kind`) that agents replicate into `data` for policies.
    #[serde(default)]
    pub sync: Vec<String>,
}

/// Settings for the clusters that carry all these labels.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterRule {
    /// All of these labels must be there, with these values. Empty matches every cluster.
    #[serde(rename = "match", default)]
    pub labels: Labels,
    /// The deny level of these clusters.
    pub deny_level: Option<DenyLevel>,
    /// Policies, by code or by set, that judge in these clusters.
    #[serde(default)]
    pub enable: Vec<String>,
    /// Policies, by code or by set, that do not judge in these clusters.
    #[serde(default)]
    pub disable: Vec<String>,
    /// Whether workloads are also judged as the pod that they imply.
    pub expand: Option<bool>,
    /// Parameters by policy code; they replace the policy's own defaults key by key.
    #[serde(default)]
    pub parameters: BTreeMap<String, serde_json::Map<String, serde_json::Value>>,
    /// The platform's own action by policy code; it wins over the deny level.
    #[serde(default)]
    pub actions: BTreeMap<String, Action>,
}

/// Which namespaces are judged, and whether their owners may be stricter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NamespaceRule {
    /// Names or globs (`kube-*`, `*-system`, `team-*-test`) that are never judged.
    #[serde(default)]
    pub exclude: BTreeSet<String>,
    /// A team may raise its own deny level, never lower it.
    #[serde(default)]
    pub may_tighten: bool,
}

impl Fleet {
    /// The fleet that this document describes, or where it is wrong. Only text whose `kind` is `Fleet` gets here.
    pub fn parse(file: &SourceFile) -> Result<Self, Diagnostic> {
        let fleet: Fleet = serde_saphyr::from_str(&file.text).map_err(|error| yaml_diagnostic(&file.path, &error))?;
        if fleet.api_version != API_VERSION || fleet.kind != "Fleet" {
            let message = format!("`{}` `{}` is not a fleet", fleet.api_version, fleet.kind);
            return Err(
                Diagnostic::error(&file.path, message).help("Write `apiVersion: writ.dev/v1` and `kind: Fleet`.")
            );
        }
        if !fleet.exemptions.is_empty() {
            let finding = Diagnostic::error(&file.path, "exemptions are documents of their own");
            return Err(finding.help("Write each as `kind: Exemption`, in a file that its owners approve."));
        }
        fleet.check_waves(file)?;
        fleet.check_classes(file)?;
        Ok(fleet)
    }

    /// What a cluster with these labels is told. For each setting the first matching rule wins, rules with more
    /// labels first, then in the order of the file.
    pub fn settings_for(&self, labels: &Labels) -> Settings {
        let mut rules: Vec<&ClusterRule> = self.clusters.iter().filter(|rule| rule.covers(labels)).collect();
        rules.sort_by_key(|rule| std::cmp::Reverse(rule.labels.len()));
        let mut settings =
            Settings { namespaces: self.namespaces.clone(), sync: self.sync.clone(), ..Settings::default() };
        settings.deny_level = rules.iter().find_map(|rule| rule.deny_level).unwrap_or(self.deny_level);
        settings.break_glass = self.break_glass;
        settings.expand = rules.iter().find_map(|rule| rule.expand).or(self.expand).unwrap_or(true);
        let exemptions = self.exemptions.iter().filter(|exemption| exemption.is_for(labels));
        settings.exemptions = exemptions.map(Exemption::granted).collect();
        for rule in rules {
            settings.switches.extend(Switch::of(&rule.enable, &rule.disable));
            for (code, parameters) in &rule.parameters {
                settings.parameters.entry(code.clone()).or_insert_with(|| parameters.clone());
            }
            for (code, action) in &rule.actions {
                settings.actions.entry(code.clone()).or_insert(*action);
            }
        }
        settings.switches.extend(Switch::of(&self.enable, &self.disable));
        settings
    }
}

impl ClusterRule {
    fn covers(&self, labels: &Labels) -> bool {
        self.labels.iter().all(|(key, value)| labels.get(key) == Some(value))
    }
}

impl NamespaceRule {
    /// Whether objects of this namespace are never judged.
    pub fn excludes(&self, namespace: &str) -> bool {
        self.exclude.iter().any(|pattern| glob_matches(pattern, namespace))
    }
}

/// A YAML error with the place that the parser names.
pub(crate) fn yaml_diagnostic(path: &str, error: &serde_saphyr::Error) -> Diagnostic {
    if let serde_saphyr::Error::Budget { breach, .. } = error.without_snippet() {
        let message = match breach {
            serde_saphyr::budget::BudgetBreach::Depth { .. } => "the YAML nests too deeply",
            _ => "the YAML has more parts or aliases than are read",
        };
        let finding = Diagnostic::error(path, message).help("Split the document, or keep it out of the policy path.");
        return error
            .location()
            .map_or(finding.clone(), |place| finding.at(place.line() as u32, place.column() as u32));
    }
    let full = error.to_string();
    let message = full.lines().next().unwrap_or("not YAML").trim_start_matches("error: ");
    // The place is told apart from the message.
    let message = match message.strip_prefix("line ").and_then(|placed| placed.split_once(": ")) {
        Some((_, message)) => message.to_owned(),
        None => message.to_owned(),
    };
    let diagnostic =
        Diagnostic::error(path, message).help("Correct the YAML; field names are listed in docs/POLICIES.md.");
    match error.location() {
        Some(place) => diagnostic.at(place.line() as u32, place.column() as u32),
        None => diagnostic,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLEET: &str = "
apiVersion: writ.dev/v1
kind: Fleet
denyLevel: LOW
clusters:
  - match: {env: prod}
    denyLevel: MED
    parameters: {WR1001: {repos: [\"registry.prod.example/\"]}}
    actions: {MT1007: dryrun}
  - match: {env: prod, ring: \"0\"}
    denyLevel: HIGH
namespaces:
  exclude: [kube-*]
  mayTighten: true
";

    fn fleet(text: &str) -> Result<Fleet, Diagnostic> {
        Fleet::parse(&SourceFile { path: "fleet.yaml".into(), text: text.into() })
    }

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
    }

    #[test]
    fn most_specific_rule_wins_for_each_setting() {
        let fleet = fleet(FLEET).unwrap();
        assert_eq!(fleet.settings_for(&labels(&[("env", "dev")])).deny_level, DenyLevel::Low);
        assert_eq!(fleet.settings_for(&labels(&[("env", "prod")])).deny_level, DenyLevel::Med);
        let canary = fleet.settings_for(&labels(&[("env", "prod"), ("ring", "0")]));
        assert_eq!(canary.deny_level, DenyLevel::High);
        assert_eq!(
            canary.actions["MT1007"],
            Action::Dryrun,
            "a setting the specific rule is silent on comes from the next"
        );
        assert!(canary.namespaces.excludes("kube-system") && !canary.namespaces.excludes("shop"));
    }

    #[test]
    fn misspelt_field_is_named_with_its_line() {
        let diagnostic = fleet("apiVersion: writ.dev/v1\nkind: Fleet\ndenylevel: LOW\n").unwrap_err();
        assert!(diagnostic.message.contains("denylevel"), "{diagnostic}");
        assert_eq!(diagnostic.line, 3, "{diagnostic}");
    }
}
