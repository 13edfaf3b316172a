//! The objects of a suite's files, and those that a case puts into the cluster.

use crate::inventory::{Inventory, Replicated};
use crate::{SourceFile, yaml};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Every document of a file.
pub(super) fn objects(file: &SourceFile) -> Result<Vec<Value>, String> {
    let documents = yaml::documents(file).map_err(|finding| finding.to_string())?;
    if documents.is_empty() {
        return Err(format!("{} holds no object", file.path));
    }
    Ok(documents.iter().map(yaml::Node::to_json).collect())
}

/// The text at this key, empty when there is none.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// Of an `apiVersion`; the core group is empty.
pub(super) fn group_version(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

/// The cluster of one case.
#[derive(Debug, Default)]
pub(super) struct Cluster {
    version: u64,
    namespaces: BTreeMap<String, Arc<str>>,
    objects: Vec<Replicated>,
}

impl Cluster {
    /// `version` tells the clusters of cases apart.
    pub(super) fn new(version: u64, objects: &[Value]) -> Self {
        let mut cluster = Self { version, ..Self::default() };
        for object in objects {
            cluster.add(object);
        }
        cluster
    }

    fn add(&mut self, object: &Value) {
        let (api_version, kind, metadata) = (text(object, "apiVersion"), text(object, "kind"), &object["metadata"]);
        let (name, json): (_, Arc<str>) = (text(metadata, "name"), object.to_string().into());
        if (api_version, kind) == ("v1", "Namespace") {
            self.namespaces.insert(name.to_owned(), json.clone());
        }
        self.objects.push(Replicated {
            api_version: api_version.into(),
            kind: kind.into(),
            // Templates know `data.inventory`, which has kinds.
            resource: "".into(),
            namespace: Some(text(metadata, "namespace")).filter(|namespace| !namespace.is_empty()).map(Arc::from),
            name: name.into(),
            json,
        });
    }
}

impl Inventory for Cluster {
    fn namespace(&self, name: &str) -> Option<Arc<str>> {
        self.namespaces.get(name).cloned()
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn objects(&self) -> Vec<Replicated> {
        self.objects.clone()
    }
}
