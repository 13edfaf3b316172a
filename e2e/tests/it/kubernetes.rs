//! Against a real API server, where one can be had. The agent's own tests script the API server's side of the
//! conversation, so nothing but the wire is left to this.

use crate::api_server::ApiServer;
use crate::cluster::pod;
use crate::wait::eventually;
use crate::world::{Agent, World};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::StatusCode;
use serde_json::{Value, json};

const PODS: &str = "/api/v1/namespaces/default/pods";

fn webhook(agent: &Agent) -> Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "writ-by-address"},
        "webhooks": [{
            "name": "validate.writ.dev",
            "admissionReviewVersions": ["v1"],
            "clientConfig": {"url": format!("{}/validate", agent.webhook), "caBundle": STANDARD.encode(&agent.ca)},
            "failurePolicy": "Fail",
            "sideEffects": "None",
            "timeoutSeconds": 5,
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]
        }]
    })
}

#[tokio::test]
async fn an_api_server_refuses_what_the_agent_denies() {
    let Some(server) = ApiServer::start("kubernetes").await else { return };
    let world = World::start(&[("dev", json!({"env": "dev"}))]).await;
    let path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
    let (status, answer) = server.create(path, webhook(&world.agents[0]).to_string()).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");

    // The API server takes a moment until it uses a new webhook.
    let refusal = eventually("a privileged pod is refused", async || {
        let (status, answer) = server.create(&format!("{PODS}?dryRun=All"), pod("evil", true).to_string()).await;
        (status == StatusCode::FORBIDDEN).then_some(answer)
    })
    .await;
    let message = refusal["message"].as_str().unwrap();
    assert!(message.contains("[FAIL] HIGH - Found privileged Security Context"), "{message}");
    let (status, answer) = server.create(PODS, pod("good", false).to_string()).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
}

/// Where an object of a manifest is created.
fn collection_of(document: &str) -> String {
    let field = |name: &str| {
        let line = document.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.split('#').next()?.trim().to_owned())
    };
    let (version, kind) = (field("apiVersion:").unwrap(), field("kind:").unwrap().to_lowercase());
    let root = if version.contains('/') { format!("/apis/{version}") } else { format!("/api/{version}") };
    let plural = if kind.ends_with('y') { format!("{}ies", &kind[..kind.len() - 1]) } else { format!("{kind}s") };
    match field("  namespace:") {
        Some(namespace) => format!("{root}/namespaces/{namespace}/{plural}"),
        None => format!("{root}/{plural}"),
    }
}

#[tokio::test]
async fn an_api_server_accepts_every_manifest() {
    let Some(server) = ApiServer::start("manifests").await else { return };
    let deploy = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("deploy");
    // Kinds of others, which an API server knows only when they are installed.
    let is_foreign = |text: &str| ["monitoring.coreos.com", "cert-manager.io"].iter().any(|group| text.contains(group));
    for manifest in ["agent.yaml", "agent-options.yaml", "hub.yaml", "hub-replicas.yaml"] {
        let text = std::fs::read_to_string(deploy.join(manifest)).unwrap();
        let documents = text.split("\n---\n").filter(|document| document.contains("\nkind:") && !is_foreign(document));
        for document in documents {
            let (status, answer) =
                server.create(&format!("{}?fieldValidation=Strict", collection_of(document)), document).await;
            let there = status == StatusCode::CONFLICT && answer["details"]["kind"] == "namespaces";
            assert!(status == StatusCode::CREATED || there, "{manifest}: {answer}\n{document}");
        }
    }
}
