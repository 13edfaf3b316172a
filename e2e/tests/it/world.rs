//! A small company: a policies repository behind https with a private authority and a password, a hub that follows it,
//! and clusters with agents. Speaks to all of them only as an outsider can.

use crate::process::Process;
use crate::wait::eventually;
use reqwest::{Certificate, Client, StatusCode};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use writ_e2e::git::{commit, git};
use writ_e2e::git_server::GitServer;

const PASSWORD: &str = "correct-horse-battery";

pub(crate) struct World {
    folder: TempDir,
    remote: GitServer,
    pub(crate) hub: Hub,
    pub(crate) agents: Vec<Agent>,
}

pub(crate) struct Hub {
    process: Process,
    /// `http://127.0.0.1:port`.
    pub(crate) url: String,
}

pub(crate) struct Agent {
    pub(crate) cluster: String,
    process: Process,
    /// `https://127.0.0.1:port`.
    pub(crate) webhook: String,
    /// The authority of its certificate, in PEM.
    pub(crate) ca: Vec<u8>,
    pub(crate) metrics: String,
    client: Client,
}

impl World {
    /// The template's policies, a hub, and these clusters; all of them enforce the first commit.
    pub(crate) async fn start(clusters: &[(&str, Value)]) -> Self {
        let mut world = Self::start_with(&[]).await;
        let first = git(&world.work(), &["rev-parse", "HEAD"]).unwrap();
        for (cluster, labels) in clusters {
            world.enroll(cluster, labels).await;
        }
        world.until_enforced(&first).await;
        world
    }

    /// The same without clusters yet, and with more flags for the hub.
    pub(crate) async fn start_with(more: &[&str]) -> Self {
        install_tls();
        let folder = tempfile::tempdir().unwrap();
        lay_down_policies(folder.path());
        let remote = GitServer::start(folder.path(), "ada", PASSWORD, axum::Router::new()).unwrap();
        std::fs::write(folder.path().join("password"), PASSWORD).unwrap();
        std::fs::write(folder.path().join("source-ca.pem"), remote.ca()).unwrap();
        let hub = Hub::start_with(folder.path(), "hub", &remote.url("policies.git"), "127.0.0.1:0", more).await;
        Self { folder, remote, hub, agents: Vec::new() }
    }

    /// Another hub on the same source.
    pub(crate) async fn start_hub(&self, name: &str, listen: &str, more: &[&str]) -> Hub {
        Hub::start_with(self.folder.path(), name, &self.remote.url("policies.git"), listen, more).await
    }

    async fn enroll(&mut self, cluster: &str, labels: &Value) {
        self.enroll_at(&self.hub.url.clone(), cluster, labels).await;
    }

    /// An agent that reaches its hub at this address.
    pub(crate) async fn enroll_at(&mut self, hub: &str, cluster: &str, labels: &Value) {
        self.enroll_with(&["--hub", hub], cluster, labels).await;
    }

    /// An agent with flags that say how it reaches its hub.
    pub(crate) async fn enroll_with(&mut self, hub: &[&str], cluster: &str, labels: &Value) {
        let token = self.token(cluster, labels).await;
        self.enroll_by(&token, hub, cluster).await;
    }

    /// An agent with a token that there is; in the folder of one that was enrolled, it is that one again.
    pub(crate) async fn enroll_by(&mut self, token: &str, hub: &[&str], cluster: &str) {
        let agent = Agent::start(self.folder.path(), hub, cluster, token).await;
        self.agents.push(agent);
    }

    /// A token by which an agent enrolls as this cluster.
    pub(crate) async fn token(&self, cluster: &str, labels: &Value) -> String {
        let wanted = json!({"cluster": cluster, "labels": labels, "ttl_seconds": 600});
        let answer = self.hub.post("/api/v1/enrollment-tokens", &wanted).await;
        answer["token"].as_str().expect("the hub makes a token").to_owned()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// An author's commit, pushed; returns its id.
    pub(crate) fn push(&self, file: &str, text: &str, message: &str) -> String {
        let head = commit(&self.work(), file, text, message).unwrap();
        git(&self.work(), &["push", "--quiet", "origin", "HEAD:main"]).unwrap();
        head
    }

    /// `git revert` of a commit, pushed; returns the new commit's id.
    pub(crate) fn revert(&self, revision: &str) -> String {
        git(&self.work(), &["revert", "--no-edit", revision]).unwrap();
        git(&self.work(), &["push", "--quiet", "origin", "HEAD:main"]).unwrap();
        git(&self.work(), &["rev-parse", "HEAD"]).unwrap()
    }

    /// Waits until the hub has proof that every cluster enforces the revision.
    pub(crate) async fn until_enforced(&self, revision: &str) {
        eventually(&format!("all clusters enforce {revision}"), async || {
            let status = self.hub.get("/api/v1/status").await;
            let clusters = status["clusters"].as_array()?;
            let all = clusters.iter().all(|c| c["state"] == "enforcing" && c["active"]["revision"] == revision);
            (all && clusters.len() == self.agents.len()).then_some(())
        })
        .await;
    }

    /// Waits until the hub has judged the revision; returns what it says.
    pub(crate) async fn until_judged(&self, revision: &str) -> Value {
        let path = format!("/api/v1/revisions/{revision}");
        eventually(&format!("the hub knows {revision}"), async || {
            let (status, answer) = self.hub.ask(&path).await;
            (status == StatusCode::OK).then_some(answer)
        })
        .await
    }

    pub(crate) fn kill_hub(&mut self) {
        self.hub.process.kill();
    }

    /// Ends the hub as an orchestrator does; whether it ended well.
    pub(crate) fn stop_hub(&mut self) -> bool {
        self.hub.process.stop()
    }

    /// Starts the hub again where it was.
    pub(crate) async fn restart_hub(&mut self) {
        self.restart_hub_with(&[]).await;
    }

    /// The same with more flags.
    pub(crate) async fn restart_hub_with(&mut self, more: &[&str]) {
        let address = self.hub.url.trim_start_matches("http://").to_owned();
        self.hub = self.start_hub("hub", &address, more).await;
    }
}

/// What reqwest wants before its first client; harmless when repeated.
pub(crate) fn install_tls() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// The template as a repository with a history: `policies.git`, and `work`, the author's clone of it.
fn lay_down_policies(folder: &Path) {
    let (bare, work) = (folder.join("policies.git"), folder.join("work"));
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("policies-repo-template");
    git(folder, &["init", "--quiet", "--bare", "--initial-branch=main", bare.to_str().unwrap()]).unwrap();
    copy(&template, &work);
    git(&work, &["init", "--quiet", "--initial-branch=main"]).unwrap();
    git(&work, &["remote", "add", "origin", bare.to_str().unwrap()]).unwrap();
    git(&work, &["add", "--all"]).unwrap();
    git(&work, &["commit", "--quiet", "--message", "Start from the template"]).unwrap();
    git(&work, &["push", "--quiet", "origin", "HEAD:main"]).unwrap();
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

impl Hub {
    /// A hub of this name, with more flags.
    pub(crate) async fn start_with(folder: &Path, name: &str, source: &str, listen: &str, more: &[&str]) -> Self {
        let announced = folder.join(format!("{name}.address"));
        let _ = std::fs::remove_file(&announced);
        let announced_text = announced.to_str().unwrap();
        let mut arguments =
            vec!["--data", name, "--source", source, "--listen", listen, "--listen-file", announced_text];
        arguments.extend(["--poll", "200ms", "--source-username", "ada", "--source-password-file", "password"]);
        arguments.extend(["--source-ca", "source-ca.pem"]);
        arguments.extend(more);
        let mut process = Process::start("writ-hub", folder, name, &arguments);
        let url = process.announced(&announced).await.trim().replace("0.0.0.0", "127.0.0.1");
        Self { process, url }
    }

    pub(crate) fn log(&self) -> String {
        self.process.log()
    }

    /// The JSON of a path that must be there.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.ask(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {answer}");
        answer
    }

    pub(crate) async fn ask(&self, path: &str) -> (StatusCode, Value) {
        let response = Client::new().get(format!("{}{path}", self.url)).send().await.unwrap();
        (response.status(), response.json().await.unwrap_or_default())
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Value {
        let response = Client::new().post(format!("{}{path}", self.url)).json(body).send().await.unwrap();
        response.json().await.unwrap()
    }
}

impl Agent {
    /// An agent with flags that say whose word it takes.
    pub(crate) async fn start(folder: &Path, hub: &[&str], cluster: &str, token: &str) -> Self {
        let (token_file, announced) = (folder.join(format!("{cluster}.token")), folder.join(format!("{cluster}.json")));
        std::fs::write(&token_file, token).unwrap();
        let _ = std::fs::remove_file(&announced);
        let (token_file, announced_text) = (token_file.to_str().unwrap(), announced.to_str().unwrap());
        let mut arguments = vec!["--data", cluster, "--token-file", token_file, "--standalone"];
        arguments.extend(hub);
        arguments.extend(["--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"]);
        arguments.extend(["--listen-file", announced_text, "--report-every", "100ms"]);
        let mut process = Process::start("writ-agent", folder, cluster, &arguments);
        let addresses: Value = serde_json::from_str(&process.announced(&announced).await).unwrap();
        let ca = std::fs::read(addresses["ca"].as_str().unwrap()).unwrap();
        let client = Client::builder().tls_certs_only([Certificate::from_pem(&ca).unwrap()]).build().unwrap();
        let text = |name: &str| addresses[name].as_str().unwrap().to_owned();
        Self { cluster: cluster.to_owned(), process, webhook: text("webhook"), ca, metrics: text("metrics"), client }
    }

    pub(crate) fn log(&self) -> String {
        self.process.log()
    }

    /// Asks as an API server does, over TLS; returns the `response` of the answer.
    pub(crate) async fn review(&self, object: &Value) -> Value {
        let review = review_of(object);
        let answer =
            self.client.post(format!("{}/validate?timeout=5s", self.webhook)).json(&review).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let mut answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["response"]["uid"], review["request"]["uid"]);
        answer["response"].take()
    }
}

/// The AdmissionReview by which an object of the core group is created.
pub(crate) fn review_of(object: &Value) -> Value {
    let kind = object["kind"].as_str().unwrap();
    let plural = format!("{}s", kind.to_lowercase());
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "0d8ad04c-3a5d-4f8f-9a4e-6f3a6f0c9b11",
            "kind": {"group": "", "version": "v1", "kind": kind},
            "resource": {"group": "", "version": "v1", "resource": plural},
            "name": object["metadata"]["name"],
            "namespace": object["metadata"]["namespace"],
            "operation": "CREATE",
            "userInfo": {"username": "dora", "groups": ["system:authenticated"]},
            "object": object,
            "oldObject": null,
            "dryRun": false,
            "options": null
        }
    })
}
