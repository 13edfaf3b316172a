//! Who gets what followers see: the objects that policies read, and audit. One watch of a kind serves both.

use super::inventory::ClusterInventory;
use super::scope::Scope;
use crate::audit::{Auditor, ObjectKey, Seen};
use crate::objects::{Object, ObjectName, Resource};
use crate::status::Status;
use futures::stream::{FuturesUnordered, StreamExt};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tracing::{debug, info, warn};
use writ_policy::wire::FixedReason;

/// Shared by all followers.
pub(super) struct Consumers {
    pub(super) inventory: Arc<ClusterInventory>,
    pub(super) auditor: Arc<Auditor>,
    scope: Scope,
    status: Arc<Status>,
    wanted: Mutex<Wanted>,
    /// Namespaces whose labels or annotations changed, until audit looks at them again.
    unsettled: Mutex<BTreeSet<Arc<str>>>,
    /// Told that there are such.
    pub(super) unsettled_now: Notify,
}

#[derive(Default)]
struct Wanted {
    kept: BTreeSet<Resource>,
    audited: BTreeSet<Resource>,
    problems: BTreeMap<Resource, String>,
}

impl Consumers {
    pub(super) fn new(
        inventory: Arc<ClusterInventory>,
        auditor: Arc<Auditor>,
        scope: Scope,
        status: Arc<Status>,
    ) -> Self {
        let (wanted, unsettled, unsettled_now) = (Mutex::default(), Mutex::default(), Notify::new());
        Self { inventory, auditor, scope, status, wanted, unsettled, unsettled_now }
    }

    /// From now on policies see objects of these kinds.
    pub(super) fn keep(&self, resources: BTreeSet<Resource>) {
        self.inventory.want(&resources);
        let mut wanted = self.wanted();
        let gone: Vec<Resource> = wanted.kept.difference(&resources).cloned().collect();
        wanted.kept = resources;
        gone.iter().for_each(|resource| self.status.set_unreplicated(&resource.group_version_kind(), None));
        self.tell_problems(&wanted);
    }

    /// From now on objects of these kinds are audited.
    pub(super) fn audit(&self, resources: BTreeSet<Resource>) {
        let mut wanted = self.wanted();
        let gone: Vec<Resource> = wanted.audited.difference(&resources).cloned().collect();
        wanted.audited = resources;
        self.tell_problems(&wanted);
        drop(wanted);
        for resource in gone {
            self.status.set_unaudited(&resource.group_kind(), None);
            self.auditor.forget(&resource.group_kind(), FixedReason::Policy);
        }
    }

    /// The kinds that policies see.
    pub(super) fn kept(&self) -> BTreeSet<Resource> {
        self.wanted().kept.clone()
    }

    /// Objects as they are now.
    pub(super) async fn apply(&self, resource: &Resource, objects: &[Object], seen: Seen) {
        if resource.is("", "Namespace") {
            let changed = self.inventory.apply_namespaces(objects, seen.generation);
            if !changed.is_empty() {
                self.unsettled().extend(changed);
                self.unsettled_now.notify_one();
            }
        }
        if let Err(problem) = self.inventory.apply(resource, objects, seen.generation) {
            warn!(problem, "{} cannot be replicated", resource.group_kind());
            self.status.set_unreplicated(&resource.group_version_kind(), Some(problem));
        }
        if !self.wanted().audited.contains(resource) {
            return;
        }
        // So that the evaluation threads never wait; they are few, and take one after the other.
        let mut judging = FuturesUnordered::new();
        for object in objects {
            judging.push(self.judge(resource, object, seen));
        }
        while judging.next().await.is_some() {}
    }

    async fn judge(&self, resource: &Resource, object: &Object, seen: Seen) {
        if object.controller.as_deref() == Some("Node") {
            // What a node tells of its own pods never waits for a verdict either.
            return self.auditor.excluded(&key(resource, &object.name));
        }
        let own = resource.is("", "Namespace").then_some(&object.name.name);
        let namespace = own.or(object.name.namespace.as_ref());
        if namespace.is_none_or(|namespace| self.scope.judges(namespace, &self.inventory)) {
            self.auditor.judge(resource, object, seen).await;
        } else {
            self.auditor.excluded(&key(resource, &object.name));
        }
    }

    /// An object is no more.
    pub(super) fn gone(&self, resource: &Resource, name: &ObjectName) {
        self.inventory.remove(resource, name);
        self.auditor.gone(&key(resource, name));
    }

    /// A list ended.
    pub(super) fn listed(&self, resource: &Resource, namespace: Option<&str>, generation: u32) {
        if namespace.is_none() {
            self.inventory.sweep(resource, generation);
            if self.wanted().kept.contains(resource) {
                debug!("{} is replicated", resource.group_kind());
                let refused = self.inventory.refused(resource);
                self.status.set_unreplicated(&resource.group_version_kind(), refused);
            }
        }
        self.auditor.sweep(&resource.group_kind(), namespace, generation);
    }

    /// The API server has no such kind any more.
    pub(super) fn absent(&self, resource: &Resource) {
        self.inventory.clear(resource);
        self.auditor.forget(&resource.group_kind(), FixedReason::Gone);
    }

    pub(super) fn has_problem(&self, resource: &Resource) -> bool {
        self.wanted().problems.contains_key(resource)
    }

    /// Why objects of the kind are not known as they are now, if they are not.
    pub(super) fn set_problem(&self, resource: &Resource, problem: Option<String>) {
        let mut wanted = self.wanted();
        let known = match &problem {
            Some(problem) => wanted.problems.insert(resource.clone(), problem.clone()),
            None => wanted.problems.remove(resource),
        };
        match &problem {
            Some(problem) if known.is_none() => {
                warn!(error = problem, "{} cannot be followed; what was known is used", resource.group_kind());
            }
            None if known.is_some() => info!("{} is followed again", resource.group_kind()),
            _ => {}
        }
        if wanted.kept.contains(resource) {
            let refused = self.inventory.refused(resource);
            self.status.set_unreplicated(&resource.group_version_kind(), problem.clone().or(refused));
        }
        if wanted.audited.contains(resource) {
            self.status.set_unaudited(&resource.group_kind(), problem);
        }
    }

    fn tell_problems(&self, wanted: &Wanted) {
        for (resource, problem) in &wanted.problems {
            if wanted.kept.contains(resource) {
                self.status.set_unreplicated(&resource.group_version_kind(), Some(problem.clone()));
            }
            if wanted.audited.contains(resource) {
                self.status.set_unaudited(&resource.group_kind(), Some(problem.clone()));
            }
        }
    }

    /// Namespaces that changed since this was asked before.
    pub(super) fn take_unsettled(&self) -> BTreeSet<Arc<str>> {
        std::mem::take(&mut *self.unsettled())
    }

    fn unsettled(&self) -> MutexGuard<'_, BTreeSet<Arc<str>>> {
        self.unsettled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wanted(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(resource: &Resource, name: &ObjectName) -> ObjectKey {
    ObjectKey { kind: resource.group_kind().into(), name: name.clone() }
}
