//! A hub behind a proxy that ends TLS, as a company's ingress does: agents trust the proxy's certificate, and what they
//! enforce only for the hub's signature.

use crate::wait::eventually;
use crate::world::World;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::Response;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use serde_json::json;
use std::net::{SocketAddr, TcpListener};
use tokio::task::JoinSet;
use writ_e2e::certificates::Certificates;

/// Ends when dropped.
struct Proxy {
    url: String,
    ca: String,
    _serving: JoinSet<()>,
}

impl Proxy {
    /// In front of a server that speaks plain HTTP.
    async fn start(to: &str) -> Self {
        let Certificates { ca, certificate, key } = Certificates::new().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let config = RustlsConfig::from_pem(certificate.into(), key.into()).await.unwrap();
        let server = axum_server::from_tcp_rustls(listener, config).unwrap().handle(Handle::<SocketAddr>::new());
        let app = Router::new().fallback(forward).with_state((reqwest::Client::new(), to.to_owned()));
        let mut serving = JoinSet::new();
        serving.spawn(async move { server.serve(app.into_make_service()).await.unwrap() });
        Self { url, ca, _serving: serving }
    }
}

/// Reads the request whole and asks anew, as proxies that buffer do.
async fn forward(
    State((client, to)): State<(reqwest::Client, String)>,
    method: Method,
    uri: Uri,
    mut headers: HeaderMap,
    body: Bytes,
) -> Response {
    headers.remove(header::HOST);
    headers.insert("x-forwarded-proto", "https".parse().unwrap());
    // Over HTTP/2 it names the proxy too.
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let answer = client.request(method, format!("{to}{path}")).headers(headers).body(body).send().await;
    let Ok(answer) = answer else {
        return Response::builder().status(StatusCode::BAD_GATEWAY).body(Body::empty()).unwrap();
    };
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers().iter().filter(|(name, _)| *name != header::TRANSFER_ENCODING) {
        response = response.header(name, value);
    }
    response.body(Body::from(answer.bytes().await.unwrap_or_default())).unwrap()
}

#[tokio::test]
async fn agent_behind_a_proxy_that_ends_tls_enrolls_enforces_and_reports() {
    let mut world = World::start_with(&[]).await;
    let proxy = Proxy::start(&world.hub.url).await;
    let ca = world.folder().join("proxy-ca.pem");
    std::fs::write(&ca, &proxy.ca).unwrap();
    world.enroll_with(&["--hub", &proxy.url, "--hub-ca", ca.to_str().unwrap()], "prod", &json!({"env": "prod"})).await;
    let fleet = "apiVersion: writ.dev/v1\nkind: Fleet\ndenyLevel: HIGH\n";
    let pushed = world.push("fleet.yaml", fleet, "Only what is severe");
    world.until_enforced(&pushed).await;
    let object = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"containers": [{"name": "web", "image": "web:1", "securityContext": {"privileged": true}}]}});
    assert_eq!(world.agents[0].review(&object).await["allowed"], false);
    eventually("what was refused is at the hub", async || {
        let failures = world.hub.get("/api/v1/failures?action=deny").await;
        failures.to_string().contains("Pod/web").then_some(())
    })
    .await;
}
