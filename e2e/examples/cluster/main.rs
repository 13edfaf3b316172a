//! What the agent costs a cluster, against a real API server: the time that it adds to a request, beside a webhook that
//! allows everything, and the requests that fail while its two replicas restart in turn.
//!
//! `cargo build --release -p writ-hub -p writ-agent && cargo run --release -p writ-e2e --example cluster`, with
//! `KUBEBUILDER_ASSETS`. Requests are sent as `kubectl apply` sends them, and dry run, so that the store stays small.
#![allow(
    clippy::unwrap_used,
    dead_code,
    reason = "a measure that fails should say where, and uses a part of the harness"
)]

mod allow_all;
#[path = "../../tests/it/api_server.rs"]
mod api_server;
#[path = "../../tests/it/balancer.rs"]
mod balancer;
#[path = "../../tests/it/cluster.rs"]
mod cluster;
#[path = "../../tests/it/process.rs"]
mod process;
#[path = "../../tests/it/wait.rs"]
mod wait;
#[path = "../../tests/it/world.rs"]
mod world;

use balancer::{Backend, Balancer};
use cluster::{Cluster, free_port};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Requests by which the overhead is measured, to each of the two webhooks in turn.
const PAIRS: usize = 1_000;
/// Requests in a second while replicas restart.
const PER_SECOND: u32 = 200;

#[tokio::main]
async fn main() {
    let Some(mut cluster) = Cluster::start("measure").await else { return };
    let balancer = Balancer::start().await;
    let ports = [free_port(), free_port()];
    for (name, port) in ["a", "b"].into_iter().zip(ports) {
        launch(&mut cluster, &balancer, name, port).await;
    }
    for namespace in ["plain", "judged"] {
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
        cluster.server.create("/api/v1/namespaces", object.to_string()).await;
    }
    let _allow_all = allow_all::start(&cluster.server, "plain").await;
    cluster.until_refused("/api/v1/namespaces/judged/pods", &in_namespace("judged", cluster::pod("evil", true))).await;
    overhead(&cluster).await;
    restart_in_turn(&mut cluster, &balancer, ports).await;
}

async fn launch(cluster: &mut Cluster, balancer: &Balancer, name: &str, port: u16) {
    let url = format!("--webhook-url=https://{}/validate", balancer.address);
    let flags = ["--failure-policy=fail", "--shutdown-delay=3s", "--exclude-namespace=plain", &url];
    let agent = cluster.launch(name, port, &flags).await;
    agent.until_ready().await;
    let address = format!("127.0.0.1:{port}").parse().unwrap();
    let backend = Backend { address, metrics: agent.metrics.clone() };
    let mut backends = balancer.backends.lock().unwrap();
    backends.retain(|known| known.address != address);
    backends.push(backend);
    cluster.agents.push(agent);
}

/// A Deployment that five policies and more judge, and the pod that it implies.
fn deployment(namespace: &str) -> Value {
    let container = json!({"name": "web", "image": "registry.example/web:1.2", "resources": {
        "requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"cpu": "100m", "memory": "64Mi"}},
        "livenessProbe": {"httpGet": {"path": "/", "port": 80}}, "readinessProbe": {"httpGet": {"path": "/", "port": 80}}});
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": namespace},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}}})
}

fn in_namespace(namespace: &str, mut object: Value) -> Value {
    object["metadata"]["namespace"] = namespace.into();
    object
}

async fn overhead(cluster: &Cluster) {
    let mut took = [vec![], vec![]];
    for round in 0..PAIRS + 50 {
        for (index, namespace) in ["plain", "judged"].into_iter().enumerate() {
            let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments?dryRun=All");
            let start = Instant::now();
            let (status, answer) = cluster.server.create(&path, deployment(namespace).to_string()).await;
            assert!(status == StatusCode::CREATED || status == StatusCode::FORBIDDEN, "{answer}");
            if round >= 50 {
                took[index].push(start.elapsed());
            }
        }
    }
    took.iter_mut().for_each(|all| all.sort());
    let at = |index: usize, part: usize| took[index][took[index].len() * part / 100].as_secs_f64() * 1e3;
    for (index, name) in ["allow-all webhook", "writ"].into_iter().enumerate() {
        println!("{name:20} p50 {:.2} ms, p99 {:.2} ms", at(index, 50), at(index, 99));
    }
    println!("writ over allow-all  p50 {:.2} ms, p99 {:.2} ms", at(1, 50) - at(0, 50), at(1, 99) - at(0, 99));
}

async fn restart_in_turn(cluster: &mut Cluster, balancer: &Balancer, ports: [u16; 2]) {
    let (ended, asked, failed) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    let mut old = std::mem::take(&mut cluster.agents);
    let started = Instant::now();
    for (name, port) in ["a", "b"].into_iter().zip(ports) {
        let mut agent = old.remove(0);
        let stopping = async {
            tokio::time::sleep(Duration::from_secs(3)).await;
            tokio::task::spawn_blocking(move || agent.process.stop()).await.unwrap();
            ended.store(true, Relaxed);
        };
        tokio::join!(stopping, load(cluster, &ended, &asked, &failed));
        ended.store(false, Relaxed);
        let before = Instant::now();
        let returning = async {
            // The others go on while it starts.
            tokio::time::sleep(Duration::from_secs(3)).await;
            ended.store(true, Relaxed);
        };
        tokio::join!(returning, load(cluster, &ended, &asked, &failed));
        ended.store(false, Relaxed);
        launch(cluster, balancer, name, port).await;
        println!("agent {name} was away for {:?} or more", before.elapsed());
    }
    let (asked, failed) = (asked.into_inner(), failed.into_inner());
    println!("restart in turn: {asked} requests in {:?}, {failed} failed", started.elapsed());
    assert_eq!(failed, 0);
}

/// Eight who ask at a steady pace, and do not wait for each other.
async fn load(cluster: &Cluster, ended: &AtomicBool, asked: &AtomicUsize, failed: &AtomicUsize) {
    let body = in_namespace("judged", cluster::pod("good", false)).to_string();
    let one = || ask(cluster, &body, ended, asked, failed);
    tokio::join!(one(), one(), one(), one(), one(), one(), one(), one());
}

async fn ask(cluster: &Cluster, body: &str, ended: &AtomicBool, asked: &AtomicUsize, failed: &AtomicUsize) {
    let mut ticks = tokio::time::interval(Duration::from_secs(8) / PER_SECOND);
    while !ended.load(Relaxed) {
        ticks.tick().await;
        let path = "/api/v1/namespaces/judged/pods?dryRun=All";
        let (status, answer) = cluster.server.create(path, body).await;
        asked.fetch_add(1, Relaxed);
        if status != StatusCode::CREATED {
            failed.fetch_add(1, Relaxed);
            println!("failed: {status} {answer}");
        }
    }
}
