//! The Secrets in which replicas share the last good policies, in parts that an API server takes. The first part says how
//! many there are and what all of them together are, and is written last.

use super::Cluster;
use anyhow::{Context, ensure};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{ObjectMeta, PostParams};
use std::collections::BTreeMap;
use writ_policy::Digest;

/// The most bytes of one part: a Secret may have 1 MiB.
const PART_BYTES: usize = 900 << 10;
/// The most parts; the agent's role names as many.
const MOST_PARTS: usize = 4;
/// The most bytes that can be shared.
pub const MOST_BYTES: usize = PART_BYTES * MOST_PARTS;

const KEY: &str = "policies";
/// Of which assignment it is.
const MARK: &str = "writ.dev/assignment";
const PARTS: &str = "writ.dev/parts";
const DIGEST: &str = "writ.dev/digest";

impl Cluster {
    /// Whether policies are shared at all.
    pub fn shares(&self) -> bool {
        !self.policies_secret.is_empty()
    }

    /// Of which assignment the shared policies are.
    pub async fn shared_mark(&self) -> anyhow::Result<Option<String>> {
        let head =
            self.policies().get_opt(&self.policies_secret).await.context("reading the Secret of the policies")?;
        Ok(head.and_then(|head| annotation(&head, MARK)))
    }

    /// The policies as they were shared. `None` when nobody has.
    pub async fn shared_policies(&self) -> anyhow::Result<Option<Vec<u8>>> {
        if !self.shares() {
            return Ok(None);
        }
        let read = || format!("reading the Secret `{}`", self.policies_secret);
        let Some(head) = self.policies().get_opt(&self.policies_secret).await.with_context(read)? else {
            return Ok(None);
        };
        let parts: usize = annotation(&head, PARTS).and_then(|parts| parts.parse().ok()).unwrap_or(0);
        let expected = annotation(&head, DIGEST).unwrap_or_default();
        ensure!((1..=MOST_PARTS).contains(&parts), "the Secret `{}` does not say its parts", self.policies_secret);
        let mut all = content(head);
        for number in 1..parts {
            all.extend(content(self.policies().get(&self.part(number)).await.with_context(read)?));
        }
        ensure!(Digest::of(&all).to_string() == expected, "the shared policies are not whole");
        Ok(Some(all))
    }

    /// Shares the policies of this assignment.
    pub async fn share_policies(&self, mark: &str, all: &[u8]) -> anyhow::Result<()> {
        ensure!(all.len() <= MOST_BYTES, "they have {} bytes, and there is room for {MOST_BYTES}", all.len());
        let parts: Vec<&[u8]> = all.chunks(PART_BYTES).collect();
        let annotations = BTreeMap::from([
            (MARK.to_owned(), mark.to_owned()),
            (PARTS.to_owned(), parts.len().to_string()),
            (DIGEST.to_owned(), Digest::of(all).to_string()),
        ]);
        for (number, part) in parts.iter().enumerate().rev() {
            self.write(&self.part(number), part, &annotations).await?;
        }
        Ok(())
    }

    async fn write(&self, name: &str, part: &[u8], annotations: &BTreeMap<String, String>) -> anyhow::Result<()> {
        let labels = BTreeMap::from([("app.kubernetes.io/managed-by".to_owned(), "writ-agent".to_owned())]);
        let metadata = ObjectMeta {
            name: Some(name.to_owned()),
            labels: Some(labels),
            annotations: Some(annotations.clone()),
            ..ObjectMeta::default()
        };
        let data = Some(BTreeMap::from([(KEY.to_owned(), ByteString(part.to_vec()))]));
        let secret = Secret { metadata, data, ..Secret::default() };
        let secrets = self.policies();
        let written = match secrets.get_opt(name).await.with_context(|| format!("reading the Secret `{name}`"))? {
            Some(found) => {
                let mut secret = secret;
                secret.metadata.resource_version = found.metadata.resource_version;
                secrets.replace(name, &PostParams::default(), &secret).await
            }
            None => secrets.create(&PostParams::default(), &secret).await,
        };
        written.map(drop).with_context(|| format!("writing the Secret `{name}`"))
    }

    fn part(&self, number: usize) -> String {
        match number {
            0 => self.policies_secret.clone(),
            number => format!("{}-{number}", self.policies_secret),
        }
    }

    fn policies(&self) -> Api<Secret> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }
}

fn annotation(secret: &Secret, name: &str) -> Option<String> {
    secret.metadata.annotations.as_ref()?.get(name).cloned()
}

fn content(secret: Secret) -> Vec<u8> {
    secret.data.and_then(|mut data| data.remove(KEY)).unwrap_or_default().0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::script::{Script, absent};
    use serde_json::{Value, json};

    const ALL: &str = "/api/v1/namespaces/writ-system/secrets";
    const HEAD: &str = "/api/v1/namespaces/writ-system/secrets/writ-agent-policies";
    const SECOND: &str = "/api/v1/namespaces/writ-system/secrets/writ-agent-policies-1";

    #[tokio::test]
    async fn what_is_shared_in_parts_is_read_whole_or_not_at_all() {
        let content: Vec<u8> = (0..PART_BYTES + 10).map(|number| (number % 251) as u8).collect();
        let script = Script::new()
            .expect("GET", SECOND, absent())
            .expect("POST", ALL, (201, json!({})))
            .expect("GET", HEAD, (200, json!({"metadata": {"resourceVersion": "7"}})))
            .expect("PUT", HEAD, (200, json!({})));
        script.cluster(&[]).share_policies("mark", &content).await.unwrap();
        script.assert_done();
        let written: Vec<Value> = script.bodies();
        let (second, head) = (&written[1], &written[3]);
        assert_eq!(head["metadata"]["resourceVersion"], "7", "who was faster is not overwritten");

        let script =
            Script::new().expect("GET", HEAD, (200, head.clone())).expect("GET", SECOND, (200, second.clone()));
        assert_eq!(script.cluster(&[]).shared_policies().await.unwrap().unwrap(), content);
        let script = Script::new().expect("GET", HEAD, (200, head.clone())).expect("GET", SECOND, (200, head.clone()));
        let problem = script.cluster(&[]).shared_policies().await.unwrap_err().to_string();
        assert!(problem.contains("not whole"), "{problem}");
    }

    #[tokio::test]
    async fn nothing_is_shared_yet_or_ever() {
        let script = Script::new().expect("GET", HEAD, absent());
        assert!(script.cluster(&[]).shared_policies().await.unwrap().is_none());
        let off = Script::new();
        assert!(off.cluster_of(&["--policies-secret="]).shared_policies().await.unwrap().is_none());
    }
}
