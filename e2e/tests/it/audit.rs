//! Existing objects, on a real API server: what was there before the policy is found, and is no more when it is mended,
//! gone, or the policy is.

use crate::cluster::{Cluster, pod};
use crate::wait::eventually;
use reqwest::StatusCode;
use serde_json::{Value, json};

const PODS: &str = "/api/v1/namespaces/default/pods";
const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const ROLE: &str = "/apis/rbac.authorization.k8s.io/v1/clusterroles/writ-agent";

const POLICY: &str = r#"# METADATA
# title: ConfigMaps are not called bad
# custom:
#   code: XX9001
#   severity: LOW
#   kinds: [ConfigMap]
package writ.bad_maps

deny contains {"msg": "it is bad"} if input.review.object.data.state == "bad"
"#;

async fn metric(cluster: &Cluster, name: &str) -> Option<f64> {
    let answer = reqwest::get(format!("{}/metrics", cluster.agents[0].metrics)).await.ok()?;
    let text = answer.text().await.ok()?;
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

/// Waits until so many violations are known.
async fn until_violations(cluster: &Cluster, what: &str, expected: f64) {
    eventually(&format!("{what}:\n{}", cluster.agents[0].process.log()), async || {
        let known = metric(cluster, "writ_agent_audit_violations").await?;
        (known == expected).then_some(())
    })
    .await;
}

async fn create(cluster: &Cluster, path: &str, object: &Value) {
    let (status, answer) = cluster.server.create(path, object.to_string()).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
}

fn map(name: &str, state: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"state": state}})
}

/// The ClusterRole with this rule more.
async fn allow_config_maps(cluster: &Cluster) {
    let (_, mut role) = cluster.server.get(ROLE).await;
    let rule = json!({"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list", "watch"]});
    role["rules"].as_array_mut().unwrap().push(rule);
    let (status, answer) = cluster.server.patch(ROLE, &json!({"rules": role["rules"]})).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
}

async fn load_errors(cluster: &Cluster) -> String {
    cluster.world.hub.get("/api/v1/status").await["clusters"][0]["load_errors"].to_string()
}

#[tokio::test]
async fn objects_older_than_the_policy_are_found_and_followed() {
    let Some(mut cluster) = Cluster::start("objects_older_than_the_policy_are_found_and_followed").await else {
        return;
    };
    allow_config_maps(&cluster).await;
    create(&cluster, MAPS, &map("old", "bad")).await;
    create(&cluster, MAPS, &map("fine", "good")).await;
    create(&cluster, MAPS, &map("large", &"x".repeat(900_000))).await;
    cluster.start_agent("a", &[]).await;
    eventually("the first pass ended", async || {
        metric(&cluster, "writ_agent_audit_last_pass_timestamp_seconds").await.filter(|at| *at > 0.0)
    })
    .await;
    let before = metric(&cluster, "writ_agent_audit_violations").await.unwrap();

    let policy = cluster.world.push("policies/bad-maps.rego", POLICY, "Object to bad maps");
    until_violations(&cluster, "the old map is found", before + 1.0).await;
    create(&cluster, MAPS, &map("new", "bad")).await;
    until_violations(&cluster, "the new map is found", before + 2.0).await;
    let mended = json!({"data": {"state": "good"}});
    assert_eq!(cluster.server.patch(&format!("{MAPS}/old"), &mended).await.0, StatusCode::OK);
    until_violations(&cluster, "the old map is mended", before + 1.0).await;
    assert_eq!(cluster.server.delete(&format!("{MAPS}/new")).await.0, StatusCode::OK);
    until_violations(&cluster, "the new map is gone", before).await;

    create(&cluster, MAPS, &map("last", "bad")).await;
    until_violations(&cluster, "the last map is found", before + 1.0).await;
    cluster.world.revert(&policy);
    until_violations(&cluster, "the policy is gone", before).await;
}

#[tokio::test]
async fn pods_are_judged_as_at_admission_and_missing_permission_is_told() {
    let name = "pods_are_judged_as_at_admission_and_missing_permission_is_told";
    let Some(mut cluster) = Cluster::start(name).await else { return };
    let opted_out = json!({"apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": "out", "labels": {"writ.dev/admission": "disabled"}}});
    create(&cluster, "/api/v1/namespaces", &opted_out).await;
    let mut elsewhere = pod("evil", true);
    elsewhere["metadata"]["namespace"] = json!("out");
    create(&cluster, "/api/v1/namespaces/out/pods", &elsewhere).await;
    cluster.world.push("policies/bad-maps.rego", POLICY, "Object to bad maps");
    cluster.start_agent("a", &[]).await;
    eventually("the missing permission is told", async || {
        let told = load_errors(&cluster).await;
        (told.contains("ConfigMap") && told.contains("cannot list resource")).then_some(())
    })
    .await;
    let before = metric(&cluster, "writ_agent_audit_violations").await.unwrap();

    let opted_in = json!({"metadata": {"labels": {"writ.dev/admission": null}}});
    assert_eq!(cluster.server.patch("/api/v1/namespaces/out", &opted_in).await.0, StatusCode::OK);
    eventually("the pod of the namespace is judged", async || {
        metric(&cluster, "writ_agent_audit_violations").await.filter(|known| *known > before)
    })
    .await;
    assert!(metric(&cluster, "writ_agent_audit_unseen_kinds").await.unwrap() >= 1.0);
    let (_, pods) = cluster.server.get(PODS).await;
    assert_eq!(pods["items"].as_array().map(Vec::len), Some(0), "nothing was made by looking");
}
