//! As much of an API server as an agent asks for: discovery, lists in pages, watches, and objects of its own that are
//! kept as they are written. Answers are made before anybody asks, so that they cost little.

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use futures::StreamExt;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::broadcast;
use tokio::task::JoinSet;

/// Objects of a page.
const PAGE: usize = 500;

/// A version (`v1`), kind and plural of the core group, and its objects.
pub type Kind<'a> = (&'a str, &'a str, &'a str, Vec<Value>);

pub struct ApiServer {
    parts: Arc<Parts>,
    folder: TempDir,
    url: String,
    _server: JoinSet<()>,
}

struct Parts {
    discovery: Value,
    /// Pages by plural.
    pages: HashMap<String, Vec<Bytes>>,
    changes: HashMap<String, broadcast::Sender<Bytes>>,
    written: Mutex<HashMap<String, Value>>,
    requests: Mutex<Vec<(Instant, String)>>,
}

impl ApiServer {
    pub async fn start(kinds: &[Kind<'_>]) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let namespaces: Vec<Value> =
            (0..50).map(|number| json!({"metadata": {"name": format!("team-{number:02}"), "uid": "1"}})).collect();
        let all: Vec<Kind> = kinds.iter().cloned().chain([("v1", "Namespace", "namespaces", namespaces)]).collect();
        let plural = |kind: &Kind| kind.2.to_owned();
        let parts = Arc::new(Parts {
            discovery: discovery(&all),
            pages: all.iter().map(|kind| (plural(kind), pages(&kind.3))).collect(),
            changes: all.iter().map(|kind| (plural(kind), broadcast::channel(16).0)).collect(),
            written: Mutex::default(),
            requests: Mutex::default(),
        });
        let router = Router::new().fallback(answer).with_state(parts.clone());
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { parts, folder: tempfile::tempdir().unwrap(), url, _server: server }
    }

    /// The path of a kubeconfig for it.
    pub fn kubeconfig(&self) -> String {
        let path = self.folder.path().join("kubeconfig");
        let config = json!({"apiVersion": "v1", "kind": "Config", "current-context": "here",
            "clusters": [{"name": "here", "cluster": {"server": self.url}}], "users": [{"name": "me", "user": {}}],
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}]});
        std::fs::write(&path, config.to_string()).unwrap();
        path.display().to_string()
    }

    /// Everybody who watches the kind sees this object changed.
    pub fn change(&self, plural: &str, object: &Value) {
        let mut object = object.clone();
        object["metadata"]["resourceVersion"] = json!("2000");
        let line = format!("{}\n", json!({"type": "MODIFIED", "object": object}));
        self.parts.changes[plural].send(line.into()).unwrap();
    }

    /// From the first request for the list to the last.
    pub fn listed_in(&self, plural: &str) -> Duration {
        let requests = self.parts.requests.lock().unwrap();
        let is_page = |path: &str| path.contains(plural) && path.contains("limit=");
        let times: Vec<Instant> = requests.iter().filter(|(_, path)| is_page(path)).map(|(at, _)| *at).collect();
        times.last().zip(times.first()).map_or(Duration::ZERO, |(last, first)| *last - *first)
    }

    /// The requests of all kinds that began within the busiest second.
    pub fn busiest_second(&self) -> Vec<String> {
        let requests = self.parts.requests.lock().unwrap();
        let within = |start: Instant| {
            let of_second = requests.iter().filter(move |(at, _)| *at >= start && *at - start < Duration::from_secs(1));
            of_second.map(|(_, path)| path.clone()).collect::<Vec<_>>()
        };
        requests.iter().map(|(at, _)| within(*at)).max_by_key(Vec::len).unwrap_or_default()
    }
}

async fn answer(State(parts): State<Arc<Parts>>, request: Request) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let query = request.uri().query().unwrap_or_default().to_owned();
    parts.requests.lock().unwrap().push((Instant::now(), format!("{method} {path}?{query}")));
    if path == "/api" || path == "/apis" {
        let none = json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": []});
        return Json(if path == "/api" { parts.discovery.clone() } else { none }).into_response();
    }
    if method != Method::GET {
        return write(&parts, &method, &path, request).await;
    }
    let last = path.rsplit('/').next().unwrap_or_default();
    if query.contains("watch=true") {
        return watch(&parts, last);
    }
    if let Some(pages) = parts.pages.get(last) {
        let more = query.split('&').find_map(|pair| pair.strip_prefix("continue=")).and_then(|text| text.parse().ok());
        return ([("content-type", "application/json")], pages[more.unwrap_or(0)].clone()).into_response();
    }
    match parts.written.lock().unwrap().get(&path) {
        Some(object) => Json(object.clone()).into_response(),
        None => (StatusCode::NOT_FOUND, Json(status(404, "NotFound"))).into_response(),
    }
}

/// Keeps what the agent writes of its own: Secrets, the Lease, the webhook configuration.
async fn write(parts: &Parts, method: &Method, path: &str, request: Request) -> Response {
    let body = axum::body::to_bytes(request.into_body(), 8 << 20).await.unwrap();
    let mut object: Value = serde_json::from_slice(&body).unwrap();
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    object["metadata"]["resourceVersion"] = json!("1");
    let path = if method == Method::POST { format!("{path}/{name}") } else { path.to_owned() };
    parts.written.lock().unwrap().insert(path, object.clone());
    (StatusCode::CREATED, Json(object)).into_response()
}

/// Changes as they come; one that never ends.
fn watch(parts: &Parts, plural: &str) -> Response {
    let Some(changes) = parts.changes.get(plural) else {
        let never = futures::stream::pending::<Result<Bytes, std::io::Error>>();
        return Body::from_stream(never).into_response();
    };
    let lines = futures::stream::unfold(changes.subscribe(), |mut changes| async move {
        let line = changes.recv().await.ok()?;
        Some((Ok::<_, std::io::Error>(line), changes))
    });
    Body::from_stream(lines.boxed()).into_response()
}

fn pages(objects: &[Value]) -> Vec<Bytes> {
    let number = objects.len().div_ceil(PAGE).max(1);
    let page = |index: usize| {
        let items = &objects[index * PAGE..((index + 1) * PAGE).min(objects.len())];
        let more = if index + 1 < number { (index + 1).to_string() } else { String::new() };
        json!({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "1000", "continue": more}, "items": items})
    };
    (0..number).map(|index| page(index).to_string().into()).collect()
}

fn discovery(kinds: &[Kind]) -> Value {
    let verbs = ["create", "delete", "get", "list", "patch", "update", "watch"];
    let resources: Vec<Value> = kinds
        .iter()
        .map(|(version, kind, plural, _)| {
            let scope = if *kind == "Namespace" { "Cluster" } else { "Namespaced" };
            json!({"resource": plural, "responseKind": {"group": "", "version": version, "kind": kind}, "scope": scope,
                "singularResource": kind.to_lowercase(), "verbs": verbs})
        })
        .collect();
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {},
        "items": [{"metadata": {"name": ""}, "versions": [{"version": "v1", "resources": resources}]}]})
}

fn status(code: u16, reason: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": reason})
}
