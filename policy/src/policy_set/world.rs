//! The cluster's other objects as the engine's values: made from text once and kept while they are the same.

use super::namespaces::Namespace;
use super::program::Wants;
use crate::engine::Value;
use crate::inventory::{Inventory, Replicated};

/// Values of the version that was seen last.
#[derive(Debug, Default)]
pub(super) struct WorldCache {
    version: u64,
    inventory: Option<Value>,
    kubernetes: Option<Value>,
}

/// What is known of the cluster while one review is judged.
pub(super) struct World<'a> {
    source: &'a dyn Inventory,
    version: u64,
    cache: &'a mut WorldCache,
}

impl<'a> World<'a> {
    pub(super) fn new(source: &'a dyn Inventory, cache: &'a mut WorldCache) -> Self {
        let version = source.version();
        if cache.version != version {
            *cache = WorldCache { version, ..WorldCache::default() };
        }
        Self { source, version, cache }
    }

    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// `data` for rules that want these parts. The review's own Namespace is always among `kubernetes.namespaces`.
    pub(super) fn data(&mut self, wants: Wants, namespace: Option<&Namespace>) -> Value {
        let mut data = Value::new_object();
        if wants.inventory {
            let source = self.source;
            let inventory = self.cache.inventory.get_or_insert_with(|| inventory(&source.objects()));
            insert(&mut data, "inventory", inventory.clone());
        }
        if wants.kubernetes {
            let source = self.source;
            let mut kubernetes = self.cache.kubernetes.get_or_insert_with(|| kubernetes(&source.objects())).clone();
            if let Some(namespace) = namespace {
                insert(at(&mut kubernetes, &["namespaces"]), &namespace.name, namespace.object.clone());
            }
            insert(&mut data, "kubernetes", kubernetes);
        }
        data
    }
}

/// Gatekeeper's shape: `cluster[apiVersion][kind][name]`, `namespace[ns][apiVersion][kind][name]`.
fn inventory(objects: &[Replicated]) -> Value {
    let mut data = Value::new_object();
    for object in objects {
        let Ok(value) = Value::from_json_str(&object.json) else { continue };
        let path = match &object.namespace {
            Some(namespace) => vec!["namespace", namespace, &object.api_version, &object.kind],
            None => vec!["cluster", &object.api_version, &object.kind],
        };
        insert(at(&mut data, &path), &object.name, value);
    }
    data
}

/// MagTape's shape: `<kind plural>[namespace][name]`, cluster-scoped `<kind plural>[name]`.
fn kubernetes(objects: &[Replicated]) -> Value {
    let mut data = Value::new_object();
    for object in objects {
        let Ok(value) = Value::from_json_str(&object.json) else { continue };
        let path = match &object.namespace {
            Some(namespace) => vec![&*object.resource, namespace],
            None => vec![&*object.resource],
        };
        insert(at(&mut data, &path), &object.name, value);
    }
    data
}

/// The object at this path, made where it is not there yet.
fn at<'a>(value: &'a mut Value, path: &[&str]) -> &'a mut Value {
    path.iter().fold(value, |value, key| {
        let fields = value.as_object_mut().expect("only objects are made here");
        let key = Value::from(*key);
        if fields.get(&key).is_none() {
            fields.insert(key.clone(), Value::new_object());
        }
        fields.get_mut(&key).expect("the field was just made")
    })
}

/// Sets one field of an object.
pub(super) fn insert(object: &mut Value, key: &str, value: Value) {
    object.as_object_mut().expect("only objects get here").insert(Value::from(key), value);
}
