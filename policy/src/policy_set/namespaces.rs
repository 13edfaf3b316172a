//! Namespace objects as the engine's values, kept between reviews while their text is the same.

use crate::engine::Value;
use crate::inventory::Inventory;
use std::collections::HashMap;
use std::sync::Arc;

/// How many Namespace objects are kept; then the cache starts anew.
const MOST: usize = 1_024;

/// A Namespace object and the text it was read from.
#[derive(Debug, Clone)]
pub(super) struct Namespace {
    pub name: String,
    pub text: Arc<str>,
    pub object: Value,
}

/// The last objects that policies asked for.
#[derive(Debug, Default)]
pub(super) struct NamespaceCache {
    by_name: HashMap<String, Namespace>,
}

impl NamespaceCache {
    /// The object of this namespace, if the source knows it and it is JSON.
    pub(super) fn find(&mut self, name: &str, source: &dyn Inventory) -> Option<Namespace> {
        let text = source.namespace(name).filter(|_| !name.is_empty())?;
        if let Some(known) = self.by_name.get(name).filter(|known| known.text == text) {
            return Some(known.clone());
        }
        let object = Value::from_json_str(&text).ok()?;
        let namespace = Namespace { name: name.to_owned(), text, object };
        if self.by_name.len() >= MOST {
            self.by_name.clear();
        }
        self.by_name.insert(name.to_owned(), namespace.clone());
        Some(namespace)
    }
}
