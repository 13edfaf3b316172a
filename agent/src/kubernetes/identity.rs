//! The Secret with the identity that all replicas share: one enrollment per cluster. Whoever enrolls first writes it;
//! the others find it before they use the token, which is good for one use.

use super::Cluster;
use anyhow::Context;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{ObjectMeta, PostParams};
use std::collections::BTreeMap;
use std::time::Duration;
use writ_policy::wire::Enrolled;

const KEY: &str = "identity.json";
/// The longest that a start waits for the API server when it could go on without.
const PATIENCE: Duration = Duration::from_secs(3);

impl Cluster {
    /// The identity that a replica left.
    pub async fn identity(&self) -> anyhow::Result<Option<Enrolled>> {
        let secrets = self.secrets();
        let asked = tokio::time::timeout(PATIENCE, secrets.get_opt(&self.identity_secret));
        let found =
            asked.await.context("the API server does not answer")?.context("reading the Secret of the identity")?;
        let Some(content) = found.and_then(|found| found.data?.remove(KEY)) else { return Ok(None) };
        let damaged = || format!("the Secret `{}` is damaged; remove it and enroll again", self.identity_secret);
        serde_json::from_slice(&content.0).map(Some).with_context(damaged)
    }

    /// Leaves an identity for the other replicas. One that is there stays, and is the answer.
    pub async fn share_identity(&self, identity: &Enrolled) -> anyhow::Result<Option<Enrolled>> {
        let content = serde_json::to_vec(identity).expect("an identity has only string keys");
        let labels = BTreeMap::from([("app.kubernetes.io/managed-by".to_owned(), "writ-agent".to_owned())]);
        let name = Some(self.identity_secret.clone());
        let metadata = ObjectMeta { name, labels: Some(labels), ..ObjectMeta::default() };
        let data = Some(BTreeMap::from([(KEY.to_owned(), ByteString(content))]));
        let secret = Secret { metadata, data, ..Secret::default() };
        match self.secrets().create(&PostParams::default(), &secret).await {
            Ok(_) => Ok(None),
            Err(kube::Error::Api(status)) if status.code == 409 => self.identity().await,
            Err(problem) => Err(problem).context("writing the Secret of the identity"),
        }
    }

    /// Puts a renewed identity in the place of the one that replicas share.
    pub async fn replace_identity(&self, identity: &Enrolled) -> anyhow::Result<()> {
        let secrets = self.secrets();
        let mut secret = secrets.get(&self.identity_secret).await.context("reading the Secret of the identity")?;
        let content = serde_json::to_vec(identity).expect("an identity has only string keys");
        secret.data.get_or_insert_default().insert(KEY.to_owned(), ByteString(content));
        let replaced = secrets.replace(&self.identity_secret, &PostParams::default(), &secret).await;
        replaced.context("writing the Secret of the identity").map(drop)
    }

    fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::script::{Script, absent, conflict};
    use serde_json::{Value, json};

    const PATH: &str = "/api/v1/namespaces/writ-system/secrets/writ-agent-identity";
    const ALL: &str = "/api/v1/namespaces/writ-system/secrets";

    fn identity(agent: &str) -> Enrolled {
        serde_json::from_value(json!({
            "agent": agent, "cluster": "prod", "labels": {}, "credential": "secret-word",
            "hub_key": writ_policy::sign::SigningKey::generate().0.public(),
        }))
        .unwrap()
    }

    fn secret(identity: &Enrolled) -> Value {
        let content = ByteString(serde_json::to_vec(identity).unwrap());
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {}, "data": {KEY: content}})
    }

    #[tokio::test]
    async fn second_replica_takes_the_identity_of_the_first() {
        let first = identity("018f0000-0000-7000-8000-000000000001");
        let script = Script::new().expect("GET", PATH, absent()).expect("POST", ALL, conflict()).expect(
            "GET",
            PATH,
            (200, secret(&first)),
        );
        let cluster = script.cluster(&[]);
        assert!(cluster.identity().await.unwrap().is_none());
        let second = identity("018f0000-0000-7000-8000-000000000002");
        let stays = cluster.share_identity(&second).await.unwrap().unwrap();
        assert_eq!(stays.agent, first.agent);
        script.assert_done();
    }

    #[tokio::test]
    async fn renewed_identity_takes_the_place_of_the_former() {
        let identity = identity("018f0000-0000-7000-8000-000000000001");
        let script =
            Script::new().expect("GET", PATH, (200, secret(&identity))).expect("PUT", PATH, (200, secret(&identity)));
        script.cluster(&[]).replace_identity(&identity).await.unwrap();
        script.assert_done();
    }

    #[tokio::test]
    async fn damaged_identity_is_told_without_its_secrets() {
        let content = ByteString(b"{\"credential\": \"secret-word\"".to_vec());
        let script = Script::new().expect("GET", PATH, (200, json!({"metadata": {}, "data": {KEY: content}})));
        let problem = format!("{:#}", script.cluster(&[]).identity().await.unwrap_err());
        assert!(problem.contains("writ-agent-identity") && !problem.contains("secret-word"), "{problem}");
    }
}
