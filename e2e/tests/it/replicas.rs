//! Several agents of one cluster behind one address, against a real API server: they share what they must, do not fight,
//! and a restart or a new certificate costs nobody a request.

use crate::balancer::{Backend, Balancer};
use crate::cluster::{CONFIGURATION, Cluster, NAMESPACE, free_port, host, pod};
use crate::wait::eventually;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

const PODS: &str = "/api/v1/namespaces/default/pods";

/// Two agents behind one address that enforce.
async fn pair(test: &str) -> Option<(Cluster, Balancer, Vec<u16>)> {
    let mut cluster = Cluster::start(test).await?;
    let balancer = Balancer::start().await;
    let ports = vec![free_port(), free_port()];
    for (name, port) in ["a", "b"].into_iter().zip(&ports) {
        launch(&mut cluster, &balancer, name, *port).await;
    }
    cluster.until_refused(PODS, &pod("evil", true)).await;
    Some((cluster, balancer, ports))
}

async fn launch(cluster: &mut Cluster, balancer: &Balancer, name: &str, port: u16) {
    let url = format!("--webhook-url=https://{}/validate", balancer.address);
    let agent = cluster.launch(name, port, &["--failure-policy=fail", "--shutdown-delay=2s", &url]).await;
    agent.until_ready().await;
    let address = format!("{}:{port}", host()).parse().unwrap();
    let backend = Backend { address, metrics: agent.metrics.clone() };
    let mut backends = balancer.backends.lock().unwrap();
    backends.retain(|known| known.address != address);
    backends.push(backend);
    cluster.agents.push(agent);
}

/// Asks again and again while something happens; every request must be answered, and answered right.
async fn under_requests(cluster: &Cluster, what: impl Future<Output = ()>) -> usize {
    let (ended, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    let ask = async || {
        while !ended.load(Relaxed) {
            let path = format!("{PODS}?dryRun=All");
            let (status, answer) = cluster.server.create(&path, pod("good", false).to_string()).await;
            assert_eq!(status, StatusCode::CREATED, "{answer}");
            let (status, answer) = cluster.server.create(&path, pod("evil", true).to_string()).await;
            let message = answer["message"].as_str().unwrap_or_default();
            assert!(status == StatusCode::FORBIDDEN && message.contains("privileged"), "{answer}");
            asked.fetch_add(2, Relaxed);
        }
    };
    let work = async {
        what.await;
        ended.store(true, Relaxed);
    };
    tokio::join!(work, ask(), ask());
    asked.into_inner()
}

#[tokio::test]
async fn replicas_share_one_identity_and_one_writer() {
    let Some((cluster, _balancer, _)) = pair("replicas_share_one_identity_and_one_writer").await else { return };
    let found = cluster.until_hub_says("both replicas enforce", |cluster| cluster["replicas"] == 2).await;
    assert_eq!(found["state"], "enforcing");
    assert!(found["certificate_expires_at"].as_i64().unwrap() > 0);
    let secrets = format!("/api/v1/namespaces/{NAMESPACE}/secrets/writ-agent-identity");
    assert_eq!(cluster.server.get(&secrets).await.0, StatusCode::OK);
    let generation = async || cluster.server.get(CONFIGURATION).await.1["metadata"]["generation"].as_i64().unwrap();
    let before = generation().await;
    cluster.until_hub_says("it stays so", |cluster| cluster["state"] == "enforcing").await;
    assert_eq!(generation().await, before, "nobody writes what is right");
    let (well, said) = cluster.check(&["--data", "a", "--webhook-url", "https://127.0.0.1:1/validate"]).await;
    assert!(well, "{said}");
}

#[tokio::test]
async fn new_authority_costs_nobody_a_request() {
    let Some((cluster, _balancer, _)) = pair("new_authority_costs_nobody_a_request").await else { return };
    let path = format!("/api/v1/namespaces/{NAMESPACE}/secrets/writ-agent-tls");
    let before = cluster.server.get(&path).await.1["data"].clone();
    let shown = async || {
        let mut all = vec![];
        for agent in &cluster.agents {
            let metrics = reqwest::get(format!("{}/metrics", agent.metrics)).await.ok()?.text().await.ok()?;
            let line = metrics.lines().find(|line| line.starts_with("writ_agent_certificate_expiry"))?.to_owned();
            all.push(line);
        }
        Some(all)
    };
    let old = shown().await.unwrap();
    let rotate = async {
        // Without its key the authority cannot sign the next certificate: it is followed by a new one.
        cluster.server.patch(&path, &json!({"data": {"ca.key": null}})).await;
        eventually("both show a certificate of the new authority", async || {
            shown().await.filter(|new| new.iter().zip(&old).all(|(new, old)| new != old)).map(drop)
        })
        .await;
    };
    let asked = under_requests(&cluster, rotate).await;
    assert!(asked > 10, "{asked}");
    let after = cluster.server.get(&path).await.1["data"].clone();
    assert_ne!(after["tls.crt"], before["tls.crt"]);
    let (_, found): (_, Value) = cluster.server.get(CONFIGURATION).await;
    assert_eq!(found["webhooks"][0]["clientConfig"]["caBundle"], after["ca.crt"], "the former one is still trusted");
}

#[tokio::test]
async fn restart_in_turn_costs_nobody_a_request() {
    let Some((mut cluster, balancer, ports)) = pair("restart_in_turn_costs_nobody_a_request").await else { return };
    let mut old = std::mem::take(&mut cluster.agents);
    for (name, port) in ["a", "b"].into_iter().zip(ports) {
        let mut agent = old.remove(0);
        let stop = async {
            let stopped = tokio::task::spawn_blocking(move || agent.process.stop()).await.unwrap();
            assert!(stopped, "it ends by itself, and well");
        };
        assert!(under_requests(&cluster, stop).await > 2);
        launch(&mut cluster, &balancer, name, port).await;
    }
    cluster.until_hub_says("both replicas enforce", |cluster| cluster["replicas"] == 2).await;
}
