//! A hub in this process: signs what a test wants, keeps what agents send, and misbehaves on demand.

use axum::extract::{Path, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, StatusCode, header};
use std::collections::HashMap;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;
use uuid::Uuid;
use writ_policy::bundle::{Assignment, BundleStatement, Index};
use writ_policy::sign::{Signed, SigningKey};
use writ_policy::succession::Succession;
use writ_policy::wire::{AgentState, Credential, Desired, DesiredRequest, Enroll, Enrolled, HubKeys, Receipt, Report};
use writ_policy::{AgentId, ClusterName, DenyLevel, Digest, Labels, Revision, Settings, SourceFile};

pub const CREDENTIAL: &str = "credential-that-is-never-shown";
pub const SECRET: &str = "secretsecretsecretsecretsecretsecretsecret0";

#[derive(Clone)]
pub struct FakeHub(Arc<Parts>);

struct Parts {
    key: Mutex<Arc<SigningKey>>,
    successions: Mutex<Vec<Signed>>,
    url: String,
    desired: watch::Sender<Option<Desired>>,
    state: watch::Sender<Option<AgentState>>,
    blobs: Mutex<HashMap<String, Vec<u8>>>,
    reports: Mutex<Vec<Report>>,
    cursors: Mutex<HashMap<Uuid, u64>>,
    away: AtomicBool,
    lose_answers: AtomicBool,
    revoked: AtomicBool,
    malformed: AtomicBool,
    full: AtomicBool,
    put_off: Mutex<Vec<Instant>>,
    credentials: Mutex<Credentials>,
    blob_requests: AtomicUsize,
    revision: AtomicUsize,
    _server: Mutex<JoinSet<()>>,
}

/// Which credentials are known, and whether there are new ones.
struct Credentials {
    known: Vec<String>,
    renew_at: Option<i64>,
    renews: bool,
    asked: usize,
}

impl Default for Credentials {
    fn default() -> Self {
        Self { known: vec![CREDENTIAL.into()], renew_at: None, renews: true, asked: 0 }
    }
}

impl FakeHub {
    pub async fn start() -> Self {
        writ_agent::tls::install_provider();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hub = Self(Arc::new(Parts {
            key: Mutex::new(SigningKey::generate().0.into()),
            successions: Mutex::default(),
            url: format!("http://{}", listener.local_addr().unwrap()),
            desired: watch::Sender::new(None),
            state: watch::Sender::new(None),
            blobs: Mutex::default(),
            reports: Mutex::default(),
            cursors: Mutex::default(),
            away: AtomicBool::new(false),
            lose_answers: AtomicBool::new(false),
            revoked: AtomicBool::new(false),
            malformed: AtomicBool::new(false),
            full: AtomicBool::new(false),
            put_off: Mutex::default(),
            credentials: Mutex::default(),
            blob_requests: AtomicUsize::new(0),
            revision: AtomicUsize::new(0),
            _server: Mutex::default(),
        }));
        let router = Router::new()
            .route("/v1/enroll", post(enroll))
            .route("/v1/credential", post(credential))
            .route("/v1/keys", get(keys))
            .route("/v1/desired", post(desired))
            .route("/v1/blobs/{digest}", get(blob))
            .route("/v1/reports", post(report))
            .layer(middleware::from_fn_with_state(hub.clone(), absence))
            .with_state(hub.clone());
        hub.0._server.lock().unwrap().spawn(async move { axum::serve(listener, router).await.unwrap() });
        hub
    }

    pub fn url(&self) -> &str {
        &self.0.url
    }

    pub fn token(&self) -> String {
        format!("writ_{SECRET}_{}", self.key().public().fingerprint())
    }

    fn key(&self) -> Arc<SigningKey> {
        self.0.key.lock().unwrap().clone()
    }

    /// Signs with a new key from now on, which the present one announces.
    pub fn rotate_key(&self) {
        let from = self.replace_key();
        let to = self.key().public();
        self.0.successions.lock().unwrap().push(from.sign(&Succession { from: from.public(), to, at: 1 }));
    }

    /// Signs with a new key from now on, of which the present one knows nothing. The present one.
    pub fn replace_key(&self) -> Arc<SigningKey> {
        std::mem::replace(&mut *self.0.key.lock().unwrap(), SigningKey::generate().0.into())
    }

    /// From now on every request is answered by 503, until `come_back`.
    pub fn go_away(&self) {
        self.0.away.store(true, SeqCst);
    }

    pub fn come_back(&self) {
        self.0.away.store(false, SeqCst);
    }

    /// Reports are stored, but the agent is not told.
    pub fn lose_answers(&self, lose: bool) {
        self.0.lose_answers.store(lose, SeqCst);
    }

    /// Nobody's credential is known any more.
    pub fn revoke(&self, revoked: bool) {
        self.0.revoked.store(revoked, SeqCst);
    }

    /// Agents that enroll are to ask for a new credential from then on.
    pub fn renew_from(&self, at: i64) {
        self.0.credentials.lock().unwrap().renew_at = Some(at);
    }

    /// Whether agents get the new credential that they ask for.
    pub fn give_credentials(&self, give: bool) {
        self.0.credentials.lock().unwrap().renews = give;
    }

    /// How often a new credential was asked for.
    pub fn credentials_asked(&self) -> usize {
        self.0.credentials.lock().unwrap().asked
    }

    /// Only the newest credential is known from now on.
    pub fn forget_former_credentials(&self) {
        let mut credentials = self.0.credentials.lock().unwrap();
        let last = credentials.known.len() - 1;
        credentials.known.drain(..last);
    }

    /// Reports are asked to come back in a second.
    pub fn be_full(&self, full: bool) {
        self.0.full.store(full, SeqCst);
    }

    /// When reports were asked to come back later.
    pub fn put_off(&self) -> Vec<Instant> {
        self.0.put_off.lock().unwrap().clone()
    }

    /// Reports are called malformed.
    pub fn reject_reports(&self, reject: bool) {
        self.0.malformed.store(reject, SeqCst);
    }

    pub fn blob_requests(&self) -> usize {
        self.0.blob_requests.load(SeqCst)
    }

    /// Signs these files for cluster `prod` and remembers their blobs.
    pub fn sign(&self, epoch: u64, files: &[SourceFile]) -> Desired {
        self.sign_with(epoch, files, |_, _| {})
    }

    /// The same, with the statements changed before they are signed.
    pub fn sign_with(
        &self,
        epoch: u64,
        files: &[SourceFile],
        change: impl FnOnce(&mut Assignment, &mut BundleStatement),
    ) -> Desired {
        let (_, text) = Index::build(files);
        let mut blobs = self.0.blobs.lock().unwrap();
        for content in files.iter().map(|file| file.text.as_bytes()).chain([text.as_bytes()]) {
            blobs.insert(Digest::of(content).to_string(), content.to_vec());
        }
        let policies = writ_policy::check(files).policies.len() as u32;
        let number = self.0.revision.fetch_add(1, SeqCst) + 1;
        let revision = Revision::new(format!("{number:040x}")).unwrap();
        let mut bundle =
            BundleStatement { revision, index: Digest::of(&text), policies, author: None, class: String::new() };
        let mut assignment = Assignment {
            cluster: ClusterName::new("prod").unwrap(),
            epoch,
            bundle: Digest::of(""),
            settings: Settings { deny_level: DenyLevel::High, ..Settings::default() },
            issued_at: writ_agent::clock::now(),
            stale_after: writ_agent::clock::now() + 3_600_000,
        };
        change(&mut assignment, &mut bundle);
        let bundle = self.key().sign(&bundle);
        if assignment.bundle == Digest::of("") {
            assignment.bundle = bundle.digest();
        }
        Desired { assignment: self.key().sign(&assignment), bundle }
    }

    /// Another content under the name of a blob.
    pub fn tamper_blob(&self, file: &SourceFile, content: &str) {
        self.0.blobs.lock().unwrap().insert(file.digest().to_string(), content.into());
    }

    /// What the cluster should enforce from now on.
    pub fn assign(&self, desired: Desired) {
        self.0.desired.send_replace(Some(desired));
    }

    /// Waits until the agent says of itself what the test waits for.
    pub async fn until_state(&self, wanted: impl Fn(&AgentState) -> bool) -> AgentState {
        let mut state = self.0.state.subscribe();
        let found = state.wait_for(|state| state.as_ref().is_some_and(&wanted));
        match tokio::time::timeout(Duration::from_secs(20), found).await {
            Ok(found) => found.unwrap().clone().unwrap(),
            Err(_) => panic!("the agent says something else: {:?}", *self.0.state.borrow()),
        }
    }

    /// Waits until the agent enforces this pair.
    pub async fn until_active(&self, desired: &Desired) -> AgentState {
        let digest = desired.assignment.digest();
        self.until_state(|state| state.active.as_ref().is_some_and(|active| active.assignment == digest)).await
    }

    /// Waits until the agent has refused this pair, and gives the reason.
    pub async fn until_refused(&self, desired: &Desired) -> String {
        let digest = desired.assignment.digest();
        let refused = |state: &AgentState| state.refused.as_ref().is_some_and(|refused| refused.assignment == digest);
        self.until_state(refused).await.refused.unwrap().reason
    }

    /// Everything stored, each report once.
    pub fn reports(&self) -> Vec<Report> {
        self.0.reports.lock().unwrap().clone()
    }
}

async fn absence(State(FakeHub(hub)): State<FakeHub>, request: Request, next: Next) -> Response {
    if hub.away.load(SeqCst) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let is_known = |given: &str| hub.credentials.lock().unwrap().known.iter().any(|known| known == given);
    let known = request.uri().path() == "/v1/enroll" || bearer(request.headers()).is_some_and(is_known);
    if !known || hub.revoked.load(SeqCst) {
        return (StatusCode::UNAUTHORIZED, Json(serde_json::json!({"error": "unknown credential"}))).into_response();
    }
    next.run(request).await
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

async fn enroll(State(FakeHub(hub)): State<FakeHub>, Json(request): Json<Enroll>) -> Response {
    if !request.token.contains(SECRET) {
        return (StatusCode::UNAUTHORIZED, Json(serde_json::json!({"error": "unknown token"}))).into_response();
    }
    Json(Enrolled {
        agent: AgentId::new(Uuid::now_v7().to_string()).unwrap(),
        cluster: ClusterName::new("prod").unwrap(),
        labels: Labels::new(),
        credential: CREDENTIAL.into(),
        hub_key: hub.key.lock().unwrap().public(),
        successions: hub.successions.lock().unwrap().clone(),
        former_keys: vec![],
        renew_at: hub.credentials.lock().unwrap().renew_at,
    })
    .into_response()
}

async fn keys(State(FakeHub(hub)): State<FakeHub>) -> Response {
    Json(HubKeys { successions: hub.successions.lock().unwrap().clone() }).into_response()
}

async fn credential(State(FakeHub(hub)): State<FakeHub>) -> Response {
    let mut credentials = hub.credentials.lock().unwrap();
    credentials.asked += 1;
    if !credentials.renews {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let credential = format!("renewed-{}", credentials.asked);
    credentials.known.push(credential.clone());
    let later = writ_agent::clock::now() + 3_600_000;
    Json(Credential { credential, renew_at: later, expires_at: later }).into_response()
}

/// Held until there is something that the agent neither enforces nor refused.
async fn desired(State(FakeHub(hub)): State<FakeHub>, Json(request): Json<DesiredRequest>) -> Response {
    let refused = request.state.refused.as_ref().map(|refused| refused.assignment);
    hub.state.send_replace(Some(request.state));
    let mut desired = hub.desired.subscribe();
    let is_news = |desired: &Option<Desired>| {
        let digest = desired.as_ref().map(|desired| desired.assignment.digest());
        digest.is_some() && digest != request.have && digest != refused
    };
    match tokio::time::timeout(Duration::from_secs(10), desired.wait_for(is_news)).await {
        Ok(Ok(desired)) => Json(desired.clone().unwrap()).into_response(),
        _ => StatusCode::NO_CONTENT.into_response(),
    }
}

async fn blob(State(FakeHub(hub)): State<FakeHub>, Path(digest): Path<String>) -> Response {
    hub.blob_requests.fetch_add(1, SeqCst);
    let blobs = hub.blobs.lock().unwrap();
    let Some(content) = blobs.get(&digest) else { return StatusCode::NOT_FOUND.into_response() };
    let mut encoder = GzEncoder::new(vec![], Compression::fast());
    encoder.write_all(content).unwrap();
    ([(header::CONTENT_ENCODING, "gzip")], encoder.finish().unwrap()).into_response()
}

async fn report(State(FakeHub(hub)): State<FakeHub>, Json(report): Json<Report>) -> Response {
    if hub.malformed.load(SeqCst) {
        return (StatusCode::BAD_REQUEST, Json(serde_json::json!({"error": "not a report"}))).into_response();
    }
    if hub.full.load(SeqCst) {
        hub.put_off.lock().unwrap().push(Instant::now());
        return (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "1")]).into_response();
    }
    let mut cursors = hub.cursors.lock().unwrap();
    let cursor = cursors.entry(report.boot).or_default();
    if report.sequence > *cursor {
        *cursor = report.sequence;
        hub.reports.lock().unwrap().push(report);
    }
    if hub.lose_answers.load(SeqCst) {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    Json(Receipt { stored: *cursor }).into_response()
}
