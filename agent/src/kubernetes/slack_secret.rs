//! The webhook URL of a namespace's Slack channel, from its Secret, where the owners of the namespace opted in by a label
//! and let the agent get that one Secret. Nothing is asked about other namespaces.

use crate::clock;
use crate::namespaces::KnownNamespaces;
use crate::tell::slack::Channels;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tracing::warn;

/// The label of a Namespace whose owners opted in.
const OPTED_IN: &str = "writ.dev/slack";
const SECRET: &str = "magtape-slack";
const KEY: &str = "webhook-url";
/// How long an answer holds, also that there is none.
const HOLDS_MS: i64 = 60_000;
/// The most answers that are kept.
const MOST: usize = 1_024;
/// The longest that the API server may take.
const TIMEOUT: Duration = Duration::from_secs(5);

type Known = Arc<Mutex<HashMap<String, (Option<String>, i64)>>>;

/// Finds channels in the Secrets of namespaces that opted in.
pub fn channels(client: Client, namespaces: KnownNamespaces) -> Channels {
    let known = Known::default();
    Arc::new(move |namespace| {
        let (client, known, opted_in) = (client.clone(), known.clone(), is_opted_in(&namespaces, &namespace));
        Box::pin(async move { if opted_in { find(client, known, namespace).await } else { None } })
    })
}

fn is_opted_in(namespaces: &KnownNamespaces, name: &str) -> bool {
    let object = namespaces.find(name).and_then(|text| serde_json::from_str::<Value>(&text).ok());
    object.is_some_and(|object| object["metadata"]["labels"][OPTED_IN] == "enabled")
}

async fn find(client: Client, known: Known, namespace: String) -> Option<String> {
    let now = clock::now();
    {
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((url, _)) = known.get(&namespace).filter(|(_, until)| now < *until) {
            return url.clone();
        }
        if known.len() >= MOST {
            known.clear();
        }
    }
    let secrets: Api<Secret> = Api::namespaced(client, &namespace);
    let url = match tokio::time::timeout(TIMEOUT, secrets.get_opt(SECRET)).await {
        Ok(Ok(secret)) => secret.and_then(url_of),
        Ok(Err(problem)) => {
            let problem = match &problem {
                kube::Error::Api(status) => status.message.clone(),
                other => other.to_string(),
            };
            warn!(namespace, error = problem, "the Secret {SECRET} of a namespace that opted in cannot be read");
            None
        }
        Err(_) => None,
    };
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    known.insert(namespace, (url.clone(), now + HOLDS_MS));
    url
}

fn url_of(secret: Secret) -> Option<String> {
    let bytes = secret.data?.remove(KEY)?.0;
    String::from_utf8(bytes).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::script::Script;
    use crate::namespaces::NamespaceFolder;
    use k8s_openapi::ByteString;
    use serde_json::json;

    fn namespaces() -> KnownNamespaces {
        let folder = tempfile::tempdir().unwrap();
        let yaml = "kind: Namespace\nmetadata: {name: shop, labels: {writ.dev/slack: enabled}}\n---\n\
                    kind: Namespace\nmetadata: {name: bank}\n";
        std::fs::write(folder.path().join("a.yaml"), yaml).unwrap();
        KnownNamespaces::Folder(Arc::new(NamespaceFolder::load(folder.path()).unwrap()))
    }

    #[tokio::test]
    async fn secret_is_read_once_and_only_where_the_owners_opted_in() {
        let url = ByteString(b"https://hooks.slack.com/services/T\n".to_vec());
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET}, "data": {KEY: url}});
        let script = Script::new().expect("GET", "/api/v1/namespaces/shop/secrets/magtape-slack", (200, secret));
        let channels = channels(script.client(), namespaces());
        for _ in 0..2 {
            assert_eq!(channels("shop".into()).await.as_deref(), Some("https://hooks.slack.com/services/T"));
        }
        assert_eq!(channels("bank".into()).await, None);
        assert_eq!(channels("unknown".into()).await, None);
        script.assert_done();
    }
}
