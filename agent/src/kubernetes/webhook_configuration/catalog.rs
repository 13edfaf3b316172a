//! What the API server serves, and the rules by which it sends requests for a kind: kinds of policies are names of
//! types, rules name resources. Pure, but for the asking.

use anyhow::Context;
use k8s_openapi::api::admissionregistration::v1::RuleWithOperations;
use kube::Client;
use kube::core::discovery::v2::{APIGroupDiscovery, APIVersionDiscovery, GroupVersionKind};
use std::collections::{BTreeMap, BTreeSet};

/// One resource or subresource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Served {
    /// Where a rule finds it.
    group: String,
    version: String,
    /// `pods` or `pods/ephemeralcontainers`.
    resource: String,
    /// The type of its objects: `group/Kind`.
    kind: String,
    connects: bool,
}

/// Everything that is served, in one version each.
#[derive(Debug, Clone, Default)]
pub(super) struct Catalog(Vec<Served>);

/// Rules, and the kinds among the wanted ones that the API server does not know.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Rules {
    pub(super) rules: Vec<RuleWithOperations>,
    pub(super) unknown: BTreeSet<String>,
}

/// Types that requests carry which open a connection.
const CONNECTIONS: [&str; 6] = [
    "PodExecOptions",
    "PodAttachOptions",
    "PodPortForwardOptions",
    "PodProxyOptions",
    "ServiceProxyOptions",
    "NodeProxyOptions",
];
/// Subresources that a rule for every kind names beside `*`, which means resources only.
const WITH_ALL: [&str; 4] = ["*", "*/scale", "pods/ephemeralcontainers", "pods/resize"];

impl Catalog {
    /// Asks the API server.
    pub(super) async fn load(client: &Client) -> anyhow::Result<Self> {
        let core = client.list_core_api_versions_aggregated().await.context("asking which kinds are served")?;
        let groups = client.list_api_groups_aggregated().await.context("asking which kinds are served")?;
        Ok(Self::of(core.items.iter().chain(&groups.items)))
    }

    fn of<'a>(groups: impl Iterator<Item = &'a APIGroupDiscovery>) -> Self {
        let mut served = vec![];
        for group in groups {
            let name = group.metadata.as_ref().and_then(|metadata| metadata.name.clone()).unwrap_or_default();
            let mut known = BTreeSet::new();
            // The preferred version comes first: the API server converts requests for others to it.
            for version in &group.versions {
                for one in resources(&name, version) {
                    if known.insert(one.resource.clone()) {
                        served.push(one);
                    }
                }
            }
        }
        Self(served)
    }

    /// The rules for these kinds (`group/Kind`, `*/Kind`, `*`). A kind that is not served yet is registered by its
    /// whole group, so that its first object is judged already.
    pub(super) fn rules(&self, kinds: &BTreeSet<String>, deletions: bool) -> Rules {
        if kinds.contains("*") {
            let all = rule("*", "*", WITH_ALL.map(str::to_owned).into(), &operations(deletions));
            return Rules { rules: [all].into_iter().chain(self.connections(kinds)).collect(), unknown: [].into() };
        }
        let mut by_version: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
        let mut unknown = BTreeSet::new();
        for kind in kinds.iter().filter(|kind| !connects(kind)) {
            let found: Vec<&Served> =
                self.0.iter().filter(|served| !served.connects && is(kind, &served.kind)).collect();
            for served in &found {
                let place = (served.group.clone(), version(served));
                by_version.entry(place).or_default().insert(served.resource.clone());
            }
            if found.is_empty() {
                unknown.insert(kind.clone());
                let group = kind.rsplit_once('/').map_or("", |(group, _)| group);
                by_version.entry((group.to_owned(), "*".into())).or_default().insert("*".into());
            }
        }
        let rules = by_version.into_iter().map(|((group, version), resources)| {
            rule(&group, &version, resources.into_iter().collect(), &operations(deletions))
        });
        Rules { rules: rules.chain(self.connections(kinds)).collect(), unknown }
    }

    fn connections(&self, kinds: &BTreeSet<String>) -> Vec<RuleWithOperations> {
        let named = |served: &&Served| served.connects && kinds.iter().any(|kind| is(kind, &served.kind));
        let resources: BTreeSet<String> = self.0.iter().filter(named).map(|served| served.resource.clone()).collect();
        if resources.is_empty() {
            return vec![];
        }
        vec![rule("", "v1", resources.into_iter().collect(), &["CONNECT"])]
    }
}

fn operations(deletions: bool) -> Vec<&'static str> {
    if deletions { vec!["CREATE", "UPDATE", "DELETE"] } else { vec!["CREATE", "UPDATE"] }
}

fn connects(kind: &str) -> bool {
    CONNECTIONS.contains(&kind.rsplit('/').next().unwrap_or(kind))
}

/// Whether a policy's kind means this one.
fn is(wanted: &str, kind: &str) -> bool {
    match wanted.strip_prefix("*/") {
        Some(name) => kind.rsplit('/').next() == Some(name),
        None => wanted == kind,
    }
}

/// Kubernetes' own groups keep their versions for years, and requests for other versions are converted; those of
/// custom resources come and go, and any of them must reach the agent.
fn version(served: &Served) -> String {
    let own =
        ["apps", "batch", "policy", "autoscaling", "networking.k8s.io", "rbac.authorization.k8s.io", "storage.k8s.io"];
    let fixed = served.group.is_empty() || own.contains(&served.group.as_str());
    if fixed { served.version.clone() } else { "*".into() }
}

fn rule(group: &str, version: &str, resources: Vec<String>, operations: &[&str]) -> RuleWithOperations {
    RuleWithOperations {
        api_groups: Some(vec![group.to_owned()]),
        api_versions: Some(vec![version.to_owned()]),
        operations: Some(operations.iter().map(|operation| (*operation).to_owned()).collect()),
        resources: Some(resources),
        scope: Some("*".into()),
    }
}

fn resources(group: &str, version: &APIVersionDiscovery) -> Vec<Served> {
    let number = version.version.clone().unwrap_or_default();
    let mut found = vec![];
    for resource in &version.resources {
        let Some(name) = &resource.resource else { continue };
        let mut add = |resource: String, kind: &Option<GroupVersionKind>, verbs: &[String]| {
            let kind = kind_of(group, kind.as_ref());
            let connects = connects(&kind);
            let writes = verbs.iter().any(|verb| ["create", "update", "patch"].contains(&verb.as_str()));
            if writes || connects {
                found.push(Served { group: group.into(), version: number.clone(), resource, kind, connects });
            }
        };
        add(name.clone(), &resource.response_kind, &resource.verbs);
        // What a controller writes into `status` is no will of a person.
        for sub in resource.subresources.iter().filter(|sub| sub.subresource.as_deref() != Some("status")) {
            let path = format!("{name}/{}", sub.subresource.as_deref().unwrap_or_default());
            add(path, &sub.response_kind, &sub.verbs);
        }
    }
    found
}

/// `group/Kind`; what names no group of its own is of the list's.
fn kind_of(group: &str, kind: Option<&GroupVersionKind>) -> String {
    let name = kind.and_then(|kind| kind.kind.clone()).unwrap_or_default();
    let part =
        |part: fn(&GroupVersionKind) -> &Option<String>| kind.and_then(|kind| part(kind).clone()).unwrap_or_default();
    let (own, version) = (part(|kind| &kind.group), part(|kind| &kind.version));
    // API servers leave both empty for what is of the list's own group; the core group has a version alone.
    let group = if own.is_empty() && version.is_empty() { group.to_owned() } else { own };
    if group.is_empty() { name } else { format!("{group}/{name}") }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use serde_json::json;

    pub(in super::super) fn catalog() -> Catalog {
        let resource = |name: &str, group: &str, version: &str, kind: &str, subs: serde_json::Value| {
            json!({"resource": name, "responseKind": {"group": group, "version": version, "kind": kind},
                "scope": "Namespaced", "singularResource": "", "verbs": ["create", "get", "update"], "subresources": subs})
        };
        let sub = |name: &str, group: &str, version: &str, kind: &str| {
            json!({"subresource": name, "responseKind": {"group": group, "version": version, "kind": kind},
                "verbs": ["get", "update", "create"]})
        };
        let groups = json!([
            {"metadata": {"name": ""}, "versions": [{"version": "v1", "resources": [
                resource("pods", "", "v1", "Pod", json!([sub("status", "", "v1", "Pod"),
                    sub("ephemeralcontainers", "", "v1", "Pod"), sub("exec", "", "v1", "PodExecOptions")])),
                resource("namespaces", "", "v1", "Namespace", json!([]))]}]},
            {"metadata": {"name": "apps"}, "versions": [{"version": "v1", "resources": [
                resource("deployments", "", "", "Deployment", json!([sub("scale", "autoscaling", "v1", "Scale")])),
                resource("daemonsets", "apps", "v1", "DaemonSet", json!([]))]}]},
            {"metadata": {"name": "autoscaling"}, "versions": [
                {"version": "v2", "resources": [resource("horizontalpodautoscalers", "autoscaling", "v2", "HorizontalPodAutoscaler", json!([]))]},
                {"version": "v1", "resources": [resource("horizontalpodautoscalers", "autoscaling", "v1", "HorizontalPodAutoscaler", json!([]))]}]},
            {"metadata": {"name": "shop.example"}, "versions": [{"version": "v1alpha1", "resources": [
                resource("carts", "shop.example", "v1alpha1", "Cart", json!([]))]}]},
        ]);
        let groups: Vec<APIGroupDiscovery> = serde_json::from_value(groups).unwrap();
        Catalog::of(groups.iter())
    }

    fn told(kinds: &[&str]) -> (Vec<String>, Vec<String>) {
        let kinds = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        let Rules { rules, unknown } = catalog().rules(&kinds, false);
        let list = |part: &Option<Vec<String>>| part.as_ref().unwrap().join(",");
        let text = |rule: &RuleWithOperations| {
            let (group, version) = (list(&rule.api_groups), list(&rule.api_versions));
            format!("{group} {version} {} {}", list(&rule.resources), list(&rule.operations))
        };
        (rules.iter().map(text).collect(), unknown.into_iter().collect())
    }

    #[test]
    fn kinds_become_the_resources_that_carry_them() {
        let (rules, unknown) =
            told(&["Pod", "autoscaling/Scale", "autoscaling/HorizontalPodAutoscaler", "shop.example/Cart"]);
        assert_eq!(
            rules,
            [
                " v1 pods,pods/ephemeralcontainers CREATE,UPDATE",
                "apps v1 deployments/scale CREATE,UPDATE",
                "autoscaling v2 horizontalpodautoscalers CREATE,UPDATE",
                "shop.example * carts CREATE,UPDATE",
            ]
        );
        assert!(unknown.is_empty());
    }

    #[test]
    fn kind_without_a_group_of_its_own_is_of_the_lists() {
        let (rules, unknown) = told(&["apps/Deployment", "Deployment"]);
        assert_eq!(rules, [" * * CREATE,UPDATE", "apps v1 deployments CREATE,UPDATE"]);
        assert_eq!(unknown, ["Deployment"]);
    }

    #[test]
    fn connections_are_asked_about_by_their_own_operation() {
        assert_eq!(told(&["PodExecOptions"]).0, [" v1 pods/exec CONNECT"]);
    }

    #[test]
    fn kind_that_is_not_served_yet_is_registered_by_its_group_and_told() {
        let (rules, unknown) = told(&["bank.example/Account", "*/Deployment", "apps/DaemonSet"]);
        assert_eq!(rules, ["apps v1 daemonsets,deployments CREATE,UPDATE", "bank.example * * CREATE,UPDATE"]);
        assert_eq!(unknown, ["bank.example/Account"]);
    }

    #[test]
    fn every_kind_means_scale_and_ephemeral_containers_too() {
        let (rules, _) = told(&["*", "Pod"]);
        assert_eq!(rules[0], "* * *,*/scale,pods/ephemeralcontainers,pods/resize CREATE,UPDATE");
    }
}
