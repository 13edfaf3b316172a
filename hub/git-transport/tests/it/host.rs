//! The one git host and the one set of options of this process.

use axum::Router;
use axum::extract::OriginalUri;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use git2::{Remote, Repository};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tempfile::TempDir;
use writ_e2e::git::{commit, git};
use writ_e2e::git_server::GitServer;
use writ_git_transport::{Options, register};

pub(crate) const PASSWORD: &str = "correct-horse";
pub(crate) const TIMEOUT: Duration = Duration::from_secs(4);

/// A folder with the bare repositories, authors' clones of them, and the files that the options name.
pub(crate) struct Host {
    folder: TempDir,
    server: GitServer,
}

/// The host, started on first use.
pub(crate) fn host() -> &'static Host {
    static HOST: OnceLock<Host> = OnceLock::new();
    HOST.get_or_init(Host::start)
}

impl Host {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let server = GitServer::start(root, "ada", PASSWORD, misbehaviour()).unwrap();
        std::fs::write(root.join("password"), format!("{PASSWORD}\n")).unwrap();
        std::fs::write(root.join("ca.pem"), server.ca()).unwrap();
        let options = Options {
            username: Some("ada".into()),
            password_file: Some(root.join("password")),
            ca_file: Some(root.join("ca.pem")),
            ssh_key: Some(root.join("id")),
            known_hosts: Some(root.join("known_hosts")),
            timeout: TIMEOUT,
            max_bytes: 1 << 20,
            ..Options::default()
        };
        let options = Arc::new(options);
        register(move |address| (!address.contains("unknown")).then(|| options.clone())).unwrap();
        Self { folder, server }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn url(&self, name: &str) -> String {
        self.server.url(name)
    }

    /// A bare repository `name.git`, an author's clone of it, and its first commit.
    pub(crate) fn repository(&self, name: &str) -> (PathBuf, String) {
        let (bare, work) = (self.path(&format!("{name}.git")), self.path(name));
        git(self.folder.path(), &["init", "--quiet", "--bare", "--initial-branch=main", text(&bare)]).unwrap();
        git(self.folder.path(), &["clone", "--quiet", text(&bare), text(&work)]).unwrap();
        let head = push(&work, "package a\n");
        (work, head)
    }
}

/// Commits and pushes a change; returns the new commit.
pub(crate) fn push(work: &Path, content: &str) -> String {
    let head = commit(work, "a.rego", content, "Change a").unwrap();
    git(work, &["push", "--quiet", "origin", "HEAD:main"]).unwrap();
    head
}

/// Fetches `main` as the hub does, and returns what it then points to.
pub(crate) fn fetch(mirror: &Repository, url: &str) -> Result<String, git2::Error> {
    let mut remote: Remote<'_> = mirror.remote_anonymous(url)?;
    remote.fetch(&["+refs/heads/main:refs/heads/main"], None, None)?;
    Ok(mirror.refname_to_id("refs/heads/main")?.to_string())
}

pub(crate) fn mirror() -> (TempDir, Repository) {
    let folder = tempfile::tempdir().unwrap();
    let mirror = Repository::init_bare(folder.path()).unwrap();
    (folder, mirror)
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn misbehaviour() -> Router {
    Router::new()
        .route("/old-redirected.git/info/refs", get(moved))
        .route("/elsewhere.git/info/refs", get(elsewhere))
        .route("/circle.git/info/refs", get(circle))
        .route("/locked.git/info/refs", get(async || StatusCode::UNAUTHORIZED))
        .route("/page.git/info/refs", get(async || "a page for people"))
        .route("/silent.git/info/refs", get(async || std::future::pending::<()>().await))
        .route("/flood.git/info/refs", get(flood))
}

async fn moved(uri: OriginalUri) -> Response {
    let location = uri.0.to_string().replace("old-", "");
    (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, location)]).into_response()
}

async fn circle(uri: OriginalUri) -> Response {
    (StatusCode::FOUND, [(header::LOCATION, uri.0.to_string())]).into_response()
}

async fn elsewhere() -> Response {
    let location = "https://localhost:1/p.git/info/refs?service=git-upload-pack";
    (StatusCode::FOUND, [(header::LOCATION, location)]).into_response()
}

/// Four megabytes of refs, where the options allow one.
async fn flood() -> Response {
    let lines: String = (0..65_536).map(|n| format!("003e{} refs/heads/{n:05}\n", "1".repeat(40))).collect();
    let body = format!("001e# service=git-upload-pack\n0000{lines}0000");
    ([(header::CONTENT_TYPE, "application/x-git-upload-pack-advertisement")], body).into_response()
}
