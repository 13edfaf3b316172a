//! The cluster's other objects as the engine's values: made from text once and kept while they are the same.

use super::namespaces::Namespace;
use super::program::Wants;
use crate::engine::Value;
use crate::inventory::{Inventory, Replicated};
use std::collections::HashMap;
use std::sync::Arc;

/// Values of the version that was seen last. Objects whose text has not changed since are not read again.
#[derive(Debug, Default)]
pub(super) struct WorldCache {
    version: u64,
    inventory: Option<Value>,
    kubernetes: Option<Value>,
    read: HashMap<Arc<str>, Value>,
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
            (cache.version, cache.inventory, cache.kubernetes) = (version, None, None);
        }
        Self { source, version, cache }
    }

    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// `data` for rules that want these parts. The review's own Namespace is always among `kubernetes.namespaces`.
    pub(super) fn data(&mut self, wants: Wants, namespace: Option<&Namespace>) -> Value {
        let mut data = Value::new_object();
        let WorldCache { inventory: known, kubernetes: known_too, read, .. } = &mut *self.cache;
        if wants.inventory {
            let made = known.get_or_insert_with(|| inventory(&objects(self.source, read)));
            insert(&mut data, "inventory", made.clone());
        }
        if wants.kubernetes {
            let mut kubernetes = known_too.get_or_insert_with(|| kubernetes(&objects(self.source, read))).clone();
            if let Some(namespace) = namespace {
                insert(at(&mut kubernetes, &["namespaces"]), &namespace.name, namespace.object.clone());
            }
            insert(&mut data, "kubernetes", kubernetes);
        }
        data
    }
}

/// Every object with its value. Values of objects that are gone, or have another text now, are dropped.
fn objects(source: &dyn Inventory, read: &mut HashMap<Arc<str>, Value>) -> Vec<(Replicated, Value)> {
    let mut known = std::mem::take(read);
    let mut objects = vec![];
    for object in source.objects() {
        let value = known.remove(&object.json).or_else(|| read.get(&object.json).cloned());
        let Some(value) = value.or_else(|| Value::from_json_str(&object.json).ok()) else { continue };
        read.insert(object.json.clone(), value.clone());
        objects.push((object, value));
    }
    objects
}

/// Gatekeeper's shape: `cluster[apiVersion][kind][name]`, `namespace[ns][apiVersion][kind][name]`.
fn inventory(objects: &[(Replicated, Value)]) -> Value {
    let mut data = Value::new_object();
    for (object, value) in objects {
        let path = match &object.namespace {
            Some(namespace) => vec!["namespace", namespace, &object.api_version, &object.kind],
            None => vec!["cluster", &object.api_version, &object.kind],
        };
        insert(at(&mut data, &path), &object.name, value.clone());
    }
    data
}

/// MagTape's shape: `<kind plural>[namespace][name]`, cluster-scoped `<kind plural>[name]`.
fn kubernetes(objects: &[(Replicated, Value)]) -> Value {
    let mut data = Value::new_object();
    for (object, value) in objects {
        let path = match &object.namespace {
            Some(namespace) => vec![&*object.resource, namespace],
            None => vec![&*object.resource],
        };
        insert(at(&mut data, &path), &object.name, value.clone());
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
