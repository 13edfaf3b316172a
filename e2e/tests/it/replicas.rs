//! Several agents of one cluster behind one address, against a real API server: they share what they must, do not fight,
//! and a restart costs nobody a request.

use crate::balancer::{Backend, Balancer};
use crate::cluster::{CONFIGURATION, Cluster, NAMESPACE, free_port, pod};
use reqwest::StatusCode;
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
    let address = format!("127.0.0.1:{port}").parse().unwrap();
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
