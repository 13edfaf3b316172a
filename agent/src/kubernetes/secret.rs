//! The Secret with the webhook's certificate: created by whichever replica is first, read by all, renewed by whichever
//! notices first. Replicas agree because a create or an update that comes second is refused by the API server.

use super::Cluster;
use crate::certificate::Material;
use anyhow::{Context, bail};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{ObjectMeta, PostParams};
use std::collections::BTreeMap;

/// How often another replica may be faster in a row.
const ATTEMPTS: usize = 5;

/// The certificate that the Secret holds, made or renewed where it has to be.
pub(super) async fn ensure(cluster: &Cluster, now: i64) -> anyhow::Result<Material> {
    let secrets: Api<Secret> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    for _ in 0..ATTEMPTS {
        let found = secrets.get_opt(&cluster.secret).await.context("reading the Secret of the certificate")?;
        let kept = found.as_ref().and_then(material);
        let wanted = match kept.clone() {
            Some(kept) => kept.or_renewed(&cluster.names, now)?,
            None => Material::generate(&cluster.names, now)?,
        };
        if kept.as_ref() == Some(&wanted) {
            return Ok(wanted);
        }
        let written = match found {
            Some(found) => {
                let secret = Secret { data: Some(data(&wanted)), ..found };
                secrets.replace(&cluster.secret, &PostParams::default(), &secret).await
            }
            None => secrets.create(&PostParams::default(), &new(cluster, &wanted)).await,
        };
        match written {
            Ok(_) => return Ok(wanted),
            Err(kube::Error::Api(status)) if status.code == 409 => {}
            Err(problem) => return Err(problem).context("writing the Secret of the certificate"),
        }
    }
    bail!("other replicas kept changing the Secret {}", cluster.secret)
}

fn new(cluster: &Cluster, material: &Material) -> Secret {
    let labels = BTreeMap::from([("app.kubernetes.io/managed-by".to_owned(), "writ-agent".to_owned())]);
    let metadata = ObjectMeta { name: Some(cluster.secret.clone()), labels: Some(labels), ..ObjectMeta::default() };
    Secret { metadata, type_: Some("kubernetes.io/tls".into()), data: Some(data(material)), ..Secret::default() }
}

fn data(material: &Material) -> BTreeMap<String, ByteString> {
    let Material { authority, authority_key, certificate, key } = material;
    [("ca.crt", authority), ("ca.key", authority_key), ("tls.crt", certificate), ("tls.key", key)]
        .map(|(name, text)| (name.to_owned(), ByteString(text.clone().into_bytes())))
        .into()
}

/// `None` when a part is missing, as in a Secret that somebody made by hand.
fn material(secret: &Secret) -> Option<Material> {
    let text = |name: &str| String::from_utf8(secret.data.as_ref()?.get(name)?.0.clone()).ok();
    Some(Material {
        authority: text("ca.crt")?,
        authority_key: text("ca.key")?,
        certificate: text("tls.crt")?,
        key: text("tls.key")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::script::{Script, absent, conflict};
    use serde_json::json;

    const PATH: &str = "/api/v1/namespaces/writ-system/secrets/writ-agent-tls";
    const ALL: &str = "/api/v1/namespaces/writ-system/secrets";
    const NOW: i64 = 1_790_000_000_000;
    const DAY: i64 = 86_400_000;

    fn names() -> Vec<String> {
        vec!["writ-agent.writ-system.svc".into()]
    }

    fn secret(material: &Material) -> serde_json::Value {
        let metadata = ObjectMeta { resource_version: Some("7".into()), ..ObjectMeta::default() };
        json!(Secret { metadata, data: Some(data(material)), ..Secret::default() })
    }

    fn other() -> Material {
        Material::generate(&names(), NOW).unwrap()
    }

    #[tokio::test]
    async fn first_replica_creates_the_secret() {
        let script = Script::new().expect("GET", PATH, absent()).expect("POST", ALL, (201, secret(&other())));
        let material = ensure(&script.cluster(&names()), NOW).await.unwrap();
        let sent = &script.bodies()[1];
        assert_eq!(sent["metadata"]["name"], "writ-agent-tls");
        assert_eq!(sent["data"]["tls.crt"], json!(ByteString(material.certificate.into_bytes())));
        script.assert_done();
    }

    #[tokio::test]
    async fn second_replica_takes_what_the_first_created() {
        let first = other();
        let script = Script::new().expect("GET", PATH, absent()).expect("POST", ALL, conflict()).expect(
            "GET",
            PATH,
            (200, secret(&first)),
        );
        assert_eq!(ensure(&script.cluster(&names()), NOW).await.unwrap(), first);
        script.assert_done();
    }

    #[tokio::test]
    async fn certificate_near_its_end_is_renewed_on_the_version_that_was_read() {
        let kept = other();
        let script = Script::new().expect("GET", PATH, (200, secret(&kept))).expect("PUT", PATH, (200, secret(&kept)));
        let renewed = ensure(&script.cluster(&names()), NOW + 310 * DAY).await.unwrap();
        assert_eq!(renewed.authority, kept.authority);
        assert_ne!(renewed.certificate, kept.certificate);
        assert_eq!(script.bodies()[1]["metadata"]["resourceVersion"], "7");
        script.assert_done();
    }
}
