//! Open violations as reports for others' tools, in either format, on a real API server that has the CRDs.

use crate::cluster::{Cluster, NAMESPACE, pod};
use crate::wait::eventually;
use reqwest::StatusCode;
use serde_json::{Value, json};

const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const PODS: &str = "/api/v1/namespaces/default/pods";

/// As strict as the formats are about what Writ writes: an API server drops or refuses what is not here.
fn crd(group: &str, version: &str, kind: &str, plural: &str, scope: &str) -> Value {
    let text = json!({"type": "string"});
    let count = json!({"type": "integer"});
    let texts = json!({"type": "object", "additionalProperties": text});
    let resource = json!({"type": "object", "properties": {"kind": text, "name": text, "namespace": text,
        "apiVersion": text}});
    let result = json!({"type": "object", "required": ["policy", "result"], "properties": {
        "source": text, "policy": text, "rule": text, "message": text, "scored": {"type": "boolean"},
        "properties": texts, "resources": {"type": "array", "items": resource},
        "severity": {"type": "string", "enum": ["critical", "high", "low", "medium", "info"]},
        "result": {"type": "string", "enum": ["pass", "fail", "warn", "error", "skip"]}}});
    let summary = json!({"type": "object", "properties": {"pass": count, "fail": count, "warn": count,
        "error": count, "skip": count}});
    let schema = json!({"type": "object", "properties": {"apiVersion": text, "kind": text,
        "metadata": {"type": "object"}, "source": text, "summary": summary,
        "results": {"type": "array", "items": result}}});
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {"group": group, "scope": scope, "names": {"kind": kind, "plural": plural},
            "versions": [{"name": version, "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}]}})
}

/// The CRDs of both formats, and the rights that `writ install agent --policy-reports` gives.
async fn prepare(cluster: &Cluster) {
    for (group, version, kinds) in [
        ("openreports.io", "v1alpha1", [("Report", "reports"), ("ClusterReport", "clusterreports")]),
        (
            "wgpolicyk8s.io",
            "v1alpha2",
            [("PolicyReport", "policyreports"), ("ClusterPolicyReport", "clusterpolicyreports")],
        ),
    ] {
        for ((kind, plural), scope) in kinds.into_iter().zip(["Namespaced", "Cluster"]) {
            let (status, answer) =
                cluster.server.create(CRDS, crd(group, version, kind, plural, scope).to_string()).await;
            assert_eq!(status, StatusCode::CREATED, "{answer}");
            let list = format!("/apis/{group}/{version}/{plural}");
            eventually(&format!("{list} is served"), async || {
                (cluster.server.get(&list).await.0 == StatusCode::OK).then_some(())
            })
            .await;
        }
    }
    let install = ["install", "agent", "--hub=https://hub.example", "--policy-reports=openreports"];
    let (well, manifests) = crate::process::run("writ", cluster.world.folder(), &install);
    assert!(well, "{manifests}");
    assert!(manifests.contains("--policy-reports=openreports") && manifests.contains(NAMESPACE), "{manifests}");
    cluster.server.kubectl_ok(&["apply", "-f", "-"], &manifests);
}

#[tokio::test]
async fn open_violations_are_written_as_reports_and_removed() {
    let Some(mut cluster) = Cluster::start("open_violations_are_written_as_reports_and_removed").await else { return };
    prepare(&cluster).await;
    let (status, answer) = cluster.server.create(PODS, pod("evil", true).to_string()).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    for (name, format, path) in [
        ("a", "openreports", "/apis/openreports.io/v1alpha1/namespaces/default/reports/writ"),
        ("b", "wgpolicyk8s", "/apis/wgpolicyk8s.io/v1alpha2/namespaces/default/policyreports/writ"),
    ] {
        cluster.start_agent(name, &[&format!("--policy-reports={format}")]).await;
        let report = eventually(&format!("{format}:\n{}", cluster.agents[0].process.log()), async || {
            let (status, report) = cluster.server.get(path).await;
            (status == StatusCode::OK).then_some(report)
        })
        .await;
        let privileged = report["results"].as_array().unwrap().iter().find(|result| result["rule"] == "MT2001");
        let privileged = privileged.unwrap_or_else(|| panic!("{report}"));
        assert_eq!((&privileged["result"], &privileged["severity"]), (&json!("fail"), &json!("high")));
        assert_eq!(privileged["resources"][0], json!({"kind": "Pod", "name": "evil", "namespace": "default"}));
        assert!(report["summary"]["fail"].as_u64() >= Some(1), "{report}");
        for mut agent in cluster.agents.drain(..) {
            assert!(agent.process.stop(), "{}", agent.process.log());
        }
    }
    cluster.server.delete(&format!("{PODS}/evil?gracePeriodSeconds=0")).await;
    cluster.start_agent("c", &["--policy-reports=wgpolicyk8s"]).await;
    eventually("the report of a clean namespace is removed", async || {
        let path = "/apis/wgpolicyk8s.io/v1alpha2/namespaces/default/policyreports/writ";
        (cluster.server.get(path).await.0 == StatusCode::NOT_FOUND).then_some(())
    })
    .await;
}
