//! Objects of the cluster that policies read beside the review, replicated by list and watch: the kinds that the fleet's
//! `sync` names. Namespaces are replicated always, by themselves, for `namespaceObject`. Bounded; what cannot be replicated is said by kind.

use super::namespaces::ClusterNamespaces;
use crate::backoff::Backoff;
use crate::status::Status;
use anyhow::{Context, ensure};
use futures::{StreamExt, pin_mut};
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, ListParams, WatchEvent, WatchParams};
use kube::{Api, Client, discovery};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};
use writ_policy::Inventory;
use writ_policy::inventory::Replicated;

/// The most text of objects that is kept, in bytes, beside Namespaces.
const MOST_BYTES: usize = 64 << 20;
/// Objects of one answer to a list.
const PAGE: u32 = 500;

/// `namespace/name`, or `/name`.
type Key = String;
type Kind = HashMap<Key, Replicated>;

/// Written by [`replicate`], read by evaluation threads.
#[derive(Debug, Default)]
pub struct ClusterInventory {
    pub(crate) namespaces: Arc<ClusterNamespaces>,
    /// By `group/version/Kind`.
    kinds: RwLock<BTreeMap<String, Kind>>,
    version: AtomicU64,
    bytes: AtomicUsize,
}

impl Inventory for ClusterInventory {
    fn namespace(&self, name: &str) -> Option<Arc<str>> {
        self.namespaces.namespace(name)
    }

    fn version(&self) -> u64 {
        self.version.load(Relaxed)
    }

    fn objects(&self) -> Vec<Replicated> {
        let kinds = self.kinds.read().unwrap_or_else(PoisonError::into_inner);
        kinds.values().flat_map(HashMap::values).cloned().collect()
    }
}

impl ClusterInventory {
    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Kind>> {
        self.version.fetch_add(1, Relaxed);
        self.kinds.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn replace(&self, kind: &str, all: Kind) -> anyhow::Result<()> {
        let (new, old) = (size(&all), self.write().remove(kind).map_or(0, |old| size(&old)));
        let others = self.bytes.fetch_sub(old, Relaxed) - old;
        ensure!(others + new <= MOST_BYTES, "its objects have {new} bytes, and {MOST_BYTES} is the most for all kinds");
        self.bytes.fetch_add(new, Relaxed);
        self.write().insert(kind.to_owned(), all);
        Ok(())
    }

    fn apply(&self, kind: &str, object: Replicated) -> anyhow::Result<()> {
        let (key, new) = (key(&object), object.json.len());
        let mut kinds = self.write();
        let objects = kinds.entry(kind.to_owned()).or_default();
        let old = objects.insert(key, object).map_or(0, |old| old.json.len());
        let all = self.bytes.fetch_add(new, Relaxed) + new - old;
        self.bytes.fetch_sub(old, Relaxed);
        ensure!(all <= MOST_BYTES, "the replicated objects have more than {MOST_BYTES} bytes");
        Ok(())
    }

    fn remove(&self, kind: &str, object: &Replicated) {
        let gone = self.write().get_mut(kind).and_then(|objects| objects.remove(&key(object)));
        self.bytes.fetch_sub(gone.map_or(0, |gone| gone.json.len()), Relaxed);
    }

    fn forget(&self, kind: &str) {
        let gone = self.write().remove(kind);
        self.bytes.fetch_sub(gone.map_or(0, |gone| size(&gone)), Relaxed);
    }
}

fn size(objects: &Kind) -> usize {
    objects.values().map(|object| object.json.len()).sum()
}

fn key(object: &Replicated) -> Key {
    format!("{}/{}", object.namespace.as_deref().unwrap_or_default(), object.name)
}

/// Replicates the kinds that are wanted, as they change, until shutdown.
pub async fn replicate(
    client: Client,
    replica: Arc<ClusterInventory>,
    mut wanted: watch::Receiver<Vec<String>>,
    status: Arc<Status>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let mut running: BTreeMap<String, CancellationToken> = BTreeMap::new();
    let mut loops = JoinSet::new();
    loop {
        let kinds = wanted.borrow_and_update().clone();
        running.retain(|kind, stop| kinds.contains(kind) || stop_one(kind, stop, &replica, &status));
        for kind in &kinds {
            if !running.contains_key(kind) {
                let stop = shutdown.child_token();
                running.insert(kind.clone(), stop.clone());
                loops.spawn(follow(client.clone(), replica.clone(), kind.clone(), status.clone(), stop));
            }
        }
        tokio::select! {
            changed = wanted.changed() => if changed.is_err() { shutdown.cancelled().await },
            Some(ended) = loops.join_next() => ended.context("a loop of replication ended")?,
            () = shutdown.cancelled() => return Ok(()),
        }
    }
}

/// The kind is no longer wanted: always `false`, so that it is not retained.
fn stop_one(kind: &str, stop: &CancellationToken, replica: &ClusterInventory, status: &Status) -> bool {
    stop.cancel();
    replica.forget(kind);
    status.set_unreplicated(kind, None);
    false
}

/// Keeps one kind equal to the cluster. What is known stays known while the API server is away.
async fn follow(
    client: Client,
    replica: Arc<ClusterInventory>,
    kind: String,
    status: Arc<Status>,
    stop: CancellationToken,
) {
    let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(30));
    status.set_unreplicated(&kind, Some("it was not listed yet".into()));
    loop {
        let ended = tokio::select! {
            ended = list_and_watch(&client, &replica, &kind, &status) => ended,
            () = stop.cancelled() => return,
        };
        match ended {
            Ok(()) => backoff.reset(),
            Err(problem) => {
                let problem = format!("{problem:#}");
                warn!(error = problem, "{kind} cannot be replicated; policies see what was known");
                status.set_unreplicated(&kind, Some(problem));
            }
        }
        tokio::select! {
            () = tokio::time::sleep(backoff.next_pause()) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// One list in pages, and the changes since, until the watch ends, as it does every few minutes.
async fn list_and_watch(
    client: &Client,
    replica: &ClusterInventory,
    kind: &str,
    status: &Status,
) -> anyhow::Result<()> {
    let (resource, _) = discovery::pinned_kind(client, &parse(kind)?).await.context("looking for the kind")?;
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
    let mut all = Kind::new();
    let mut page = ListParams::default().limit(PAGE);
    let version = loop {
        let list = api.list(&page).await.context("listing")?;
        all.extend(list.items.into_iter().filter_map(|object| replicated(object, &resource)).map(|o| (key(&o), o)));
        match list.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => page = page.continue_token(&token),
            None => break list.metadata.resource_version.unwrap_or_default(),
        }
    };
    let count = all.len();
    replica.replace(kind, all)?;
    status.set_unreplicated(kind, None);
    info!(count, "{kind} is replicated");
    let changes = api.watch(&WatchParams::default(), &version).await.context("watching")?;
    pin_mut!(changes);
    while let Some(change) = changes.next().await {
        match change.context("watching")? {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                replicated(object, &resource).map_or(Ok(()), |object| replica.apply(kind, object))?;
            }
            WatchEvent::Deleted(object) => {
                let _ = replicated(object, &resource).map(|object| replica.remove(kind, &object));
            }
            WatchEvent::Bookmark(_) => {}
            WatchEvent::Error(status) => {
                debug!(code = status.code, "the watch of {kind} starts over");
                break;
            }
        }
    }
    Ok(())
}

/// `v1/Pod` or `networking.k8s.io/v1/Ingress`.
fn parse(kind: &str) -> anyhow::Result<GroupVersionKind> {
    let parts: Vec<&str> = kind.split('/').collect();
    match parts.as_slice() {
        [version, kind] => Ok(GroupVersionKind::gvk("", version, kind)),
        [group, version, kind] => Ok(GroupVersionKind::gvk(group, version, kind)),
        _ => anyhow::bail!("it is not `group/version/Kind`"),
    }
}

/// The object as policies see it. `managedFields` are as large as the rest and say nothing to a policy.
fn replicated(mut object: DynamicObject, resource: &ApiResource) -> Option<Replicated> {
    object.metadata.managed_fields = None;
    // A list leaves both out of its items.
    let types = kube::api::TypeMeta { api_version: resource.api_version.clone(), kind: resource.kind.clone() };
    object.types = Some(types);
    Some(Replicated {
        api_version: resource.api_version.as_str().into(),
        kind: resource.kind.as_str().into(),
        resource: resource.plural.as_str().into(),
        namespace: object.metadata.namespace.as_deref().map(Arc::from),
        name: object.metadata.name.as_deref()?.into(),
        json: serde_json::to_string(&object).ok()?.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::script::Script;
    use serde_json::{Value, json};

    const KIND: &str = "networking.k8s.io/v1/Ingress";

    fn ingress(name: &str, host: &str) -> Value {
        let metadata = json!({"name": name, "namespace": "shop", "managedFields": [{"manager": "kubectl"}]});
        json!({"metadata": metadata, "spec": {"rules": [{"host": host}]}})
    }

    fn discovery(script: Script) -> Script {
        let resource = json!({"name": "ingresses", "singularName": "ingress", "namespaced": true, "kind": "Ingress",
            "verbs": ["list", "watch"]});
        let list = json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "networking.k8s.io/v1",
            "resources": [resource]});
        script.expect("GET", "/apis/networking.k8s.io/v1", (200, list))
    }

    fn status() -> Status {
        Status::new(uuid::Uuid::nil(), 0)
    }

    #[tokio::test]
    async fn kind_is_listed_in_pages_and_followed() {
        let list = |metadata: Value, item: Value| {
            json!({"apiVersion": "networking.k8s.io/v1", "kind": "IngressList",
            "metadata": metadata, "items": [item]})
        };
        let path = "/apis/networking.k8s.io/v1/ingresses";
        let changes = [
            json!({"type": "MODIFIED", "object": ingress("a", "new.example")}),
            json!({"type": "DELETED", "object": ingress("b", "b.example")}),
        ];
        let lines = changes.map(|change| change.to_string()).join("\n");
        let script = discovery(Script::new())
            .expect("GET", path, (200, list(json!({"continue": "more"}), ingress("a", "a.example"))))
            .expect("GET", path, (200, list(json!({"resourceVersion": "7"}), ingress("b", "b.example"))))
            .stream("GET", path, lines);
        let replica = ClusterInventory::default();
        list_and_watch(&script.client(), &replica, KIND, &status()).await.unwrap();
        let objects = replica.objects();
        assert_eq!(objects.len(), 1);
        let object = &objects[0];
        assert_eq!(
            (&*object.kind, &*object.resource, object.namespace.as_deref()),
            ("Ingress", "ingresses", Some("shop"))
        );
        assert!(object.json.contains("new.example") && !object.json.contains("managedFields"), "{}", object.json);
        assert!(object.json.contains("\"apiVersion\":\"networking.k8s.io/v1\""), "{}", object.json);
        assert_eq!(replica.bytes.load(Relaxed), object.json.len());
        script.assert_done();
    }

    #[tokio::test]
    async fn missing_permission_is_told_by_kind() {
        let refusal = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403, "reason": "Forbidden",
            "message": "ingresses is forbidden"});
        let script = discovery(Script::new()).expect("GET", "/apis/networking.k8s.io/v1/ingresses", (403, refusal));
        let problem =
            list_and_watch(&script.client(), &ClusterInventory::default(), KIND, &status()).await.unwrap_err();
        assert!(format!("{problem:#}").contains("ingresses is forbidden"), "{problem:#}");
    }

    #[test]
    fn more_than_the_bound_is_refused_and_what_was_there_is_gone() {
        let replica = ClusterInventory::default();
        let object = |name: &str, bytes: usize| Replicated {
            api_version: "v1".into(),
            kind: "Pod".into(),
            resource: "pods".into(),
            namespace: None,
            name: name.into(),
            json: "x".repeat(bytes).into(),
        };
        replica.apply("v1/Pod", object("a", 10)).unwrap();
        assert!(replica.apply("v1/Pod", object("b", MOST_BYTES)).is_err());
        replica.forget("v1/Pod");
        assert_eq!((replica.bytes.load(Relaxed), replica.objects().len()), (0, 0));
    }
}
