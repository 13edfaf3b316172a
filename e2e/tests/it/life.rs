//! The life of an agent in a cluster, against a real API server: it makes its webhook, denies and warns, and mends what
//! people do to its objects. Where no API server can be had, the agent's own tests hold these conversations with a
//! scripted one (`agent/src/kubernetes`).

use crate::cluster::{CONFIGURATION, Cluster, pod};
use crate::wait::eventually;
use reqwest::StatusCode;
use serde_json::json;

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
