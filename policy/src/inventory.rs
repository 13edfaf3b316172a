//! Objects of the cluster that policies read beside the review: `namespaceObject`, `data.inventory`, `data.kubernetes`. Who
//! holds them (the agent's watches, files of the command line) is the caller's affair.

use std::sync::Arc;

/// What is known of the cluster's other objects.
pub trait Inventory {
    /// The Namespace object as JSON text, if it is known.
    fn namespace(&self, name: &str) -> Option<Arc<str>>;

    /// Grows with each change of what [`Self::objects`] gives. Equal versions mean equal objects.
    fn version(&self) -> u64 {
        0
    }

    /// Every replicated object, in any order. Asked for only when a policy reads replicated objects and the version has
    /// changed.
    fn objects(&self) -> Vec<Replicated> {
        vec![]
    }
}

/// One replicated object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replicated {
    /// `v1`, `networking.k8s.io/v1`.
    pub api_version: Arc<str>,
    /// `Ingress`.
    pub kind: Arc<str>,
    /// The plural that URLs have: `ingresses`.
    pub resource: Arc<str>,
    /// `None` for cluster-scoped objects.
    pub namespace: Option<Arc<str>>,
    /// The object's name.
    pub name: Arc<str>,
    /// The object as JSON text.
    pub json: Arc<str>,
}

/// Knows no other object.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoInventory;

impl Inventory for NoInventory {
    fn namespace(&self, _: &str) -> Option<Arc<str>> {
        None
    }
}
