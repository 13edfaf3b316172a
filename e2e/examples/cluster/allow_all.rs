//! A webhook that allows everything, over TLS as the agent's is: what any webhook costs.

use crate::api_server::ApiServer;
use axum::Json;
use axum::routing::post;
use axum_server::tls_rustls::RustlsConfig;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use writ_e2e::certificates::Certificates;

/// Serves it, and has the API server ask it about this namespace. Ends when dropped.
pub(crate) async fn start(server: &ApiServer, namespace: &str) -> JoinSet<()> {
    let certificates = Certificates::new().unwrap();
    let tls = RustlsConfig::from_pem(certificates.certificate.into(), certificates.key.into()).await.unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let router = axum::Router::new().route("/validate", post(allow));
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        axum_server::from_tcp_rustls(listener, tls).unwrap().serve(router.into_make_service()).await.unwrap();
    });
    let configuration = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "allow-all"},
        "webhooks": [{
            "name": "allow.writ.dev",
            "admissionReviewVersions": ["v1"],
            "clientConfig": {"url": format!("https://127.0.0.1:{port}/validate"), "caBundle": STANDARD.encode(certificates.ca)},
            "sideEffects": "None",
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            "rules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"], "resources": ["*"]}]
        }]
    });
    let path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
    let (status, answer) = server.create(path, configuration.to_string()).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    tasks
}

async fn allow(Json(review): Json<Value>) -> Json<Value> {
    let response = json!({"uid": review["request"]["uid"], "allowed": true});
    Json(json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}))
}
