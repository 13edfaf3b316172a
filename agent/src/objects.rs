//! Objects of the cluster as they travel inside the agent: which kind of thing, which one, and its text.

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// A kind of objects and where the API server has them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Resource {
    /// Empty for the core group.
    pub group: String,
    /// `v1`.
    pub version: String,
    /// `Pod`.
    pub kind: String,
    /// `pods`, as URLs have it.
    pub plural: String,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
}

/// Which object of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectName {
    /// `None` for cluster-scoped objects.
    pub namespace: Option<Arc<str>>,
    /// The object's name.
    pub name: Arc<str>,
}

/// One object, without `managedFields`.
#[derive(Debug, Clone)]
pub struct Object {
    /// Which one.
    pub name: ObjectName,
    /// Its uid.
    pub uid: Box<str>,
    /// Kind of the workload that controls it, if one does.
    pub controller: Option<Box<str>>,
    /// Whether it is an old ReplicaSet that a Deployment keeps to go back to, without pods.
    pub kept_for_rollback: bool,
    /// A hash of labels and annotations.
    pub marks: u64,
    /// The whole object as JSON, with `apiVersion` and `kind`.
    pub json: Arc<str>,
}

/// An object as a list has it: without the kind, which the list says once.
#[derive(Debug)]
pub struct Item(Value);

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::from)
    }
}

impl Item {
    /// The object of this kind. `None` when it has no name.
    pub fn into_object(self, resource: &Resource) -> Option<Object> {
        let Self(mut value) = self;
        let fields = value.as_object_mut()?;
        fields.insert("apiVersion".into(), resource.api_version().into());
        fields.insert("kind".into(), resource.kind.as_str().into());
        let metadata = &value["metadata"];
        let text = |key: &str| metadata[key].as_str().unwrap_or_default();
        let namespace = Some(text("namespace")).filter(|namespace| !namespace.is_empty()).map(Arc::from);
        let name = Some(text("name")).filter(|name| !name.is_empty())?.into();
        let owners = metadata["ownerReferences"].as_array().into_iter().flatten();
        let controller = owners.into_iter().find(|owner| owner["controller"] == true);
        let controller = controller.and_then(|owner| owner["kind"].as_str()).map(Box::from);
        let kept_for_rollback = resource.is("apps", "ReplicaSet")
            && controller.as_deref() == Some("Deployment")
            && value["spec"]["replicas"].as_u64() == Some(0);
        let uid = text("uid").into();
        let mut hasher = DefaultHasher::new();
        (metadata["labels"].to_string(), metadata["annotations"].to_string()).hash(&mut hasher);
        let marks = hasher.finish();
        let json = value.to_string().into();
        Some(Object { name: ObjectName { namespace, name }, uid, controller, kept_for_rollback, marks, json })
    }

    /// What the API server calls this state of the object.
    pub fn version(&self) -> &str {
        self.0["metadata"]["resourceVersion"].as_str().unwrap_or_default()
    }
}

impl From<Value> for Item {
    fn from(mut value: Value) -> Self {
        // As large as the rest, and says nothing to a policy.
        if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("managedFields");
        }
        Self(value)
    }
}

impl Resource {
    /// `v1`, `apps/v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// `Pod`, `apps/Deployment`.
    pub fn group_kind(&self) -> String {
        if self.group.is_empty() { self.kind.clone() } else { format!("{}/{}", self.group, self.kind) }
    }

    /// `v1/Pod`, `apps/v1/Deployment`, as `sync` has it.
    pub fn group_version_kind(&self) -> String {
        format!("{}/{}", self.api_version(), self.kind)
    }

    /// Whether it is this kind, in any version.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.group == group && self.kind == kind
    }

    /// Where the API server has its objects, of one namespace or of all.
    pub fn path(&self, namespace: Option<&str>) -> String {
        let root = if self.group.is_empty() { "/api" } else { "/apis" };
        let (version, plural) = (self.api_version(), &self.plural);
        match namespace {
            Some(namespace) => format!("{root}/{version}/namespaces/{namespace}/{plural}"),
            None => format!("{root}/{version}/{plural}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn resource(group: &str, kind: &str) -> Resource {
        let (version, plural) = ("v1".to_owned(), format!("{}s", kind.to_lowercase()));
        Resource { group: group.into(), version, kind: kind.into(), plural, namespaced: true }
    }

    #[test]
    fn items_of_a_list_become_whole_objects() {
        let item = json!({"metadata": {"name": "web", "namespace": "shop", "uid": "7", "managedFields": [{"a": 1}]}});
        let item: Item = serde_json::from_value(item).unwrap();
        let object = item.into_object(&resource("", "Pod")).unwrap();
        let expected =
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop", "uid": "7"}});
        let whole: serde_json::Value = serde_json::from_str(&object.json).unwrap();
        assert_eq!((whole, &*object.uid, object.controller), (expected, "7", None));
        assert_eq!(resource("apps", "Deployment").path(Some("shop")), "/apis/apps/v1/namespaces/shop/deployments");
        assert_eq!(resource("", "Node").path(None), "/api/v1/nodes");
    }

    #[test]
    fn only_replica_sets_without_pods_are_kept_for_rollback() {
        let kept = |owner: &str, replicas: u64| {
            let owner = json!({"kind": owner, "name": "web", "controller": true});
            let item =
                json!({"metadata": {"name": "web-1", "ownerReferences": [owner]}, "spec": {"replicas": replicas}});
            Item::from(item).into_object(&resource("apps", "ReplicaSet")).unwrap().kept_for_rollback
        };
        assert!(kept("Deployment", 0));
        assert!(!kept("Deployment", 1) && !kept("Rollout", 0));
    }
}
