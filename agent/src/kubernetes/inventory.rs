//! Objects of the cluster that policies read beside the review: the kinds that the fleet's `sync` names, and Namespaces
//! always, for `namespaceObject`. Bounded; what cannot be replicated is said by kind.

use crate::metrics::Metrics;
use crate::objects::{Object, ObjectName, Resource};
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use writ_policy::Inventory;
use writ_policy::inventory::Replicated;

/// The most text of objects that is kept, in bytes, beside Namespaces.
const MOST_BYTES: usize = 64 << 20;

/// Written by followers, read by evaluation threads.
#[derive(Debug)]
pub struct ClusterInventory {
    state: RwLock<State>,
    version: AtomicU64,
    metrics: Arc<Metrics>,
}

#[derive(Debug, Default)]
struct State {
    /// By `group/version/Kind`.
    kinds: HashMap<String, Kind>,
    namespaces: HashMap<Arc<str>, Stored>,
    bytes: usize,
}

/// The objects of one kind.
#[derive(Debug, Default)]
struct Kind {
    api_version: Arc<str>,
    kind: Arc<str>,
    plural: Arc<str>,
    objects: HashMap<ObjectName, Stored>,
    /// There was no room; until the kind is asked for anew.
    refused: bool,
}

#[derive(Debug)]
struct Stored {
    generation: u32,
    marks: u64,
    json: Arc<str>,
}

impl Inventory for ClusterInventory {
    fn namespace(&self, name: &str) -> Option<Arc<str>> {
        self.read().namespaces.get(name).map(|stored| stored.json.clone())
    }

    fn version(&self) -> u64 {
        self.version.load(Relaxed)
    }

    fn objects(&self) -> Vec<Replicated> {
        let state = self.read();
        let of = |kind: &Kind, (name, stored): (&ObjectName, &Stored)| Replicated {
            api_version: kind.api_version.clone(),
            kind: kind.kind.clone(),
            resource: kind.plural.clone(),
            namespace: name.namespace.clone(),
            name: name.name.clone(),
            json: stored.json.clone(),
        };
        state.kinds.values().flat_map(|kind| kind.objects.iter().map(move |object| of(kind, object))).collect()
    }
}

impl ClusterInventory {
    /// Knows of nothing yet.
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self { state: RwLock::default(), version: AtomicU64::new(0), metrics }
    }

    /// From now on these kinds are kept, and no others.
    pub(super) fn want(&self, resources: &BTreeSet<Resource>) {
        let mut state = self.write();
        let names: HashMap<String, &Resource> = resources.iter().map(|it| (it.group_version_kind(), it)).collect();
        state.kinds.retain(|kind, _| names.contains_key(kind));
        for (name, resource) in names {
            let kind = state.kinds.entry(name).or_default();
            kind.refused = false;
            kind.api_version = resource.api_version().into();
            kind.kind = resource.kind.as_str().into();
            kind.plural = resource.plural.as_str().into();
        }
        state.bytes = state.kinds.values().flat_map(|kind| kind.objects.values()).map(|it| it.json.len()).sum();
        self.changed(state);
    }

    /// Objects as they are now. An error when there is no room for the kind; none of it is kept then, because part of
    /// it would be worse than nothing.
    pub(super) fn apply(&self, resource: &Resource, objects: &[Object], generation: u32) -> Result<(), String> {
        let mut state = self.write();
        let State { kinds, bytes, .. } = &mut *state;
        let Some(kind) = kinds.get_mut(&resource.group_version_kind()).filter(|kind| !kind.refused) else {
            return Ok(());
        };
        for object in objects {
            *bytes += object.json.len();
            let stored = Stored { generation, marks: 0, json: object.json.clone() };
            let old = kind.objects.insert(object.name.clone(), stored);
            *bytes -= old.map_or(0, |old| old.json.len());
        }
        let is_full = *bytes > MOST_BYTES;
        if is_full {
            *bytes -= kind.objects.values().map(|it| it.json.len()).sum::<usize>();
            kind.objects = HashMap::new();
            kind.refused = true;
        }
        self.changed(state);
        if is_full { Err(no_room()) } else { Ok(()) }
    }

    /// Why the kind is not kept, when there was no room for it.
    pub(super) fn refused(&self, resource: &Resource) -> Option<String> {
        let state = self.read();
        let kind = state.kinds.get(&resource.group_version_kind())?;
        kind.refused.then(no_room)
    }

    /// Namespaces as they are now; the names of those whose labels or annotations are others than before.
    pub(super) fn apply_namespaces(&self, objects: &[Object], generation: u32) -> Vec<Arc<str>> {
        let mut state = self.write();
        let mut changed = vec![];
        for object in objects {
            let stored = Stored { generation, marks: object.marks, json: object.json.clone() };
            let old = state.namespaces.insert(object.name.name.clone(), stored);
            if old.is_some_and(|old| old.marks != object.marks) {
                changed.push(object.name.name.clone());
            }
        }
        changed
    }

    /// Every Namespace, by name, with its JSON.
    pub fn each_namespace(&self, mut look: impl FnMut(&str, &str)) {
        self.read().namespaces.iter().for_each(|(name, stored)| look(name, &stored.json));
    }

    /// An object is no more.
    pub(super) fn remove(&self, resource: &Resource, name: &ObjectName) {
        let mut state = self.write();
        if resource.is("", "Namespace") {
            state.namespaces.remove(&name.name);
        }
        let gone = state.kinds.get_mut(&resource.group_version_kind()).and_then(|kind| kind.objects.remove(name));
        if let Some(gone) = gone {
            state.bytes -= gone.json.len();
            self.changed(state);
        }
    }

    /// What the list that just ended did not show is no more.
    pub(super) fn sweep(&self, resource: &Resource, generation: u32) {
        let mut state = self.write();
        if resource.is("", "Namespace") {
            state.namespaces.retain(|_, stored| stored.generation >= generation);
        }
        let State { kinds, bytes, .. } = &mut *state;
        let Some(kind) = kinds.get_mut(&resource.group_version_kind()) else { return };
        let before = kind.objects.len();
        kind.objects.retain(|_, stored| {
            let stays = stored.generation >= generation;
            *bytes -= if stays { 0 } else { stored.json.len() };
            stays
        });
        if kind.objects.len() != before {
            self.changed(state);
        }
    }

    /// The API server has no such kind: nothing of it is left.
    pub(super) fn clear(&self, resource: &Resource) {
        self.sweep(resource, u32::MAX);
    }

    fn changed(&self, state: RwLockWriteGuard<'_, State>) {
        let objects: usize = state.kinds.values().map(|kind| kind.objects.len()).sum();
        self.metrics.audit.replicated_objects.set(objects as i64);
        self.metrics.audit.replicated_bytes.set(state.bytes as i64);
        self.version.fetch_add(1, Relaxed);
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn no_room() -> String {
    format!("with its objects there would be more than {} MiB of all kinds", MOST_BYTES >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::Item;
    use serde_json::json;

    fn resource(kind: &str) -> Resource {
        let plural = format!("{}s", kind.to_lowercase());
        Resource { group: String::new(), version: "v1".into(), kind: kind.into(), plural, namespaced: true }
    }

    fn object(kind: &str, name: &str, label: &str) -> Object {
        let item = json!({"metadata": {"name": name, "labels": {"team": label}}});
        Item::from(item).into_object(&resource(kind)).unwrap()
    }

    fn inventory(kind: &str) -> ClusterInventory {
        let inventory = ClusterInventory::new(Arc::new(Metrics::new()));
        inventory.want(&BTreeSet::from([resource(kind)]));
        inventory
    }

    #[test]
    fn objects_come_change_and_go_with_lists_and_changes() {
        let (inventory, service) = (inventory("Service"), resource("Service"));
        let before = inventory.version();
        inventory.apply(&service, &[object("Service", "a", "x"), object("Service", "b", "x")], 1).unwrap();
        inventory.apply(&resource("Pod"), &[object("Pod", "c", "x")], 1).unwrap();
        assert_eq!(inventory.objects().len(), 2, "nobody wants pods");
        assert!(inventory.version() > before);
        inventory.apply(&service, &[object("Service", "a", "longer")], 2).unwrap();
        inventory.sweep(&service, 2);
        let objects = inventory.objects();
        assert_eq!((objects.len(), &*objects[0].resource, &*objects[0].name), (1, "services", "a"));
        assert_eq!(inventory.read().bytes, objects[0].json.len());
        inventory.remove(&service, &object("Service", "a", "").name);
        assert_eq!((inventory.objects().len(), inventory.read().bytes), (0, 0));
    }

    #[test]
    fn kind_without_room_is_refused_and_none_of_it_stays() {
        let (inventory, service) = (inventory("Service"), resource("Service"));
        let large = Object { json: "x".repeat(MOST_BYTES).into(), ..object("Service", "b", "x") };
        let problem = inventory.apply(&service, &[object("Service", "a", "x"), large], 1).unwrap_err();
        assert_eq!(problem, "with its objects there would be more than 64 MiB of all kinds");
        inventory.apply(&service, &[object("Service", "a", "x")], 1).unwrap();
        assert_eq!((inventory.objects().len(), inventory.read().bytes), (0, 0));
    }

    #[test]
    fn namespaces_are_always_known_and_changes_of_their_labels_are_told() {
        let inventory = inventory("Service");
        assert!(inventory.apply_namespaces(&[object("Namespace", "shop", "x")], 1).is_empty());
        assert!(inventory.apply_namespaces(&[object("Namespace", "shop", "x")], 1).is_empty());
        assert_eq!(inventory.apply_namespaces(&[object("Namespace", "shop", "y")], 1), [Arc::from("shop")]);
        assert!(inventory.namespace("shop").unwrap().contains("\"team\":\"y\""));
        inventory.sweep(&resource("Namespace"), 2);
        assert!(inventory.namespace("shop").is_none());
    }
}
