//! The life of an agent in a cluster, against a real API server: it makes its webhook, denies and warns, and mends what
//! people do to its objects. Where no API server can be had, the agent's own tests hold these conversations with a
//! scripted one (`agent/src/kubernetes`).

use crate::cluster::{CONFIGURATION, Cluster, pod};
use crate::wait::eventually;
use reqwest::StatusCode;
use serde_json::{Value, json};

const PODS: &str = "/api/v1/namespaces/default/pods";

#[tokio::test]
async fn agent_makes_its_webhook_and_mends_it() {
    let Some(mut cluster) = Cluster::start("agent_makes_its_webhook_and_mends_it").await else { return };
    cluster.start_agent("a", &["--failure-policy=fail"]).await;
    let refusal = cluster.until_refused(PODS, &pod("evil", true)).await;
    let message = refusal["message"].as_str().unwrap();
    assert!(message.contains("[FAIL] HIGH - Found privileged Security Context"), "{message}");
    let (status, answer) = cluster.server.create(PODS, pod("good", false).to_string()).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");

    let (_, right) = cluster.server.get(CONFIGURATION).await;
    assert_eq!(right["webhooks"][0]["failurePolicy"], "Fail");
    let edit = json!({"webhooks": [{"name": "validate.writ.dev", "sideEffects": "None",
        "admissionReviewVersions": ["v1"], "clientConfig": {"url": "https://127.0.0.1:1/"}, "rules": []}]});
    assert_eq!(cluster.server.patch(CONFIGURATION, &edit).await.0, StatusCode::OK);
    let mended = async || {
        let (_, found) = cluster.server.get(CONFIGURATION).await;
        (found["webhooks"] == right["webhooks"]).then_some(())
    };
    eventually("the edit is mended", mended).await;
    cluster.server.delete(CONFIGURATION).await;
    eventually("the configuration is made again", mended).await;
    cluster.until_refused(PODS, &pod("evil", true)).await;
}

#[tokio::test]
async fn cluster_is_never_locked_out() {
    let Some(mut cluster) = Cluster::start("cluster_is_never_locked_out").await else { return };
    cluster.start_agent("a", &["--failure-policy=fail"]).await;
    cluster.until_refused(PODS, &pod("evil", true)).await;
    let (status, answer) = cluster.check(&["--data", "a", "--webhook-url", "https://127.0.0.1:1/"]).await;
    assert!(status, "{answer}");
    for mut agent in cluster.agents.drain(..) {
        agent.process.kill();
    }
    let (status, answer) = cluster.server.create(&format!("{PODS}?dryRun=All"), pod("good", false).to_string()).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR, "with Fail nothing is let through unjudged: {answer}");
    // What repairs the cluster does not wait for the agent: its own pods, the system's, Leases and nodes.
    for namespace in ["kube-system", "writ-system"] {
        let mut own = pod("repair", true);
        own["metadata"]["namespace"] = namespace.into();
        let path = format!("/api/v1/namespaces/{namespace}/pods?dryRun=All");
        let (status, answer) = cluster.server.create(&path, own.to_string()).await;
        let refused_by_us = answer.to_string().contains("validate.writ.dev");
        assert!(!refused_by_us, "{namespace}: {status} {answer}");
    }
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}});
    assert_eq!(cluster.server.create("/api/v1/nodes", node.to_string()).await.0, StatusCode::CREATED);

    // A new process of the agent starts although its webhook refuses everything meanwhile, without the hub too.
    cluster.world.kill_hub();
    cluster.start_agent("a", &["--failure-policy=fail"]).await;
    eventually("requests are judged again", async || {
        let (status, _) = cluster.server.create(&format!("{PODS}?dryRun=All"), pod("good", false).to_string()).await;
        (status == StatusCode::CREATED).then_some(())
    })
    .await;
    cluster.until_refused(PODS, &pod("evil", true)).await;

    // A person's last word.
    let suspend = json!({"metadata": {"annotations": {"writ.dev/suspended": "INC-7"}}});
    cluster.server.patch(CONFIGURATION, &suspend).await;
    eventually("nothing is judged", async || {
        let (status, _) = cluster.server.create(&format!("{PODS}?dryRun=All"), pod("evil", true).to_string()).await;
        (status == StatusCode::CREATED).then_some(())
    })
    .await;
    let (well, said) = cluster.check(&["--data", "a", "--webhook-url", "https://127.0.0.1:1/"]).await;
    assert!(!well && said.contains("INC-7"), "{said}");
}

#[tokio::test]
async fn agent_is_installed_upgraded_and_removed_by_kubectl() {
    let Some(mut cluster) = Cluster::start("agent_is_installed_upgraded_and_removed_by_kubectl").await else { return };
    let folder = cluster.world.folder().to_owned();
    let install = ["install", "agent", "--hub", "https://hub.example", "--exclude-namespace=ops"];
    let (well, manifests) = crate::process::run("writ", &folder, &install);
    assert!(well, "{manifests}");
    for _ in ["first", "again"] {
        cluster.server.kubectl_ok(&["apply", "--validate=strict", "-f", "-"], &manifests);
    }
    let (well, said) = cluster.check(&["--pre"]).await;
    assert!(
        !well && said.contains("WRONG  may create clusterroles"),
        "the agent's own account may not install: {said}"
    );
    cluster.start_agent("a", &["--failure-policy=fail"]).await;
    cluster.until_refused(PODS, &pod("evil", true)).await;

    let (well, leftovers) = crate::process::run("writ", &folder, &["uninstall", "agent"]);
    assert!(well, "{leftovers}");
    cluster.server.kubectl_ok(&["delete", "--ignore-not-found", "--wait=false", "-f", "-"], &leftovers);
    // The agent still runs, and may not make its webhook again.
    let (status, answer) = cluster.server.create(PODS, pod("evil", true).to_string()).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    assert_eq!(cluster.server.get(CONFIGURATION).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn rules_follow_the_policies() {
    let Some(mut cluster) = Cluster::start("rules_follow_the_policies").await else { return };
    cluster.start_agent("a", &["--failure-policy=fail"]).await;
    cluster.until_refused(PODS, &pod("evil", true)).await;
    let policy = "# METADATA\n# title: No surprises\n# description: Nobody needs them.\n# custom:\n#   code: WR9002\n#   \
        severity: HIGH\n#   kinds: [ConfigMap]\npackage writ.no_surprises\n\ndeny contains {\"msg\": \"no surprises\"} if \
        input.review.object.metadata.name == \"surprise\"\n";
    cluster.world.push("policies/no_surprises.rego", policy, "Judge another kind");
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "surprise"}});
    let refusal = cluster.until_refused("/api/v1/namespaces/default/configmaps", &map).await;
    assert!(refusal["message"].as_str().unwrap().contains("no surprises"), "{refusal}");
    let says = |cluster: &Value| {
        let told = cluster["load_errors"].to_string();
        !told.contains("may not be judged") && !told.contains("does not serve")
    };
    cluster.until_hub_says("no kind goes unjudged", says).await;
}
