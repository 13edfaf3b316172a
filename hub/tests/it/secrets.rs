//! Secrets of the source stay where they are: in their files. A hub follows a git host over https, by a password that is
//! right and then by one that is wrong; neither is found in what it stores, shows, logs or says.

use crate::support::{NOW, policy};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::routing::get;
use clap::Parser;
use std::io::Write;
use std::sync::{Arc, Mutex};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use writ_e2e::git::{commit, git};
use writ_e2e::git_server::GitServer;
use writ_hub::Hub;
use writ_hub::clock::Clock;
use writ_hub::config::Config;

const PASSWORD: &str = "correct-horse-battery";
const WRONG: &str = "incorrect-horse-battery";
const WEBHOOK: &str = "staple-of-all-webhooks";

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn credentials_are_nowhere_to_be_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let silent = Router::new().route("/away.git/info/refs", get(async || axum::http::StatusCode::BAD_GATEWAY));
    let server = GitServer::start(folder.path(), "git", PASSWORD, silent).unwrap();
    git(folder.path(), &["init", "--quiet", "--bare", "--initial-branch=main", &path("p.git")]).unwrap();
    git(folder.path(), &["clone", "--quiet", &path("p.git"), &path("work")]).unwrap();
    let work = folder.path().join("work");
    let first = commit(&work, "test1.rego", &policy("TEST1", "no"), "First").unwrap();
    git(&work, &["push", "--quiet", "origin", "HEAD:main"]).unwrap();
    for (file, text) in [("password", PASSWORD), ("ca.pem", server.ca()), ("webhook", WEBHOOK)] {
        std::fs::write(path(file), text).unwrap();
    }
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone());
    let _guard = tracing::subscriber::set_default(subscriber.finish());

    let (data, url) = (path("data"), server.url("p.git"));
    let (password, ca, webhook) = (path("password"), path("ca.pem"), path("webhook"));
    let config = Config::parse_from([
        "writ-hub",
        "--data",
        &data,
        "--source",
        &url,
        "--check-in-process",
        "--source-password-file",
        &password,
        "--source-ca",
        &ca,
        "--webhook-secret-file",
        &webhook,
    ]);
    let mut hub = Hub::open(&config, Clock::fixed(NOW), CancellationToken::new()).await.unwrap();
    hub.follower.look().await.unwrap();
    assert_eq!(hub.app.store.served().await.unwrap().unwrap().revision.as_str(), first);
    std::fs::write(&password, WRONG).unwrap();
    let error = format!("{:#}", hub.follower.look().await.unwrap_err());
    assert!(error.contains("refuses the user name or password"), "{error}");

    let mut said = error + &format!("{config:?} {:?}", hub.follower);
    for page in ["/", "/revisions", "/api/v1/status", "/api/v1/revisions", "/metrics"] {
        let request = Request::get(page).header("host", "localhost").body(Body::empty()).unwrap();
        let answer = hub.routes().oneshot(request).await.unwrap();
        said += &String::from_utf8_lossy(&to_bytes(answer.into_body(), usize::MAX).await.unwrap());
    }
    let files = ["hub.db", "hub.db-wal", "mirror.git/config", "mirror.git/FETCH_HEAD"];
    let kept = files.iter().flat_map(|file| std::fs::read(folder.path().join("data").join(file)).unwrap_or_default());
    said += &String::from_utf8_lossy(&kept.collect::<Vec<_>>());
    said += &String::from_utf8_lossy(&log.0.lock().unwrap());
    for secret in [PASSWORD, WRONG, WEBHOOK] {
        assert!(!said.contains(secret), "{secret}");
    }
}
