//! A real API server with its own etcd, found as envtest finds it: `TEST_ASSET_KUBE_APISERVER` and `TEST_ASSET_ETCD`
//! name the binaries, or `KUBEBUILDER_ASSETS` their folder, by default `/usr/local/kubebuilder/bin`; or a cluster that is
//! there already (`existing`). There is no controller manager: what a controller would make (pods of a Deployment, default service accounts) is not there.
//! `cluster` puts a hub and agents beside it; write tests with that.

#[path = "api_server/existing.rs"]
mod existing;
#[path = "api_server/kubectl.rs"] // An example includes this file too.
mod kubectl;

use crate::wait::eventually;
use crate::world::install_tls;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::Value;
use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// The token of a member of `system:masters`.
const TOKEN: &str = "administrator";

pub(crate) struct ApiServer {
    folder: TempDir,
    processes: Vec<Child>,
    url: String,
    client: Client,
    token: String,
    /// The certificate that it shows, or the authority that signed it.
    authority: PathBuf,
    /// By which the API server is started, if it is ours.
    command: Option<(PathBuf, Vec<String>)>,
    existing: Option<existing::Existing>,
}

impl ApiServer {
    /// An API server; `None`, and noted as skipped, where none is installed.
    pub(crate) async fn start(test: &str) -> Option<Self> {
        if existing::is_wanted() {
            install_tls();
            return Some(existing::connect());
        }
        let etcd = binary("etcd", "TEST_ASSET_ETCD");
        let (Some(server), Some(etcd)) = (binary("kube-apiserver", "TEST_ASSET_KUBE_APISERVER"), etcd) else {
            writ_e2e::skipped(test, "no kube-apiserver and etcd (set KUBEBUILDER_ASSETS)");
            return None;
        };
        install_tls();
        let folder = tempfile::tempdir().unwrap();
        let [store, peers, secure] = free_ports();
        let flags = server_flags(folder.path(), store, secure);
        let processes = vec![
            start(&etcd, folder.path(), "etcd", &etcd_flags(store, peers)),
            start(&server, folder.path(), "kube-apiserver", &flags),
        ];
        // It makes its own certificate.
        let client = Client::builder().tls_danger_accept_invalid_certs(true).build().unwrap();
        let (url, command) = (format!("https://127.0.0.1:{secure}"), Some((server, flags)));
        let (token, authority) = (TOKEN.to_owned(), folder.path().join("certs/apiserver.crt"));
        let server = Self { folder, processes, url, client, token, authority, command, existing: None };
        server.until_ready().await;
        Some(server)
    }

    /// Whether it was there before the test.
    pub(crate) fn is_existing(&self) -> bool {
        self.existing.is_some()
    }

    /// Nobody answers until `resume`; what it keeps stays.
    pub(crate) fn stop(&mut self) {
        if let Some(mut server) = self.processes.pop() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }

    /// Starts it again where it was.
    pub(crate) async fn resume(&mut self) {
        let (program, flags) = self.command.as_ref().expect("only one of ours is stopped");
        self.processes.push(start(program, self.folder.path(), "kube-apiserver-again", flags));
        self.until_ready().await;
    }

    async fn answer(&self, request: RequestBuilder) -> (StatusCode, Value) {
        answer_of(request, &self.token).await
    }

    async fn until_ready(&self) {
        eventually("the API server is ready", async || {
            let ready = self.client.get(format!("{}/readyz", self.url)).bearer_auth(&self.token).send().await.ok()?;
            ready.status().is_success().then_some(())
        })
        .await;
    }

    /// What is at this path, with its status.
    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.answer(self.client.get(format!("{}{path}", self.url))).await
    }

    /// Changes an object by a merge patch.
    pub(crate) async fn patch(&self, path: &str, change: &Value) -> (StatusCode, Value) {
        let request = self.client.patch(format!("{}{path}", self.url));
        let request = request.header("content-type", "application/merge-patch+json");
        self.answer(request.body(change.to_string())).await
    }

    /// Removes an object.
    pub(crate) async fn delete(&self, path: &str) -> (StatusCode, Value) {
        self.answer(self.client.delete(format!("{}{path}", self.url))).await
    }

    /// Creates an object from JSON or YAML; the answer's status and body.
    pub(crate) async fn create(&self, path: &str, body: impl Into<String>) -> (StatusCode, Value) {
        let request = self.client.post(format!("{}{path}", self.url)).header("content-type", "application/yaml");
        self.answer(request.body(body.into())).await
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        for process in self.processes.iter_mut().rev() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

async fn answer_of(request: RequestBuilder, token: &str) -> (StatusCode, Value) {
    let response = request.bearer_auth(token).send().await.unwrap();
    (response.status(), response.json().await.unwrap_or_default())
}

fn binary(name: &str, variable: &str) -> Option<PathBuf> {
    let named = std::env::var_os(variable).map(PathBuf::from);
    let folder = std::env::var_os("KUBEBUILDER_ASSETS").unwrap_or_else(|| "/usr/local/kubebuilder/bin".into());
    named.into_iter().chain([Path::new(&folder).join(name)]).find(|path| path.exists())
}

fn free_ports() -> [u16; 3] {
    let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

fn etcd_flags(store: u16, peers: u16) -> Vec<String> {
    let (store, peers) = (format!("http://127.0.0.1:{store}"), format!("http://127.0.0.1:{peers}"));
    vec![
        "--data-dir=etcd".into(),
        "--unsafe-no-fsync".into(),
        format!("--listen-client-urls={store}"),
        format!("--advertise-client-urls={store}"),
        format!("--listen-peer-urls={peers}"),
    ]
}

fn server_flags(folder: &Path, store: u16, secure: u16) -> Vec<String> {
    let key = rcgen::KeyPair::generate().unwrap();
    std::fs::write(folder.join("accounts.key"), key.serialize_pem()).unwrap();
    std::fs::write(folder.join("accounts.pub"), key.public_key_pem()).unwrap();
    std::fs::write(folder.join("tokens.csv"), format!("{TOKEN},administrator,1,\"system:masters\"\n")).unwrap();
    let fixed = [
        "--bind-address=127.0.0.1",
        "--cert-dir=certs",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-account-key-file=accounts.pub",
        "--service-account-signing-key-file=accounts.key",
        "--token-auth-file=tokens.csv",
        "--authorization-mode=RBAC",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--allow-privileged=true",
        "--disable-admission-plugins=ServiceAccount",
    ];
    let own = [format!("--etcd-servers=http://127.0.0.1:{store}"), format!("--secure-port={secure}")];
    fixed.map(str::to_owned).into_iter().chain(own).collect()
}

fn start(program: &Path, folder: &Path, name: &str, flags: &[String]) -> Child {
    let log = File::create(folder.join(format!("{name}.log"))).unwrap();
    let mut command = Command::new(program);
    command.args(flags).current_dir(folder).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    command.spawn().unwrap()
}
