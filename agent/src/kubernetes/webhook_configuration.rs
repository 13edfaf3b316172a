//! The authority in the agent's own ValidatingWebhookConfiguration. Only the webhooks that call the agent's Service are
//! touched, and of those only `caBundle`.

use super::Cluster;
use anyhow::Context;
use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::{ValidatingWebhook, ValidatingWebhookConfiguration};
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use tracing::info;

/// Makes the configuration name this authority.
pub(super) async fn ensure(cluster: &Cluster, authority: &str) -> anyhow::Result<()> {
    let name = &cluster.webhook_configuration;
    let configurations: Api<ValidatingWebhookConfiguration> = Api::all(cluster.client.clone());
    let found = configurations.get_opt(name).await.context("reading the webhook configuration")?;
    let found = found.with_context(|| format!("there is no ValidatingWebhookConfiguration `{name}`"))?;
    let bundle = ByteString(authority.as_bytes().to_vec());
    let outdated: Vec<_> = found
        .webhooks
        .iter()
        .flatten()
        .filter(|webhook| calls(cluster, webhook) && webhook.client_config.ca_bundle.as_ref() != Some(&bundle))
        .map(|webhook| json!({"name": webhook.name, "clientConfig": {"caBundle": bundle}}))
        .collect();
    if outdated.is_empty() {
        return Ok(());
    }
    let patch = Patch::Strategic(json!({"webhooks": outdated}));
    let patched = configurations.patch(name, &PatchParams::default(), &patch).await;
    patched.context("writing the authority to the webhook configuration")?;
    info!("the webhook configuration `{name}` names the agent's authority");
    Ok(())
}

fn calls(cluster: &Cluster, webhook: &ValidatingWebhook) -> bool {
    let service = webhook.client_config.service.as_ref();
    service.is_some_and(|service| service.name == cluster.service && service.namespace == cluster.namespace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::script::{Script, absent};
    use serde_json::Value;

    const PATH: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/writ";

    fn configuration(bundle: &str) -> Value {
        let webhook = |name: &str, service: &str| {
            json!({
                "name": name, "admissionReviewVersions": ["v1"], "sideEffects": "None",
                "clientConfig": {
                    "service": {"name": service, "namespace": "writ-system"},
                    "caBundle": ByteString(bundle.as_bytes().to_vec()),
                },
            })
        };
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "writ"},
            "webhooks": [webhook("validate.writ.dev", "writ-agent"), webhook("other.example", "other")],
        })
    }

    #[tokio::test]
    async fn authority_is_written_to_the_agents_own_webhook_alone() {
        let script = Script::new().expect("GET", PATH, (200, configuration("old"))).expect(
            "PATCH",
            PATH,
            (200, configuration("new")),
        );
        ensure(&script.cluster(&[]), "new").await.unwrap();
        let webhooks = script.bodies()[1]["webhooks"].clone();
        let bundle = ByteString(b"new".to_vec());
        assert_eq!(webhooks, json!([{"name": "validate.writ.dev", "clientConfig": {"caBundle": bundle}}]));
        script.assert_done();
    }

    #[tokio::test]
    async fn right_authority_is_left_alone() {
        let script = Script::new().expect("GET", PATH, (200, configuration("new")));
        ensure(&script.cluster(&[]), "new").await.unwrap();
        script.assert_done();
    }

    #[tokio::test]
    async fn absent_configuration_is_named() {
        let script = Script::new().expect("GET", PATH, absent());
        let problem = ensure(&script.cluster(&[]), "new").await.unwrap_err();
        assert_eq!(problem.to_string(), "there is no ValidatingWebhookConfiguration `writ`");
        script.assert_done();
    }
}
