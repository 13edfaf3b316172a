//! A git host as companies run them: https with a private certificate authority and basic authentication, in front of
//! git's own `upload-pack`. Serves every bare repository in one folder, to read.

use crate::certificates::Certificates;
use anyhow::Context;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path as UrlPath, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use base64::Engine as _;
use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// A running git host; dropping it ends it.
pub struct GitServer {
    address: SocketAddr,
    ca: String,
    handle: Handle<SocketAddr>,
    thread: Option<JoinHandle<()>>,
}

struct Host {
    root: PathBuf,
    authorization: String,
}

impl GitServer {
    /// Serves the bare repositories below `root` to one user. `more` is served beside them, open to all.
    pub fn start(root: &Path, username: &str, password: &str, more: Router) -> anyhow::Result<Self> {
        Self::start_below(root, "", username, password, more)
    }

    /// The same, with the repositories below a folder of the host (`https://host/owner/name.git`).
    pub fn start_below(root: &Path, owner: &str, username: &str, password: &str, more: Router) -> anyhow::Result<Self> {
        // Another test of this process may have installed it.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{username}:{password}"));
        let host = Arc::new(Host { root: root.to_owned(), authorization: format!("Basic {encoded}") });
        let below = if owner.is_empty() { String::new() } else { format!("/{owner}") };
        let app = Router::new()
            .route(&format!("{below}/{{repository}}/info/refs"), get(list))
            .route(&format!("{below}/{{repository}}/git-upload-pack"), post(upload))
            .layer(from_fn_with_state(host.clone(), authenticate))
            .with_state(host)
            .merge(more);
        let certificates = Certificates::new()?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let (address, handle) = (listener.local_addr()?, Handle::new());
        let thread = std::thread::spawn({
            let (handle, certificate, key) = (handle.clone(), certificates.certificate, certificates.key);
            move || serve(listener, certificate, key, handle, app)
        });
        Ok(Self { address, ca: certificates.ca, handle, thread: Some(thread) })
    }

    /// The authority that clients must trust, as PEM.
    pub fn ca(&self) -> &str {
        &self.ca
    }

    /// `https://127.0.0.1:port/name`.
    pub fn url(&self, name: &str) -> String {
        format!("https://{}/{name}", self.address)
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        self.handle.shutdown();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(listener: TcpListener, certificate: String, key: String, handle: Handle<SocketAddr>, app: Router) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
    runtime.block_on(async {
        let config = RustlsConfig::from_pem(certificate.into(), key.into()).await.expect("the certificate is our own");
        let server = axum_server::from_tcp_rustls(listener, config).expect("the listener is bound").handle(handle);
        server.serve(app.into_make_service()).await.expect("the listener stays open");
    });
}

async fn authenticate(State(host): State<Arc<Host>>, request: Request, next: Next) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if given == Some(host.authorization.as_str()) {
        return next.run(request).await;
    }
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Basic realm=\"git\"")], "no").into_response()
}

async fn list(
    State(host): State<Arc<Host>>,
    UrlPath(repository): UrlPath<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    if query.get("service").map(String::as_str) != Some("git-upload-pack") {
        return StatusCode::FORBIDDEN.into_response();
    }
    let refs = upload_pack(&host.root, &repository, &["--advertise-refs"], Bytes::new()).await;
    let answer = refs.map(|refs| [b"001e# service=git-upload-pack\n0000".as_slice(), refs.as_slice()].concat());
    respond("application/x-git-upload-pack-advertisement", answer)
}

async fn upload(
    State(host): State<Arc<Host>>,
    UrlPath(repository): UrlPath<String>,
    _: HeaderMap,
    body: Bytes,
) -> Response {
    respond("application/x-git-upload-pack-result", upload_pack(&host.root, &repository, &[], body).await)
}

fn respond(kind: &'static str, answer: anyhow::Result<Vec<u8>>) -> Response {
    match answer {
        Ok(answer) => ([(header::CONTENT_TYPE, kind)], Body::from(answer)).into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn upload_pack(root: &Path, repository: &str, more: &[&str], input: Bytes) -> anyhow::Result<Vec<u8>> {
    anyhow::ensure!(!repository.contains(".."), "an odd name");
    let folder = root.join(repository);
    anyhow::ensure!(folder.is_dir(), "no such repository");
    let mut child = Command::new("git")
        .args(["-c", "safe.directory=*", "upload-pack", "--stateless-rpc"])
        .args(more)
        .arg(folder)
        .env_remove("GIT_PROTOCOL")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("starting git upload-pack")?;
    let mut stdin = child.stdin.take().context("git has no input")?;
    let write = async move { stdin.write_all(&input).await };
    let (_, output) = tokio::join!(write, child.wait_with_output());
    Ok(output?.stdout)
}
