//! Namespace objects: those of the cluster, or from a folder, for policies that read them outside of a cluster.

use crate::kubernetes::inventory::ClusterInventory;
use anyhow::Context;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use writ_policy::Inventory;

/// The largest file that is read.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Read once, at start.
#[derive(Debug, Default)]
pub struct NamespaceFolder(HashMap<String, Arc<str>>);

impl Inventory for NamespaceFolder {
    fn namespace(&self, name: &str) -> Option<Arc<str>> {
        self.0.get(name).cloned()
    }
}

/// The Namespace objects that this agent knows, wherever they are from.
#[derive(Debug, Clone)]
pub enum KnownNamespaces {
    /// Replicated.
    Cluster(Arc<ClusterInventory>),
    /// From files.
    Folder(Arc<NamespaceFolder>),
    /// None.
    Nobody,
}

impl KnownNamespaces {
    /// The object of this name, as JSON.
    pub fn find(&self, name: &str) -> Option<Arc<str>> {
        match self {
            Self::Cluster(namespaces) => namespaces.namespace(name),
            Self::Folder(namespaces) => namespaces.namespace(name),
            Self::Nobody => None,
        }
    }

    /// Every one, by name.
    pub fn each(&self, mut look: impl FnMut(&str, &str)) {
        match self {
            Self::Cluster(inventory) => inventory.each_namespace(look),
            Self::Folder(namespaces) => namespaces.0.iter().for_each(|(name, text)| look(name, text)),
            Self::Nobody => {}
        }
    }
}

impl NamespaceFolder {
    /// Every Namespace object of the folder's YAML and JSON files.
    pub fn load(folder: &Path) -> anyhow::Result<Self> {
        let mut found = Self::default();
        let entries = std::fs::read_dir(folder).with_context(|| format!("reading the folder {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            let known = path.extension().is_some_and(|kind| ["yaml", "yml", "json"].iter().any(|known| kind == *known));
            if known {
                found.add_file(&path).with_context(|| format!("reading {}", path.display()))?;
            }
        }
        Ok(found)
    }

    fn add_file(&mut self, path: &Path) -> anyhow::Result<()> {
        let bytes = std::fs::metadata(path)?.len();
        anyhow::ensure!(bytes <= MAX_FILE_BYTES, "the file has {bytes} bytes, more than {MAX_FILE_BYTES}");
        let text = std::fs::read_to_string(path)?;
        for document in serde_saphyr::from_multiple::<serde_json::Value>(&text)? {
            let name = document["metadata"]["name"].as_str();
            if let (Some("Namespace"), Some(name)) = (document["kind"].as_str(), name) {
                self.0.insert(name.to_owned(), document.to_string().into());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_are_found_by_name_in_yaml_and_json() {
        let folder = tempfile::tempdir().unwrap();
        let yaml = "kind: Namespace\nmetadata: {name: shop}\n---\nkind: Service\nmetadata: {name: web}\n";
        std::fs::write(folder.path().join("a.yaml"), yaml).unwrap();
        std::fs::write(folder.path().join("b.json"), r#"{"kind":"Namespace","metadata":{"name":"bank"}}"#).unwrap();
        std::fs::write(folder.path().join("README.md"), "no").unwrap();
        let namespaces = NamespaceFolder::load(folder.path()).unwrap();
        assert!(namespaces.namespace("shop").unwrap().contains("\"name\":\"shop\""));
        assert!(namespaces.namespace("bank").is_some());
        assert!(namespaces.namespace("web").is_none());
    }

    #[test]
    fn broken_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.yaml"), "kind: [").unwrap();
        let error = format!("{:#}", NamespaceFolder::load(folder.path()).unwrap_err());
        assert!(error.contains("a.yaml"), "{error}");
    }
}
