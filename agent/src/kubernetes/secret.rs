//! The Secret with the webhook's certificate: created by whichever replica is first, read by all, renewed by whichever
//! notices first. Replicas agree because a create or an update that comes second is refused by the API server.

use super::Cluster;
use crate::certificate::Material;
use crate::config::CertificateFrom;
use anyhow::{Context, bail};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{ObjectMeta, PostParams};
use std::collections::BTreeMap;

/// How often another replica may be faster in a row.
const ATTEMPTS: usize = 5;

/// The certificate that the Secret holds, made or renewed where it has to be. A Secret that is gone is made again of
/// what is shown, so that nobody notices.
pub(super) async fn ensure(cluster: &Cluster, shown: Option<&Material>, now: i64) -> anyhow::Result<Material> {
    let secrets: Api<Secret> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    for _ in 0..ATTEMPTS {
        let found = secrets.get_opt(&cluster.secret).await.context("reading the Secret of the certificate")?;
        if cluster.certificate_from == CertificateFrom::Secret {
            return foreign(cluster, found.as_ref(), now);
        }
        let kept = found.as_ref().and_then(material);
        let wanted = match kept.clone().or_else(|| shown.cloned()) {
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

/// What somebody else keeps there. Without an authority the webhook configuration's is left to them too.
fn foreign(cluster: &Cluster, found: Option<&Secret>, now: i64) -> anyhow::Result<Material> {
    let name = &cluster.secret;
    let found = found.with_context(|| format!("there is no Secret `{name}` yet; --certificate=secret waits for it"))?;
    let certificate = text(found, "tls.crt").with_context(|| format!("the Secret `{name}` has no tls.crt"))?;
    let key = text(found, "tls.key").with_context(|| format!("the Secret `{name}` has no tls.key"))?;
    let (authority, former) = text(found, "ca.crt").map(|trusted| Material::split(&trusted)).unwrap_or_default();
    let material = Material { authority, former, authority_key: String::new(), certificate, key };
    let names = cluster.names.join(", ");
    // A Service has several names; the API server asks for one of them.
    let good = cluster.names.iter().any(|one| material.serves(std::slice::from_ref(one), now));
    anyhow::ensure!(
        good,
        "the certificate of the Secret `{name}` has ended, is not of its key, or is for none of {names}"
    );
    Ok(material)
}

fn new(cluster: &Cluster, material: &Material) -> Secret {
    let labels = BTreeMap::from([("app.kubernetes.io/managed-by".to_owned(), "writ-agent".to_owned())]);
    let metadata = ObjectMeta { name: Some(cluster.secret.clone()), labels: Some(labels), ..ObjectMeta::default() };
    Secret { metadata, type_: Some("kubernetes.io/tls".into()), data: Some(data(material)), ..Secret::default() }
}

fn data(material: &Material) -> BTreeMap<String, ByteString> {
    let trusted = material.trusted();
    let Material { authority_key, certificate, key, .. } = material;
    [("ca.crt", &trusted), ("ca.key", authority_key), ("tls.crt", certificate), ("tls.key", key)]
        .map(|(name, text)| (name.to_owned(), ByteString(text.clone().into_bytes())))
        .into()
}

/// `None` when a part is missing, as in a Secret that somebody made by hand. Without its key the authority is followed
/// by a new one, and is trusted until it ends.
fn material(secret: &Secret) -> Option<Material> {
    let (authority, former) = Material::split(&text(secret, "ca.crt")?);
    let authority_key = text(secret, "ca.key").unwrap_or_default();
    Some(Material {
        authority,
        former,
        authority_key,
        certificate: text(secret, "tls.crt")?,
        key: text(secret, "tls.key")?,
    })
}

fn text(secret: &Secret, name: &str) -> Option<String> {
    String::from_utf8(secret.data.as_ref()?.get(name)?.0.clone()).ok()
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
        let material = ensure(&script.cluster(&names()), None, NOW).await.unwrap();
        let sent = &script.bodies()[1];
        assert_eq!(sent["metadata"]["name"], "writ-agent-tls");
        assert_eq!(sent["data"]["tls.crt"], json!(ByteString(material.certificate.into_bytes())));
        script.assert_done();
    }

    #[tokio::test]
    async fn deleted_secret_is_made_again_of_what_is_shown() {
        let shown = other();
        let script = Script::new().expect("GET", PATH, absent()).expect("POST", ALL, (201, secret(&shown)));
        assert_eq!(ensure(&script.cluster(&names()), Some(&shown), NOW).await.unwrap(), shown);
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
        assert_eq!(ensure(&script.cluster(&names()), None, NOW).await.unwrap(), first);
        script.assert_done();
    }

    #[tokio::test]
    async fn certificate_near_its_end_is_renewed_on_the_version_that_was_read() {
        let kept = other();
        let script = Script::new().expect("GET", PATH, (200, secret(&kept))).expect("PUT", PATH, (200, secret(&kept)));
        let renewed = ensure(&script.cluster(&names()), None, NOW + 310 * DAY).await.unwrap();
        assert_eq!(renewed.authority, kept.authority);
        assert_ne!(renewed.certificate, kept.certificate);
        assert_eq!(script.bodies()[1]["metadata"]["resourceVersion"], "7");
        script.assert_done();
    }

    #[tokio::test]
    async fn authority_without_its_key_is_followed_and_still_trusted() {
        let kept = other();
        let mut damaged = secret(&kept);
        damaged["data"].as_object_mut().unwrap().remove("ca.key");
        let script = Script::new().expect("GET", PATH, (200, damaged)).expect("PUT", PATH, (200, secret(&kept)));
        let next = ensure(&script.cluster(&names()), None, NOW).await.unwrap();
        assert_eq!(next.trusted(), format!("{}{}", next.authority, kept.authority));
        assert_ne!(next.authority, kept.authority);
        script.assert_done();
    }

    #[tokio::test]
    async fn secret_of_another_is_read_and_never_written() {
        let theirs = other();
        let script = Script::new().expect("GET", PATH, (200, secret(&theirs))).expect("GET", PATH, absent());
        let cluster = script.cluster_of(&["--certificate=secret", "--dns-name=writ-agent.writ-system.svc"]);
        let read = ensure(&cluster, None, NOW).await.unwrap();
        assert_eq!((read.certificate, read.authority), (theirs.certificate, theirs.authority));
        let problem = ensure(&cluster, None, NOW).await.unwrap_err().to_string();
        assert!(problem.contains("there is no Secret `writ-agent-tls` yet"), "{problem}");
        script.assert_done();
    }
}
