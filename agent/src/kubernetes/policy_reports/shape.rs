//! How a report looks in either format. Pure.

use crate::audit::{Open, Verdict};
use crate::config::PolicyReports;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use writ_policy::{PolicyInfo, Severity};

/// The most results of one report: with more, an object of etcd would become too large. The worst come first.
const MOST_RESULTS: usize = 500;
/// The most namespaces that have a report.
const MOST_REPORTS: usize = 2_000;
/// The longest message, in characters.
const MOST_MESSAGE: usize = 300;

/// Where the API server has the kind.
pub(super) struct Kind {
    pub(super) group: &'static str,
    pub(super) version: &'static str,
    pub(super) kind: &'static str,
    pub(super) plural: &'static str,
}

pub(super) fn kind(format: PolicyReports, namespaced: bool) -> Kind {
    let (group, version, kind, plural) = match (format, namespaced) {
        (PolicyReports::Openreports, true) => ("openreports.io", "v1alpha1", "Report", "reports"),
        (PolicyReports::Openreports, false) => ("openreports.io", "v1alpha1", "ClusterReport", "clusterreports"),
        (_, true) => ("wgpolicyk8s.io", "v1alpha2", "PolicyReport", "policyreports"),
        (_, false) => ("wgpolicyk8s.io", "v1alpha2", "ClusterPolicyReport", "clusterpolicyreports"),
    };
    Kind { group, version, kind, plural }
}

/// What is open, by namespace; `None` is what is in none.
pub(super) struct Sorted {
    pub(super) reports: BTreeMap<Option<Arc<str>>, Vec<Open>>,
    /// Namespaces that were too many.
    pub(super) left_out: usize,
}

pub(super) fn sort(open: Vec<Open>) -> Sorted {
    let mut reports: BTreeMap<Option<Arc<str>>, Vec<Open>> = BTreeMap::new();
    for violation in open {
        let namespace = violation.key.namespace.as_ref().map(|namespace| Arc::from(namespace.as_str()));
        reports.entry(namespace).or_default().push(violation);
    }
    let left_out = reports.len().saturating_sub(MOST_REPORTS);
    while reports.len() > MOST_REPORTS {
        reports.pop_last();
    }
    Sorted { reports, left_out }
}

/// The report of a namespace, or the cluster's. Its sums are of all, its results are the worst.
pub(super) fn report(
    format: PolicyReports,
    namespace: Option<&str>,
    open: &[Open],
    policies: &[Arc<PolicyInfo>],
) -> Value {
    let Kind { group, version, kind, .. } = kind(format, namespace.is_some());
    let info = |open: &Open| policies.iter().find(|policy| policy.name == open.key.policy);
    let mut worst: Vec<(&Open, Option<&Arc<PolicyInfo>>)> = open.iter().map(|open| (open, info(open))).collect();
    let severity = |info: &Option<&Arc<PolicyInfo>>| info.and_then(|info| info.severity).map(rank);
    worst.sort_by(|(a, of_a), (b, of_b)| {
        let key = |open: &Open| (open.verdict, open.key.clone());
        severity(of_b).cmp(&severity(of_a)).then_with(|| key(a).cmp(&key(b)))
    });
    let results: Vec<Value> =
        worst.iter().take(MOST_RESULTS).map(|(open, info)| result(open, info.map(|info| &**info))).collect();
    let mut metadata = json!({"name": super::NAME, "labels": {super::LABEL: super::MANAGER}});
    if let Some(namespace) = namespace {
        metadata["namespace"] = namespace.into();
    }
    let left_out = open.len().saturating_sub(MOST_RESULTS);
    if left_out > 0 {
        metadata["annotations"] = json!({"writ.dev/left-out": left_out.to_string()});
    }
    let mut report = json!({"apiVersion": format!("{group}/{version}"), "kind": kind, "metadata": metadata,
        "summary": summary(open), "results": results});
    if format == PolicyReports::Openreports {
        report["source"] = json!("writ");
    }
    report
}

fn result(open: &Open, info: Option<&PolicyInfo>) -> Value {
    let key = &open.key;
    // What a workload made is told of the workload; the kind of the objects themselves is beside it.
    let (kind, name) = key.workload.split_once('/').unwrap_or((&key.kind, &key.workload));
    let mut resource = json!({"kind": kind, "name": name});
    if let Some(namespace) = &key.namespace {
        resource["namespace"] = namespace.as_str().into();
    }
    let title = info.map_or(key.policy.as_str(), |info| info.title.as_str());
    let message: String = match open.objects {
        0 | 1 => title.to_owned(),
        objects => format!("{title} ({objects} objects)"),
    };
    let properties = json!({"kind": key.kind, "objects": open.objects.to_string()});
    let mut result = json!({"source": "writ", "policy": key.policy.as_str(), "result": word(open.verdict),
        "scored": open.verdict != Verdict::Dryrun, "resources": [resource], "properties": properties,
        "message": message.chars().take(MOST_MESSAGE).collect::<String>()});
    if let Some(info) = info {
        result["rule"] = json!(info.code.as_str());
        if let Some(severity) = info.severity {
            result["severity"] = json!(severity_word(severity));
        }
    }
    result
}

fn summary(open: &[Open]) -> Value {
    let count = |wanted: &str| open.iter().filter(|open| word(open.verdict) == wanted).count();
    json!({"pass": 0, "fail": count("fail"), "warn": count("warn"), "error": count("error"), "skip": count("skip")})
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Deny => "fail",
        Verdict::Warn | Verdict::Dryrun => "warn",
        Verdict::Error => "error",
        Verdict::Exempt => "skip",
    }
}

fn rank(severity: Severity) -> u8 {
    match severity {
        Severity::High => 2,
        Severity::Med => 1,
        Severity::Low => 0,
    }
}

fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::High => "high",
        Severity::Med => "medium",
        Severity::Low => "low",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use writ_policy::wire::ViolationKey;
    use writ_policy::{NamespaceName, PolicyName};

    fn open(policy: &str, namespace: Option<&str>, kind: &str, workload: &str, verdict: Verdict) -> Open {
        let policy = PolicyName::new(policy).unwrap();
        let namespace = namespace.map(|namespace| NamespaceName::new(namespace).unwrap());
        let key = ViolationKey { policy, namespace, kind: kind.into(), workload: workload.into() };
        Open { key: Arc::new(key), objects: 1, verdict }
    }

    #[test]
    fn each_namespace_has_its_report_and_the_cluster_too() {
        let all = vec![
            open("a", Some("shop"), "Pod", "Pod/web", Verdict::Deny),
            open("b", Some("shop"), "apps/Deployment", "Deployment/web", Verdict::Exempt),
            open("a", None, "Node", "Node/n1", Verdict::Warn),
        ];
        let Sorted { reports, left_out } = sort(all);
        assert_eq!((reports.len(), left_out), (2, 0));
        let shop = report(PolicyReports::Openreports, Some("shop"), &reports[&Some("shop".into())], &[]);
        assert_eq!((&shop["kind"], &shop["metadata"]["namespace"]), (&json!("Report"), &json!("shop")));
        assert_eq!(shop["summary"], json!({"pass": 0, "fail": 1, "warn": 0, "error": 0, "skip": 1}));
        assert_eq!(shop["results"][0]["resources"][0], json!({"kind": "Pod", "name": "web", "namespace": "shop"}));
        let cluster = report(PolicyReports::Wgpolicyk8s, None, &reports[&None], &[]);
        assert_eq!(cluster["kind"], "ClusterPolicyReport");
        assert_eq!(cluster["results"][0]["result"], "warn");
    }

    #[test]
    fn report_holds_the_worst_and_says_how_many_it_leaves_out() {
        let name = |number: usize| format!("Pod/web-{number:04}");
        let mut all: Vec<Open> =
            (0..600).map(|number| open("a", Some("shop"), "Pod", &name(number), Verdict::Dryrun)).collect();
        all.push(open("a", Some("shop"), "Pod", "Pod/worst", Verdict::Deny));
        let shop = report(PolicyReports::Wgpolicyk8s, Some("shop"), &all, &[]);
        assert_eq!(shop["results"].as_array().unwrap().len(), MOST_RESULTS);
        assert_eq!(shop["results"][0]["resources"][0]["name"], "worst");
        assert_eq!(shop["metadata"]["annotations"]["writ.dev/left-out"], "101");
        assert_eq!(shop["summary"]["warn"], 600);
        assert!(shop.to_string().len() < 1 << 20, "etcd takes it");
    }
}
