//! The cluster that the files describe: what policies find in `data.inventory`, `data.kubernetes` and
//! `namespaceObject`. Objects that are judged together see each other.

use super::objects::Found;
use super::resources;
use super::review::{Request, group_version, is_review, text};
use std::collections::HashMap;
use std::sync::Arc;
use writ_policy::Inventory;
use writ_policy::inventory::Replicated;

/// Objects by what policies look for.
#[derive(Debug, Default)]
pub(super) struct Files {
    namespaces: HashMap<String, Arc<str>>,
    objects: Vec<Replicated>,
}

impl Inventory for Files {
    fn namespace(&self, name: &str) -> Option<Arc<str>> {
        self.namespaces.get(name).cloned()
    }

    fn version(&self) -> u64 {
        1
    }

    fn objects(&self) -> Vec<Replicated> {
        self.objects.clone()
    }
}

impl Files {
    /// Of all these objects; of two with one name the later one counts.
    pub(super) fn of<'a>(found: impl Iterator<Item = &'a Found>, request: &Request<'_>) -> Self {
        let mut files = Self::default();
        for found in found.filter(|found| !is_review(&found.value)) {
            files.add(found, request);
        }
        files
    }

    fn add(&mut self, found: &Found, request: &Request<'_>) {
        let object = &found.value;
        let (kind, name) = (text(object, "kind"), text(&object["metadata"], "name"));
        let json: Arc<str> = object.to_string().into();
        let (group, _) = group_version(object);
        let is_namespace = (group, kind) == ("", "Namespace");
        if is_namespace {
            self.namespaces.insert(name.to_owned(), json.clone());
        }
        let namespace = request.namespace_of(object);
        self.objects.push(Replicated {
            api_version: text(object, "apiVersion").into(),
            kind: kind.into(),
            resource: resources::resource(kind).into(),
            namespace: Some(namespace.as_str())
                .filter(|namespace| !namespace.is_empty() && !is_namespace)
                .map(Arc::from),
            name: name.into(),
            json,
        });
    }
}
