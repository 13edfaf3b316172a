//! An agent in this process, with a data folder of its own and a client that trusts its certificate.

use crate::bundles::pod_review;
use crate::fake_hub::FakeHub;
use clap::Parser;
use reqwest::{Certificate, Client, Response};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use writ_agent::Config;
use writ_policy::wire::Desired;

pub struct TestAgent {
    pub data: TempDir,
    pub webhook: String,
    pub metrics: String,
    pub client: Client,
    shutdown: CancellationToken,
    running: JoinSet<anyhow::Result<()>>,
}

impl TestAgent {
    /// Enrolled with the hub's token, nothing else set.
    pub async fn start(hub: &FakeHub) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), hub, &[]).await
    }

    /// In a folder that an earlier agent may have used.
    pub async fn start_in(data: TempDir, hub: &FakeHub, arguments: &[&str]) -> Self {
        Self::start_with_token(data, hub, &hub.token(), arguments).await
    }

    /// The same with a token that may be another hub's.
    pub async fn start_with_token(data: TempDir, hub: &FakeHub, token: &str, arguments: &[&str]) -> Self {
        std::fs::write(data.path().join("token"), token).unwrap();
        let config = config(data.path(), Some(hub.url()), arguments);
        Self::start_with(data, config).await
    }

    /// Without a hub.
    pub async fn start_alone(data: TempDir, arguments: &[&str]) -> Self {
        let config = config(data.path(), None, arguments);
        Self::start_with(data, config).await
    }

    async fn start_with(data: TempDir, config: Config) -> Self {
        writ_agent::tls::install_provider();
        let listen_file = config.listen_file.clone().unwrap();
        let _absent = std::fs::remove_file(&listen_file);
        let shutdown = CancellationToken::new();
        let mut running = JoinSet::new();
        let child = PathBuf::from(env!("CARGO_BIN_EXE_writ-agent"));
        running.spawn(writ_agent::agent::run_with(config, shutdown.clone(), child));
        let listening = until("the agent listens", || std::fs::read_to_string(&listen_file).ok());
        let addresses = tokio::select! {
            addresses = listening => addresses,
            Some(ended) = running.join_next() => panic!("the agent ended: {ended:?}"),
        };
        let addresses: Value = serde_json::from_str(&addresses).unwrap();
        let authority = std::fs::read(addresses["ca"].as_str().unwrap()).unwrap();
        let authority = Certificate::from_pem(&authority).unwrap();
        let client = Client::builder().tls_certs_only([authority]).build().unwrap();
        let text = |name: &str| addresses[name].as_str().unwrap().to_owned();
        Self { data, webhook: text("webhook"), metrics: text("metrics"), client, shutdown, running }
    }

    /// Stops it as a signal would, and gives the data folder back.
    pub async fn stop(mut self) -> TempDir {
        self.shutdown.cancel();
        while let Some(ended) = self.running.join_next().await {
            ended.unwrap().unwrap();
        }
        self.data
    }

    /// Ends it without a word, as `kill -9` would: no loop gets to finish anything.
    pub async fn kill(mut self) -> TempDir {
        self.running.shutdown().await;
        self.data
    }

    pub async fn post(&self, review: impl Into<reqwest::Body>) -> Response {
        let url = format!("{}/validate?timeout=10s", self.webhook);
        self.client.post(url).header("content-type", "application/json").body(review).send().await.unwrap()
    }

    /// The response of a review.
    pub async fn review(&self, review: &Value) -> Value {
        let response = self.post(review.to_string()).await;
        assert_eq!(response.status(), 200);
        response.json().await.unwrap()
    }

    pub async fn allows(&self, review: &Value) -> bool {
        self.review(review).await["response"]["allowed"].as_bool().unwrap()
    }

    pub async fn get(&self, path: &str) -> (u16, String) {
        let response = self.client.get(format!("{}{path}", self.metrics)).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    /// Waits until the metrics say so.
    pub async fn until_metric(&self, line: &str) {
        for _ in 0..400 {
            if self.get("/metrics").await.1.lines().any(|found| found == line) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        let (ready, metrics) = (self.get("/readyz").await.1, self.get("/metrics").await.1);
        panic!("no metric says {line}:\n{ready}\n{metrics}");
    }
}

/// Arguments of the test stand instead of the usual ones.
fn config(data: &Path, hub: Option<&str>, arguments: &[&str]) -> Config {
    let path = |name: &str| data.join(name).display().to_string();
    let usual = [
        ("--listen", "127.0.0.1:0".to_owned()),
        ("--metrics-listen", "127.0.0.1:0".to_owned()),
        ("--data", data.display().to_string()),
        ("--token-file", path("token")),
        ("--listen-file", path("listen.json")),
        ("--report-every", "50ms".to_owned()),
        ("--workers", "1".to_owned()),
    ];
    let mut all = vec!["writ-agent", "--standalone"];
    all.extend(hub.into_iter().flat_map(|hub| ["--hub", hub]));
    all.extend(arguments);
    for (flag, value) in usual.iter().filter(|(flag, _)| !arguments.contains(flag)) {
        all.extend([*flag, value.as_str()]);
    }
    Config::try_parse_from(all).unwrap()
}

/// Polls a state until it is there.
pub async fn until<T>(what: &str, found: impl Fn() -> Option<T>) -> T {
    for _ in 0..800 {
        if let Some(found) = found() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{what} in time");
}

/// The hub says this, the agent refuses it for the reason, and enforces what it did: Pods with the label `bad` are denied.
pub async fn refused(hub: &FakeHub, agent: &TestAgent, desired: Desired, reason: &str) {
    hub.assign(desired.clone());
    let said = hub.until_refused(&desired).await;
    assert!(said.contains(reason), "{said}");
    assert!(!agent.allows(&pod_review("bad")).await, "the last good bundle is enforced");
}
