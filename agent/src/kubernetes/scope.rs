//! Which namespaces the API server sends reviews of, so that audit leaves out the same.

use super::inventory::ClusterInventory;
use super::webhook_configuration::Settings;
use serde_json::Value;
use writ_policy::Inventory;

/// The webhook's namespace selector, for existing objects.
pub(super) struct Scope(Settings);

impl Scope {
    pub(super) fn new(settings: Settings) -> Self {
        Self(settings)
    }

    /// Whether objects of the namespace are judged.
    pub(super) fn judges(&self, namespace: &str, inventory: &ClusterInventory) -> bool {
        if self.0.excluded.iter().any(|excluded| excluded == namespace) {
            return false;
        }
        let (label, value, wanted) = self.0.select.label();
        let known = inventory.namespace(namespace);
        let has = known.is_some_and(|text| {
            // Most namespaces do not even name the label, and need not be read.
            text.contains(label)
                && serde_json::from_str::<Value>(&text).is_ok_and(|object| object["metadata"]["labels"][label] == value)
        });
        has == wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::script::Script;
    use crate::metrics::Metrics;
    use crate::objects::{Item, Resource};
    use serde_json::json;
    use std::sync::Arc;

    fn judged(arguments: &[&str]) -> Vec<&'static str> {
        let resource = Resource {
            group: String::new(),
            version: "v1".into(),
            kind: "Namespace".into(),
            plural: "namespaces".into(),
            namespaced: false,
        };
        let inventory = ClusterInventory::new(Arc::new(Metrics::new()));
        let namespace = |name: &str, labels: Value| {
            Item::from(json!({"metadata": {"name": name, "labels": labels}})).into_object(&resource).unwrap()
        };
        let all = [
            namespace("in", json!({"writ.dev/admission": "enabled"})),
            namespace("out", json!({"writ.dev/admission": "disabled"})),
            namespace("magtape", json!({"k8s.t-mobile.com/magtape": "enabled"})),
            namespace("plain", json!({})),
        ];
        inventory.apply_namespaces(&all, 1);
        let scope = Scope::new(Script::new().cluster_of(arguments).settings);
        let names = ["in", "out", "magtape", "plain", "kube-system", "writ-system", "ops"];
        names.into_iter().filter(|name| scope.judges(name, &inventory)).collect()
    }

    #[tokio::test]
    async fn namespaces_are_left_out_as_the_webhook_leaves_them_out() {
        assert_eq!(judged(&["--exclude-namespace=ops"]), ["in", "magtape", "plain"]);
        assert_eq!(judged(&["--select-namespaces=opt-in"]), ["in"]);
        assert_eq!(judged(&["--select-namespaces=magtape"]), ["magtape"]);
    }
}
