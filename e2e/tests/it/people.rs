//! What people get to know and may decide in a cluster, against a real API server: Events about what fails, break glass by
//! label and by the command line, and a team's own policies.

use crate::cluster::{Cluster, NAME, pod};
use crate::process;
use crate::wait::eventually;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::process::Command;

const PODS: &str = "/api/v1/namespaces/default/pods";
const EVENTS: &str = "/apis/events.k8s.io/v1/namespaces/default/events";

/// The Event about this object with this reason.
async fn event(cluster: &Cluster, name: &str, reason: &str) -> Value {
    eventually(&format!("an Event {reason} about {name}"), async || {
        let (_, list) = cluster.server.get(EVENTS).await;
        let mut events = list["items"].as_array()?.iter();
        events.find(|event| event["regarding"]["name"] == name && event["reason"] == reason).cloned()
    })
    .await
}

/// Whether the API server takes this pod of the namespace; nothing is created.
async fn takes(cluster: &Cluster, namespace: &str, mut pod: Value) -> (StatusCode, Value) {
    pod["metadata"]["namespace"] = namespace.into();
    let path = format!("/api/v1/namespaces/{namespace}/pods?dryRun=All");
    cluster.server.create(&path, pod.to_string()).await
}

async fn until_taken(cluster: &Cluster, namespace: &str, expected: StatusCode, what: &str) -> Value {
    eventually(what, async || {
        let (status, answer) = takes(cluster, namespace, pod("evil", true)).await;
        (status == expected).then_some(answer)
    })
    .await
}

#[tokio::test]
async fn failing_reviews_make_events_with_the_rights_of_the_manifest() {
    let Some(mut cluster) = Cluster::start("failing_reviews_make_events").await else { return };
    cluster.start_agent("a", &["--failure-policy=fail"]).await;
    cluster.until_refused(PODS, &pod("evil", true)).await;
    assert_eq!(cluster.server.create(PODS, pod("evil", true).to_string()).await.0, StatusCode::FORBIDDEN);
    let denied = event(&cluster, "evil", "PolicyDenied").await;
    assert_eq!((&denied["type"], &denied["regarding"]["kind"]), (&json!("Warning"), &json!("Pod")));
    assert!(denied["note"].as_str().unwrap().contains("Found privileged Security Context"), "{denied}");
    let (status, answer) = cluster.server.create(PODS, pod("sloppy", false).to_string()).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let failed = event(&cluster, "sloppy", "PolicyFailed").await;
    assert!(failed["note"].as_str().unwrap().contains("(MT1001)"), "{failed}");
    let (_, list) = cluster.server.get(EVENTS).await;
    let about_evil = list["items"].as_array().unwrap().iter().filter(|event| event["regarding"]["name"] == "evil");
    assert_eq!(about_evil.count(), 1, "dry runs make none");
}

#[tokio::test]
async fn break_glass_opens_by_label_and_by_the_command_line_and_ends() {
    let Some(mut cluster) = Cluster::start("break_glass").await else { return };
    cluster.start_agent("a", &["--failure-policy=fail"]).await;
    let fleet = "apiVersion: writ.dev/v1\nkind: Fleet\ndenyLevel: LOW\nbreakGlass: {allow: true, maxFor: 30m}\n";
    cluster.world.push("fleet.yaml", fleet, "Let namespaces break glass");
    until_taken(&cluster, "default", StatusCode::FORBIDDEN, "a privileged pod is refused").await;

    let until = (jiff::Timestamp::now() + jiff::SignedDuration::from_mins(20)).strftime("%Y%m%dT%H%M%SZ").to_string();
    let label = |value: Value| json!({"metadata": {"labels": {"writ.dev/break-glass": value}}});
    let default = "/api/v1/namespaces/default";
    assert_eq!(cluster.server.patch(default, &label(until.into())).await.0, StatusCode::OK);
    until_taken(&cluster, "default", StatusCode::CREATED, "the label opens it").await;
    let other = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}}).to_string();
    assert_eq!(cluster.server.create("/api/v1/namespaces", other).await.0, StatusCode::CREATED);
    until_taken(&cluster, "other", StatusCode::FORBIDDEN, "and nowhere else").await;
    let hub = &cluster.world.hub;
    let recorded = eventually("the hub records it", async || {
        let open = hub.get("/api/v1/break-glass?open=true").await;
        open.as_array().filter(|open| !open.is_empty()).map(|open| open[0].clone())
    })
    .await;
    assert_eq!((&recorded["namespace"], &recorded["by_namespace"]), (&json!("default"), &json!(1)));
    cluster.server.patch(default, &label(Value::Null)).await;
    until_taken(&cluster, "default", StatusCode::FORBIDDEN, "without the label it is closed").await;

    let writ = |arguments: &[&str]| {
        let mut command = Command::new(process::path_of("writ"));
        let ran = command.args(["break-glass", "--hub", &hub.url, "--cluster", NAME]).args(arguments).output().unwrap();
        assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
    };
    writ(&["--for", "10m", "--reason", "the registry is down"]);
    let answer = until_taken(&cluster, "default", StatusCode::CREATED, "the hub's word opens it").await;
    assert_eq!(answer["kind"], "Pod");
    writ(&["--end"]);
    until_taken(&cluster, "default", StatusCode::FORBIDDEN, "it is ended").await;
    writ(&["--namespace", "default", "--for", "3s", "--reason", "a moment"]);
    until_taken(&cluster, "default", StatusCode::CREATED, "for a moment").await;
    until_taken(&cluster, "default", StatusCode::FORBIDDEN, "it ends by itself").await;
}

#[tokio::test]
async fn team_refuses_in_its_own_namespace_alone() {
    let Some(mut cluster) = Cluster::start("teams").await else { return };
    cluster.start_agent("a", &["--failure-policy=fail"]).await;
    let team = "apiVersion: writ.dev/v1\nkind: NamespacePolicies\nmetadata: {name: shop}\nspec: {namespaces: [shop]}\n";
    let policy = "# METADATA\n# title: No pods\n# custom: {code: SHOP1, severity: HIGH, kinds: [Pod]}\n\
                  package writ.teams.shop.no_pods\n\ndeny contains \"no pods here\" if input.review.object\n";
    std::fs::create_dir_all(cluster.world.work().join("teams/shop")).unwrap();
    cluster.world.push("teams/shop/policies.yaml", team, "A team");
    cluster.world.push("teams/shop/no_pods.rego", policy, "Its policy");
    for name in ["shop", "bank"] {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}).to_string();
        assert_eq!(cluster.server.create("/api/v1/namespaces", namespace).await.0, StatusCode::CREATED);
    }
    let refusal = eventually("the team refuses", async || {
        let (status, answer) = takes(&cluster, "shop", pod("good", false)).await;
        (status == StatusCode::FORBIDDEN).then_some(answer)
    })
    .await;
    assert!(refusal["message"].as_str().unwrap().contains("no pods here (SHOP1)"), "{refusal}");
    assert_eq!(takes(&cluster, "bank", pod("good", false)).await.0, StatusCode::CREATED);
}
