//! Commit to enforced over https: a git host over TLS, a push, the host's signed webhook, a hub of its own process, and 20
//! whole agents in this one, each of which tests and compiles what it enforces.
//!
//! `cargo build --release -p writ --bin writ --example webhook && target/release/examples/webhook [commits] [agents]`
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a measure that fails should say where")]

use aws_lc_rs::hmac;
use clap::Parser;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use writ_e2e::git::{commit, git};
use writ_e2e::git_server::GitServer;

const SECRET: &str = "the secret of the git host";
const PASSWORD: &str = "the password of the hub";

/// What each commit changes.
const POLICY: &str = "policies/mt1001_liveness_probe.rego";

/// Ends with this process.
struct Hub {
    child: Child,
    url: String,
}

impl Drop for Hub {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct World {
    folder: PathBuf,
    hub: Hub,
    client: reqwest::Client,
    _host: GitServer,
}

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|word| word.parse().ok());
    let (commits, agents) = (numbers.next().unwrap_or(30), numbers.next().unwrap_or(20));
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure(folder.path(), commits, agents));
    runtime.shutdown_timeout(Duration::from_secs(1));
}

async fn measure(folder: &Path, commits: usize, agents: usize) {
    let world = World::start(folder).await;
    let shutdown = CancellationToken::new();
    let mut running = JoinSet::new();
    for number in 0..agents {
        let config = world.agent(number).await;
        running.spawn(writ_agent::agent::run_with(config, shutdown.clone(), program()));
    }
    world.enforced(&git(&folder.join("work"), &["rev-parse", "HEAD"]).unwrap(), agents).await;
    let policy = std::fs::read_to_string(folder.join("work").join(POLICY)).unwrap();
    let mut took = vec![];
    for number in 0..commits {
        // What the host does once it has the push is not counted; what it takes to hear of it is.
        let changed = format!("{policy}\n# Change {number}.\n");
        let head = commit(&folder.join("work"), POLICY, &changed, "Change a policy").unwrap();
        let started = now();
        git(&folder.join("work"), &["push", "--quiet", "origin", "HEAD:main"]).unwrap();
        world.webhook().await;
        took.extend(world.enforced(&head, agents).await.into_iter().map(|at| at - started));
    }
    took.sort_unstable();
    let at = |share: f64| took[((took.len() as f64 * share) as usize).min(took.len() - 1)];
    println!(
        "commit to enforced, {commits} commits, {agents} agents: p50 {} ms, p90 {} ms, p99 {} ms, slowest {} ms",
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0)
    );
    shutdown.cancel();
    while running.join_next().await.is_some() {}
}

impl World {
    async fn start(folder: &Path) -> Self {
        let text = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        let host = GitServer::start(folder, "git", PASSWORD, axum::Router::new()).unwrap();
        for (file, content) in [("ca.pem", host.ca()), ("password", PASSWORD), ("secret", SECRET)] {
            std::fs::write(folder.join(file), content).unwrap();
        }
        std::fs::write(folder.join(".gitconfig"), "[user]\n\tname = Ada\n\temail = ada@example.com\n").unwrap();
        let made = Command::new(program()).args(["init", &text("work")]).env("HOME", folder).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        git(folder, &["init", "--quiet", "--bare", "--initial-branch=main", &text("p.git")]).unwrap();
        git(&folder.join("work"), &["remote", "add", "origin", &text("p.git")]).unwrap();
        git(&folder.join("work"), &["push", "--quiet", "origin", "HEAD:main"]).unwrap();
        let listen = folder.join("hub.url");
        let child = Command::new(program())
            .args(["hub", "--data", &text("hub"), "--source", &host.url("p.git"), "--source-ca", &text("ca.pem")])
            .args(["--source-password-file", &text("password"), "--webhook-secret-file", &text("secret")])
            .args(["--poll", "1h", "--listen", "127.0.0.1:0", "--listen-file", listen.to_str().unwrap()])
            .stdin(Stdio::piped())
            .stderr(std::fs::File::create(folder.join("hub.log")).unwrap())
            .spawn()
            .unwrap();
        let url = until("the hub listens", async || std::fs::read_to_string(&listen).ok()).await;
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { folder: folder.to_owned(), hub: Hub { child, url }, client, _host: host }
    }

    /// An agent with a token, which is not running yet.
    async fn agent(&self, number: usize) -> writ_agent::Config {
        let url = format!("{}/api/v1/enrollment-tokens", self.hub.url);
        let made = self.client.post(url).json(&json!({"cluster": format!("c{number}")})).send().await.unwrap();
        let made: Value = made.json().await.unwrap();
        let data = self.folder.join(format!("agent-{number}"));
        std::fs::create_dir(&data).unwrap();
        let token = data.join("token");
        std::fs::write(&token, made["token"].as_str().unwrap()).unwrap();
        let (data, token) = (data.to_str().unwrap(), token.to_str().unwrap());
        writ_agent::Config::parse_from([
            "writ-agent",
            "--standalone",
            "--data",
            data,
            "--hub",
            &self.hub.url,
            "--token-file",
            token,
            "--listen",
            "127.0.0.1:0",
            "--metrics-listen",
            "127.0.0.1:0",
            "--workers",
            "1",
        ])
    }

    async fn webhook(&self) {
        let body = r#"{"ref":"refs/heads/main"}"#;
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), body.as_bytes());
        let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let request = self.client.post(format!("{}/hooks/push", self.hub.url)).body(body);
        let answer = request.header("x-hub-signature-256", format!("sha256={hex}")).send().await.unwrap();
        assert_eq!(answer.status(), 202);
    }

    /// When each agent decided by this commit, by its own word to the hub.
    async fn enforced(&self, head: &str, agents: usize) -> Vec<i64> {
        let what = format!("{head} is enforced");
        let found = until(&what, async || {
            let status = self.client.get(format!("{}/api/v1/status", self.hub.url)).send().await.unwrap();
            let status: Value = status.json().await.unwrap();
            let active = status["clusters"].as_array().unwrap().iter().map(|cluster| &cluster["active"]);
            let at =
                active.filter(|active| active["revision"] == head).filter_map(|active| active["active_at"].as_i64());
            Some(at.collect::<Vec<_>>()).filter(|at| at.len() == agents)
        });
        found.await
    }
}

async fn until<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(started.elapsed() < Duration::from_secs(120), "{what}: not in two minutes");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

/// `writ` beside this example.
fn program() -> PathBuf {
    std::env::current_exe().unwrap().parent().and_then(Path::parent).unwrap().join("writ")
}
