//! The hub's manifests: `deploy/hub.yaml` with the operator's answers.

use super::manifests::{Manifests, object, read};
use crate::arguments::InstallHub;
use serde_json::json;

const MANIFESTS: &str = include_str!("../../../deploy/hub.yaml");
const NAMESPACE: &str = "writ-hub";

/// What is applied.
pub(super) fn manifests(options: &InstallHub) -> anyhow::Result<Manifests> {
    let mut manifests = Manifests::parse(MANIFESTS)?;
    let config = json!({"source": options.source, "source-username": options.source_username});
    if let (Some(certificate), Some(key)) = (&options.tls_cert, &options.tls_key) {
        let data = json!({"tls.crt": read(certificate)?, "tls.key": read(key)?});
        let mut secret = object("Secret", "writ-hub-tls", NAMESPACE, "stringData", data);
        secret["type"] = "kubernetes.io/tls".into();
        manifests.insert(secret);
    }
    if let (Some(password), Some(token)) = (&options.source_password_file, &options.admin_token_file) {
        let data = json!({"source-password": read(password)?.trim(), "admin-token": read(token)?.trim()});
        manifests.insert(object("Secret", "writ-hub", NAMESPACE, "stringData", data));
    }
    manifests.insert(object("ConfigMap", "writ-hub", NAMESPACE, "data", config));
    if let Some(image) = &options.image {
        manifests.container("StatefulSet")?["image"] = image.as_str().into();
    }
    manifests.move_to(NAMESPACE, &options.namespace);
    Ok(manifests)
}

/// What goes: everything but the namespace and the volume in it, which holds the database and the signing key.
pub(super) fn leftovers(namespace: Option<&str>) -> anyhow::Result<Manifests> {
    let mut all = Manifests::parse(MANIFESTS)?;
    all.0.retain(|object| object["kind"] != "Namespace");
    for (kind, name) in [("Secret", "writ-hub-tls"), ("Secret", "writ-hub"), ("ConfigMap", "writ-hub")] {
        let metadata = json!({"name": name, "namespace": NAMESPACE});
        all.0.insert(0, json!({"apiVersion": "v1", "kind": kind, "metadata": metadata}));
    }
    let mut leftovers = all.named(&[]);
    leftovers.move_to(NAMESPACE, namespace.unwrap_or(NAMESPACE));
    Ok(leftovers)
}
