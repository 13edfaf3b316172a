//! A hub in this process. Only the writer of reports runs; of the other loops `sync` does what one round does. Its
//! database is SQLite, or PostgreSQL when `WRIT_TEST_DATABASE` says so.

use super::{TestAgent, TestRepository, policy};
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use clap::Parser;
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use writ_hub::clock::Clock;
use writ_hub::config::Config;
use writ_hub::{Hub, assign, ingest};
use writ_policy::Revision;
use writ_policy::wire::Enrolled;

/// When tests happen.
pub(crate) const NOW: i64 = 1_750_000_000_000;

pub(crate) struct TestHub {
    pub(crate) hub: Hub,
    pub(crate) clock: Clock,
    pub(crate) repository: TestRepository,
    pub(crate) data: TempDir,
    pub(crate) arguments: Vec<String>,
    writer: JoinSet<anyhow::Result<()>>,
}

/// What the hub answered.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl TestHub {
    /// A hub that serves one policy, TEST1.
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// The same, with more arguments.
    pub(crate) async fn with(arguments: &[&str]) -> Self {
        let mut hub = Self::empty(arguments).await;
        hub.repository.write("test1.rego", policy("TEST1", "no"));
        hub.commit("First").await;
        hub
    }

    /// A hub whose source has no commit yet.
    pub(crate) async fn empty(arguments: &[&str]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let repository = TestRepository::new();
        let mut arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let names_one = arguments.iter().any(|argument| argument == "--database");
        if let Some(url) = writ_e2e::postgres::wanted().filter(|_| !names_one) {
            arguments.extend(["--database".to_owned(), url]);
        }
        let clock = Clock::fixed(NOW);
        let (hub, writer) = open(data.path(), repository.path(), &arguments, clock.clone()).await;
        Self { hub, clock, repository, data, arguments, writer }
    }

    /// The same data and repository, in a new process so to say.
    pub(crate) async fn restarted(self) -> Self {
        self.restarted_after(async |_| {}).await
    }

    /// The same, after something was done to its data while it did not run.
    pub(crate) async fn restarted_after(self, meanwhile: impl AsyncFnOnce(&Path)) -> Self {
        let Self { hub, clock, repository, data, arguments, mut writer } = self;
        hub.app.shutdown.cancel();
        writer.join_next().await.unwrap().unwrap().unwrap();
        hub.app.store.close().await;
        drop(hub);
        meanwhile(data.path()).await;
        let (hub, writer) = open(data.path(), repository.path(), &arguments, clock.clone()).await;
        Self { hub, clock, repository, data, arguments, writer }
    }

    /// Another hub on the same database, with the same key and a folder of its own.
    pub(crate) async fn beside(&self, arguments: &[&str]) -> Self {
        let key = self.data.path().join("hub.key");
        let shared = ["--signing-key-file", key.to_str().unwrap()].map(str::to_owned);
        let all =
            [&self.arguments[..], &shared, &arguments.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>()].concat();
        let (data, repository) = (tempfile::tempdir().unwrap(), TestRepository::new());
        let (hub, writer) = open(data.path(), self.repository.path(), &all, self.clock.clone()).await;
        Self { hub, clock: self.clock.clone(), repository, data, arguments: all, writer }
    }

    /// A hub with these arguments and a folder of its own, on the repository of this one.
    pub(crate) async fn on(&self, arguments: &[&str]) -> Self {
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let (data, repository) = (tempfile::tempdir().unwrap(), TestRepository::new());
        let (hub, writer) = open(data.path(), self.repository.path(), &arguments, self.clock.clone()).await;
        Self { hub, clock: self.clock.clone(), repository, data, arguments, writer }
    }

    /// Whether another process could start on its database.
    pub(crate) async fn restarts(&self) -> Result<(), String> {
        let data = tempfile::tempdir().unwrap();
        let (folder, source) = (data.path().to_str().unwrap(), self.repository.path().to_str().unwrap());
        let mut all = vec!["writ-hub", "--data", folder, "--source", source];
        all.extend(self.arguments.iter().map(String::as_str));
        let hub = Hub::open(&Config::parse_from(all), self.clock.clone(), CancellationToken::new()).await;
        hub.map(drop).map_err(|error| format!("{error:#}"))
    }

    /// Commits what was written and lets the hub see it.
    pub(crate) async fn commit(&mut self, message: &str) -> Revision {
        let revision = self.repository.commit(message);
        self.sync().await;
        revision
    }

    /// One look at the source and at the clusters.
    pub(crate) async fn sync(&mut self) {
        self.hub.follower.look().await.unwrap();
        assign::assign(&self.hub.app).await.unwrap();
    }

    /// Enrolls an agent for a cluster.
    pub(crate) async fn enroll(&self, cluster: &str) -> TestAgent {
        let token = self.token(cluster).await;
        let answer = self.post("/v1/enroll", &json!({ "token": token, "version": "1" })).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        assign::assign(&self.hub.app).await.unwrap();
        TestAgent::new(self, serde_json::from_slice::<Enrolled>(&answer.body).unwrap())
    }

    /// A one-time token for a cluster.
    pub(crate) async fn token(&self, cluster: &str) -> String {
        let answer = self.post("/api/v1/enrollment-tokens", &json!({ "cluster": cluster })).await;
        answer.json()["token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub(crate) async fn send(&self, mut request: Request<Body>) -> Answer {
        let headers = request.headers_mut();
        headers.entry(header::HOST).or_insert_with(|| "localhost".parse().unwrap());
        let response = self.hub.routes().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// All that the database holds.
    pub(crate) fn stored(&self) -> Vec<u8> {
        if let Some(place) = self.arguments.iter().position(|argument| argument == "--database") {
            return writ_e2e::postgres::dump(&self.arguments[place + 1]).unwrap().into_bytes();
        }
        let files = ["hub.db", "hub.db-wal"].map(|file| self.data.path().join(file));
        files.iter().flat_map(|file| std::fs::read(file).unwrap_or_default()).collect()
    }

    /// `/api/v1/revisions/{revision}`.
    pub(crate) async fn revision(&self, revision: &Revision) -> Value {
        self.get(&format!("/api/v1/revisions/{revision}")).await.json()
    }

    /// The commit that is served.
    pub(crate) async fn served(&self) -> Value {
        self.get("/api/v1/status").await.json()["served"].clone()
    }
}

async fn open(data: &Path, source: &Path, arguments: &[String], clock: Clock) -> (Hub, JoinSet<anyhow::Result<()>>) {
    let (data, source) = (data.to_str().unwrap(), source.to_str().unwrap());
    let fixed = ["writ-hub", "--data", data, "--source", source, "--check-in-process"].map(str::to_owned);
    let mut all = [&fixed[..], arguments].concat();
    if !arguments.iter().any(|argument| argument == "--hold") {
        all.extend(["--hold".to_owned(), "20ms".to_owned()]);
    }
    let mut hub = Hub::open(&Config::parse_from(all), clock, CancellationToken::new()).await.unwrap();
    let reports = std::mem::replace(&mut hub.reports, tokio::sync::mpsc::channel(1).1);
    let mut writer = JoinSet::new();
    writer.spawn(ingest::writer::run(hub.app.clone(), reports, hub.app.shutdown.clone()));
    (hub, writer)
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The text of an error.
    pub(crate) fn error(&self) -> String {
        self.json()["error"].as_str().unwrap().to_owned()
    }
}
