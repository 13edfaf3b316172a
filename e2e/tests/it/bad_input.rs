//! What goes wrong in a cluster, against a real API server: it costs what it must and no verdict.

use crate::cluster::{CONFIGURATION, Cluster, NAMESPACE, pod};
use crate::wait::eventually;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::process::Command;

const PODS: &str = "/api/v1/namespaces/default/pods";

async fn dry_run(cluster: &Cluster, path: &str, object: &Value) -> (StatusCode, Value) {
    cluster.server.create(&format!("{path}?dryRun=All"), object.to_string()).await
}

fn in_namespace(namespace: &str, mut object: Value) -> (String, Value) {
    object["metadata"]["namespace"] = namespace.into();
    (format!("/api/v1/namespaces/{namespace}/pods"), object)
}

#[tokio::test]
async fn certificate_that_is_deleted_is_made_again_of_what_is_shown() {
    let Some(mut cluster) = Cluster::start("certificate_that_is_deleted_is_made_again").await else { return };
    cluster.start_agent("a", &["--failure-policy=fail"]).await;
    cluster.until_refused(PODS, &pod("evil", true)).await;
    let path = format!("/api/v1/namespaces/{NAMESPACE}/secrets/writ-agent-tls");
    let before = cluster.server.get(&path).await.1["data"]["tls.crt"].clone();
    assert_eq!(cluster.server.delete(&path).await.0, StatusCode::OK);
    // Nobody notices: what is shown stays trusted.
    assert_eq!(dry_run(&cluster, PODS, &pod("good", false)).await.0, StatusCode::CREATED);
    let after = eventually("the Secret is there again", async || {
        let (status, found) = cluster.server.get(&path).await;
        (status == StatusCode::OK).then(|| found["data"]["tls.crt"].clone())
    })
    .await;
    assert_eq!(after, before, "the same certificate");
    assert_eq!(dry_run(&cluster, PODS, &pod("evil", true)).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn policy_that_denies_everything_locks_nobody_out() {
    let Some(mut cluster) = Cluster::start("policy_that_denies_everything_locks_nobody_out").await else { return };
    cluster.start_agent("a", &["--failure-policy=fail", "--judge-deletions"]).await;
    let policy = "# METADATA\n# title: Nothing\n# custom: {code: XX9999, severity: HIGH, kinds: [\"*\"]}\n\
                  package writ.nothing\n\ndeny contains \"nothing at all\" if input.review\n";
    cluster.world.push("policies/nothing.rego", policy, "Deny everything");
    let map = |namespace: &str| {
        let path = format!("/api/v1/namespaces/{namespace}/configmaps");
        (path, json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "namespace": namespace}}))
    };
    let (maps, one) = map("default");
    cluster.until_refused(&maps, &one).await;

    // What the cluster lives by, and what an operator needs to get out of it.
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}});
    let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "one"}});
    let slice = json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": {"name": "one"},
        "addressType": "IPv4", "endpoints": []});
    let (system, own) = (in_namespace("kube-system", pod("dns", true)), in_namespace(NAMESPACE, pod("agent", false)));
    for (path, object) in [
        ("/api/v1/nodes".to_owned(), node),
        ("/apis/coordination.k8s.io/v1/namespaces/default/leases".to_owned(), lease),
        ("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices".to_owned(), slice),
        map("kube-system"),
        map(NAMESPACE),
        system,
        own,
    ] {
        let (status, answer) = dry_run(&cluster, &path, &object).await;
        let ours = answer.to_string().contains("nothing at all") || answer.to_string().contains("writ.dev");
        assert!(!ours, "{path}: {status} {answer}");
    }
    let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}});
    let (status, answer) =
        cluster.server.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review.to_string()).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    // The way out: a person suspends the webhook, or deletes it.
    let suspend = json!({"metadata": {"annotations": {"writ.dev/suspended": "INC-9"}}});
    let (status, answer) = cluster.server.patch(CONFIGURATION, &suspend).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    eventually("nothing is refused any more", async || {
        (dry_run(&cluster, &maps, &one).await.0 == StatusCode::CREATED).then_some(())
    })
    .await;
}

#[tokio::test]
async fn connections_and_subresources_are_judged() {
    let Some(mut cluster) = Cluster::start("connections_and_subresources_are_judged").await else { return };
    cluster.start_agent("a", &["--failure-policy=fail"]).await;
    let policy = "# METADATA\n# title: No shells\n# custom: {code: XX9003, severity: HIGH, kinds: [PodExecOptions, \
                  autoscaling/Scale]}\npackage writ.no_shells\n\ndeny contains \"nobody execs\" if {\n    \
                  input.review.operation == \"CONNECT\"\n    input.review.object.command[_] == \"sh\"\n}\n\n\
                  deny contains \"not so many\" if input.review.object.spec.replicas > 3\n";
    cluster.world.push("policies/no_shells.rego", policy, "No shells");
    let (status, answer) = cluster.server.create(PODS, pod("good", false).to_string()).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let refusal = eventually("exec is refused", async || {
        let (status, answer) = cluster.server.create(&format!("{PODS}/good/exec?command=sh&stdout=true"), "").await;
        (status == StatusCode::FORBIDDEN).then_some(answer)
    })
    .await;
    assert!(refusal["message"].as_str().unwrap().contains("nobody execs (XX9003)"), "{refusal}");

    let sets = "/apis/apps/v1/namespaces/default/replicasets";
    let set = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web"},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": {
            "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "a", "image": "a"}]}}}});
    let (status, answer) = cluster.server.create(sets, set.to_string()).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let (status, answer) = cluster.server.patch(&format!("{sets}/web/scale"), &json!({"spec": {"replicas": 9}})).await;
    assert!(status == StatusCode::FORBIDDEN && answer.to_string().contains("not so many"), "{status} {answer}");
    let (status, answer) = cluster.server.patch(&format!("{sets}/web/scale"), &json!({"spec": {"replicas": 2}})).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
}

#[tokio::test]
async fn api_server_that_was_away_finds_everything_as_it_should_be() {
    let Some(mut cluster) = Cluster::start("api_server_that_was_away").await else { return };
    if cluster.server.is_existing() {
        return writ_e2e::skipped("api_server_that_was_away", "an API server that is not ours is not stopped");
    }
    cluster.start_agent("a", &["--failure-policy=fail"]).await;
    cluster.until_refused(PODS, &pod("evil", true)).await;
    let configuration = cluster.server.get(CONFIGURATION).await.1["webhooks"].clone();

    cluster.server.stop();
    let agent = &cluster.agents[0];
    eventually("the agent notices", async || agent.process.log().contains("cannot be looked at").then_some(())).await;
    let ready = reqwest::get(format!("{}/readyz", agent.metrics)).await.unwrap();
    assert_eq!(ready.status(), StatusCode::OK, "it still judges whatever reaches it");
    cluster.server.resume().await;

    cluster.until_refused(PODS, &pod("evil", true)).await;
    assert_eq!(cluster.server.delete(CONFIGURATION).await.0, StatusCode::OK);
    eventually("what people do is mended as before", async || {
        (cluster.server.get(CONFIGURATION).await.1["webhooks"] == configuration).then_some(())
    })
    .await;
}

#[tokio::test]
async fn full_disk_costs_no_verdict() {
    let may = Command::new("unshare").args(["--user", "--map-root-user", "--mount", "true"]).status();
    if !may.is_ok_and(|ended| ended.success()) {
        return writ_e2e::skipped("full_disk_costs_no_verdict", "no user namespaces, so no small disk of its own");
    }
    let Some(mut cluster) = Cluster::start("full_disk_costs_no_verdict").await else { return };
    cluster.start_agent("a", &["--failure-policy=fail", "small-disk=2m"]).await;
    cluster.until_refused(PODS, &pod("evil", true)).await;
    // Reports that nobody takes fill what is left.
    cluster.world.kill_hub();
    eventually(&format!("the disk is full:\n{}", cluster.agents[0].process.log()), async || {
        for number in 0..50 {
            let (status, answer) = cluster.server.create(PODS, pod(&format!("evil-{number}"), true).to_string()).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{answer}");
        }
        cluster.agents[0].process.log().contains("No space left on device").then_some(())
    })
    .await;
    let (status, answer) = dry_run(&cluster, PODS, &pod("good", false)).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    assert_eq!(dry_run(&cluster, PODS, &pod("evil", true)).await.0, StatusCode::FORBIDDEN);
    let ready = reqwest::get(format!("{}/readyz", cluster.agents[0].metrics)).await.unwrap();
    assert_eq!(ready.status(), StatusCode::OK);
}
