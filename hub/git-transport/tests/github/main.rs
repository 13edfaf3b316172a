//! A GitHub App against a scripted GitHub: what is signed, what is asked, and when a token is replaced. A program of its
//! own, because libgit2's transports are registered once per process.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails its test")]

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use git2::Repository;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::{Arc, Mutex};
use writ_e2e::git::{commit, git};
use writ_e2e::git_server::GitServer;
use writ_git_transport::{GitHubApp, Options, register};

const TOKEN: &str = "ghs_the-token-of-the-installation";

/// What GitHub knows, was asked and answers next.
struct GitHub {
    public_key: Vec<u8>,
    asked: Mutex<Vec<String>>,
    /// How long the next token lives, in seconds.
    lives: Mutex<i64>,
    is_revoked: Mutex<bool>,
}

impl GitHub {
    /// The claims of the statement, if the app's key signed it.
    fn claims(&self, headers: &HeaderMap) -> Option<Value> {
        let statement = headers.get("authorization")?.to_str().ok()?.strip_prefix("Bearer ")?;
        let (message, signature) = statement.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.public_key);
        key.verify(message.as_bytes(), &signature).ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(message.split_once('.')?.1).ok()?).ok()
    }
}

async fn installation(State(github): State<Arc<GitHub>>, headers: HeaderMap) -> Response {
    github.asked.lock().unwrap().push("installation".into());
    match github.claims(&headers) {
        Some(_) => Json(json!({"id": 7})).into_response(),
        None => (StatusCode::UNAUTHORIZED, Json(json!({"message": "A JSON web token could not be decoded"})))
            .into_response(),
    }
}

async fn token(State(github): State<Arc<GitHub>>, headers: HeaderMap) -> Response {
    github.asked.lock().unwrap().push("token".into());
    let Some(claims) = github.claims(&headers) else { return StatusCode::UNAUTHORIZED.into_response() };
    let now = jiff::Timestamp::now();
    let (issued, expires) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
    assert!(issued < now.as_second() && expires - issued <= 600 && claims["iss"] == "12345", "{claims}");
    if *github.is_revoked.lock().unwrap() {
        return (StatusCode::FORBIDDEN, Json(json!({"message": "This installation has been suspended"})))
            .into_response();
    }
    let until = now + jiff::SignedDuration::from_secs(*github.lives.lock().unwrap());
    (StatusCode::CREATED, Json(json!({"token": TOKEN, "expires_at": until.to_string()}))).into_response()
}

fn pem(kind: &str, der: &[u8]) -> String {
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", STANDARD.encode(der))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn fetch(mirror: &Repository, url: &str) -> Result<String, git2::Error> {
    mirror.remote_anonymous(url)?.fetch(&["+refs/heads/main:refs/heads/main"], None, None)?;
    Ok(mirror.refname_to_id("refs/heads/main")?.to_string())
}

#[test]
fn an_app_trades_its_key_for_tokens_and_replaces_them_before_they_end() {
    let folder = tempfile::tempdir().unwrap();
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let github = Arc::new(GitHub {
        public_key: key.public_key().as_ref().to_vec(),
        asked: Mutex::default(),
        lives: Mutex::new(60),
        is_revoked: Mutex::new(false),
    });
    let api = Router::new()
        .route("/api/v3/repos/acme/policies/installation", get(installation))
        .route("/api/v3/app/installations/7/access_tokens", post(token))
        .route("/locked.git/info/refs", get(async || StatusCode::UNAUTHORIZED))
        .with_state(github.clone());
    let server = GitServer::start_below(folder.path(), "acme", "x-access-token", TOKEN, api).unwrap();
    let (key_file, ca_file) = (folder.path().join("app.pem"), folder.path().join("ca.pem"));
    std::fs::write(
        &key_file,
        pem("PRIVATE KEY", AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&key).unwrap().as_ref()),
    )
    .unwrap();
    std::fs::write(&ca_file, server.ca()).unwrap();
    let app = GitHubApp::new("12345", None, &key_file, server.url("api/v3").parse().unwrap());
    let options = Arc::new(Options { github_app: Some(app), ca_file: Some(ca_file), ..Options::default() });
    register(move |_| Some(options.clone())).unwrap();

    let (bare, work) = (folder.path().join("policies.git"), folder.path().join("work"));
    git(folder.path(), &["init", "--quiet", "--bare", "--initial-branch=main", text(&bare)]).unwrap();
    git(folder.path(), &["clone", "--quiet", text(&bare), text(&work)]).unwrap();
    let head = commit(&work, "a.rego", "package a\n", "First").unwrap();
    git(&work, &["push", "--quiet", "origin", "HEAD:main"]).unwrap();
    let mirror = Repository::init_bare(folder.path().join("mirror")).unwrap();
    let url = server.url("acme/policies.git");
    let asked = || std::mem::take(&mut *github.asked.lock().unwrap());

    assert_eq!(fetch(&mirror, &url).unwrap(), head);
    assert_eq!(asked(), ["installation", "token"]);
    *github.lives.lock().unwrap() = 3_600;
    fetch(&mirror, &url).unwrap();
    assert_eq!(asked(), ["installation", "token"], "one that ends within minutes is replaced");
    fetch(&mirror, &url).unwrap();
    assert!(asked().is_empty(), "one that lasts is kept");

    // The host refuses the token: the next fetch asks for another one, and says what GitHub says.
    *github.is_revoked.lock().unwrap() = true;
    fetch(&mirror, &server.url("locked.git")).unwrap_err();
    let error = fetch(&mirror, &url).unwrap_err().message().to_owned();
    assert!(error.contains("403") && error.contains("has been suspended"), "{error}");
    assert!(!error.contains(TOKEN) && !error.contains("Bearer"), "{error}");

    std::fs::write(&key_file, "hunter2").unwrap();
    let error = fetch(&mirror, &url).unwrap_err().message().to_owned();
    assert!(error.contains("app.pem: it holds no private key in PEM") && !error.contains("hunter2"), "{error}");
}
