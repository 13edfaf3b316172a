//! What replicas share of their policies, against a real API server: a replica with an empty disk enforces them although
//! the hub is gone, and nothing that nobody signed.

use crate::cluster::{Cluster, NAMESPACE, free_port, pod};
use crate::wait::eventually;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use reqwest::StatusCode;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::io::{Read, Write};

const PODS: &str = "/api/v1/namespaces/default/pods";

fn secret() -> String {
    format!("/api/v1/namespaces/{NAMESPACE}/secrets/writ-agent-policies")
}

#[tokio::test]
async fn new_replica_enforces_without_hub_and_disk() {
    let Some(mut cluster) = Cluster::start("new_replica_enforces_without_hub_and_disk").await else { return };
    cluster.start_agent("a", &["--failure-policy=fail"]).await;
    eventually("the policies are shared", async || {
        (cluster.server.get(&secret()).await.0 == StatusCode::OK).then_some(())
    })
    .await;
    cluster.world.kill_hub();
    for mut agent in cluster.agents.drain(..) {
        agent.process.stop();
    }
    cluster.start_agent("b", &["--failure-policy=fail"]).await;
    let refusal = cluster.until_refused(PODS, &pod("evil", true)).await;
    assert!(refusal["message"].as_str().unwrap().contains("MT2001"), "{refusal}");
    let (status, answer) = cluster.server.create(&format!("{PODS}?dryRun=All"), pod("good", false).to_string()).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
}

#[tokio::test]
async fn policies_that_nobody_signed_are_not_enforced() {
    let Some(mut cluster) = Cluster::start("policies_that_nobody_signed_are_not_enforced").await else { return };
    cluster.start_agent("a", &["--failure-policy=fail"]).await;
    let shared = eventually("the policies are shared", async || {
        let (status, found) = cluster.server.get(&secret()).await;
        (status == StatusCode::OK).then_some(found)
    })
    .await;
    cluster.world.kill_hub();
    for mut agent in cluster.agents.drain(..) {
        agent.process.stop();
    }
    // Everything is as it was but for one word of a policy; the digest of the whole is right again.
    let packed = STANDARD.decode(shared["data"]["policies"].as_str().unwrap()).unwrap();
    let mut text = String::new();
    GzDecoder::new(&*packed).read_to_string(&mut text).unwrap();
    let changed = text.replace("Found privileged Security Context", "Found nothing at all");
    assert_ne!(text, changed);
    let mut packed = GzEncoder::new(vec![], Compression::default());
    packed.write_all(changed.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let digest: String = Sha256::digest(&packed).iter().map(|byte| format!("{byte:02x}")).collect();
    let change = json!({"data": {"policies": STANDARD.encode(&packed)},
        "metadata": {"annotations": {"writ.dev/digest": digest}}});
    assert_eq!(cluster.server.patch(&secret(), &change).await.0, StatusCode::OK);

    let agent = cluster.launch("b", free_port(), &["--failure-policy=fail"]).await;
    eventually("it says why it enforces nothing", async || {
        let refused = agent.process.log().contains("a file that is shared is not one that was signed");
        refused.then_some(())
    })
    .await;
    let ready = reqwest::get(format!("{}/readyz", agent.metrics)).await.unwrap();
    assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE);
}
