//! Namespace objects of the cluster, replicated by list and watch, for policies that read them.

use crate::backoff::Backoff;
use anyhow::Context;
use futures::{StreamExt, pin_mut};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{ListParams, WatchEvent, WatchParams};
use kube::{Api, Client};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};
use writ_policy::Inventory;

/// Written by [`replicate`], read by evaluation threads.
#[derive(Debug, Default)]
pub struct ClusterNamespaces(RwLock<HashMap<String, Arc<str>>>);

impl Inventory for ClusterNamespaces {
    fn namespace(&self, name: &str) -> Option<Arc<str>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}

impl ClusterNamespaces {
    /// Every Namespace, by name.
    pub(crate) fn each(&self, mut look: impl FnMut(&str, &str)) {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.iter().for_each(|(name, text)| look(name, text));
    }

    fn replace(&self, all: impl IntoIterator<Item = Namespace>) {
        let all = all.into_iter().filter_map(entry).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = all;
    }

    fn apply(&self, namespace: Namespace) {
        if let Some((name, text)) = entry(namespace) {
            self.0.write().unwrap_or_else(PoisonError::into_inner).insert(name, text);
        }
    }

    fn remove(&self, namespace: &Namespace) {
        if let Some(name) = &namespace.metadata.name {
            self.0.write().unwrap_or_else(PoisonError::into_inner).remove(name);
        }
    }
}

/// The name and the object as policies see it. `managedFields` are as large as the rest and say nothing to a policy.
fn entry(mut namespace: Namespace) -> Option<(String, Arc<str>)> {
    namespace.metadata.managed_fields = None;
    let text = serde_json::to_string(&namespace).ok()?;
    Some((namespace.metadata.name?, text.into()))
}

/// Keeps the replica equal to the cluster until shutdown. What is known stays known while the API server is away.
pub async fn replicate(
    client: Client,
    replica: Arc<ClusterNamespaces>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(30));
    loop {
        let ended = tokio::select! {
            ended = list_and_watch(&client, &replica) => ended,
            () = shutdown.cancelled() => return Ok(()),
        };
        match ended {
            Ok(()) => backoff.reset(),
            Err(problem) => warn!(error = format!("{problem:#}"), "Namespaces cannot be followed; using what is known"),
        }
        tokio::select! {
            () = tokio::time::sleep(backoff.next_pause()) => {}
            () = shutdown.cancelled() => return Ok(()),
        }
    }
}

/// One list and the changes since, until the watch ends, as it does every few minutes.
async fn list_and_watch(client: &Client, replica: &ClusterNamespaces) -> anyhow::Result<()> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let list = namespaces.list(&ListParams::default()).await.context("listing Namespaces")?;
    let version = list.metadata.resource_version.clone().unwrap_or_default();
    replica.replace(list.items);
    let changes = namespaces.watch(&WatchParams::default(), &version).await.context("watching Namespaces")?;
    pin_mut!(changes);
    while let Some(change) = changes.next().await {
        match change.context("watching Namespaces")? {
            WatchEvent::Added(namespace) | WatchEvent::Modified(namespace) => replica.apply(namespace),
            WatchEvent::Deleted(namespace) => replica.remove(&namespace),
            WatchEvent::Bookmark(_) => {}
            WatchEvent::Error(status) => {
                debug!(code = status.code, "the watch of Namespaces starts over");
                break;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::script::Script;
    use serde_json::{Value, json};

    fn namespace(name: &str, range: &str) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {
                "name": name, "annotations": {"k8s.t-mobile.com/nodeportRange": range},
                "managedFields": [{"manager": "kubectl"}],
            },
        })
    }

    #[tokio::test]
    async fn replica_follows_the_list_and_the_changes() {
        let list = json!({
            "apiVersion": "v1", "kind": "NamespaceList", "metadata": {"resourceVersion": "5"},
            "items": [namespace("shop", "30000"), namespace("gone", "na")],
        });
        let changes = [
            json!({"type": "MODIFIED", "object": namespace("shop", "31000")}),
            json!({"type": "DELETED", "object": namespace("gone", "na")}),
            json!({"type": "ADDED", "object": namespace("bank", "na")}),
        ];
        let lines = changes.map(|change| change.to_string()).join("\n");
        let script =
            Script::new().expect("GET", "/api/v1/namespaces", (200, list)).stream("GET", "/api/v1/namespaces", lines);
        let replica = ClusterNamespaces::default();
        list_and_watch(&script.client(), &replica).await.unwrap();
        let shop = replica.namespace("shop").unwrap();
        assert!(shop.contains("31000") && !shop.contains("managedFields"), "{shop}");
        assert!(shop.contains("\"kind\":\"Namespace\""));
        assert!(replica.namespace("gone").is_none() && replica.namespace("bank").is_some());
        script.assert_done();
    }
}
