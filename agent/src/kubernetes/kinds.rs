//! Which kinds the API server has, and which of them somebody asks for.

use super::reader::{ReadError, Reader};
use super::webhook_configuration::is_lifeline;
use crate::objects::Resource;
use kube::discovery::{Discovery, Scope, verbs};
use std::collections::BTreeSet;

/// The most kinds that are looked at because "every kind" is asked for.
const MOST_BY_WILDCARD: usize = 150;
/// Workloads come first, so that their pods are not told beside them.
const FIRST: [&str; 6] =
    ["apps/Deployment", "apps/StatefulSet", "apps/DaemonSet", "batch/CronJob", "apps/ReplicaSet", "batch/Job"];

/// Where Namespaces are; every cluster has them.
pub(super) fn namespaces() -> Resource {
    let (kind, plural) = ("Namespace".into(), "namespaces".into());
    Resource { group: String::new(), version: "v1".into(), kind, plural, namespaced: false }
}

/// Everything that can be listed and watched, each group's preferred version first.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Kinds(Vec<Resource>);

impl Kinds {
    /// Asks the API server, in two requests where it can say all at once.
    pub(super) async fn discover(reader: &Reader) -> Result<Self, ReadError> {
        reader.turn().await;
        reader.turn().await;
        let discovery = Discovery::new(reader.client.clone()).run_aggregated().await;
        let discovery = discovery.map_err(|error| match ReadError::from(error) {
            ReadError::Absent => ReadError::Away("the API server does not tell which kinds it has".into()),
            other => other,
        })?;
        let mut all = vec![];
        for group in discovery.groups_alphabetical() {
            let preferred = group.preferred_version_or_latest().to_owned();
            let others = group.versions().filter(|version| *version != preferred).map(str::to_owned);
            for version in [preferred.clone()].into_iter().chain(others.collect::<Vec<_>>()) {
                for (resource, can) in group.versioned_resources(&version) {
                    if can.supports_operation(verbs::LIST) && can.supports_operation(verbs::WATCH) {
                        let namespaced = can.scope == Scope::Namespaced;
                        let kube::api::ApiResource { group, version, kind, plural, .. } = resource;
                        all.push(Resource { group, version, kind, plural, namespaced });
                    }
                }
            }
        }
        Ok(Self(all))
    }

    /// `v1/Pod` or `networking.k8s.io/v1/Ingress`, as `sync` names it.
    pub(super) fn find(&self, group_version_kind: &str) -> Option<&Resource> {
        self.0.iter().find(|resource| resource.group_version_kind() == group_version_kind)
    }

    /// What policies judge, in the order in which it is best looked at. `followed` kinds are kept in their version, so
    /// that nothing is read twice.
    pub(super) fn judged(&self, targets: &[&str], followed: &BTreeSet<Resource>) -> Vec<Resource> {
        let mut found: Vec<&Resource> = vec![];
        let mut by_wildcard = 0;
        for resource in &self.0 {
            let group_kind = resource.group_kind();
            let is_known = found.iter().any(|known| known.is(&resource.group, &resource.kind));
            let named = targets.iter().any(|target| match target.strip_prefix("*/") {
                Some(kind) => resource.kind == kind,
                None => **target == *group_kind,
            });
            // "Every kind" does not mean Secrets, which are never read, nor what admission leaves out.
            let is_left_out = group_kind == "Secret" || is_lifeline(&resource.group, &resource.kind);
            let meant = targets.contains(&"*") && !is_left_out && by_wildcard < MOST_BY_WILDCARD;
            if !is_known && (named || meant) {
                by_wildcard += usize::from(!named);
                found.push(resource);
            }
        }
        let rank = |resource: &Resource| FIRST.iter().position(|first| *first == resource.group_kind());
        found.sort_by_key(|resource| rank(resource).unwrap_or(FIRST.len()));
        let same = |resource: &Resource| followed.iter().find(|known| known.is(&resource.group, &resource.kind));
        found.into_iter().map(|resource| same(resource).unwrap_or(resource).clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(group: &str, version: &str, kind: &str) -> Resource {
        let plural = format!("{}s", kind.to_lowercase());
        Resource { group: group.into(), version: version.into(), kind: kind.into(), plural, namespaced: true }
    }

    fn kinds() -> Kinds {
        let (core, apps) = (|kind| resource("", "v1", kind), |version, kind| resource("apps", version, kind));
        let widget = resource("example.com", "v2", "Widget");
        let all = [core("Pod"), core("Secret"), apps("v1", "Deployment"), apps("v1beta1", "Deployment"), widget];
        Kinds(all.to_vec())
    }

    fn judged(targets: &[&str]) -> Vec<String> {
        let followed = BTreeSet::from([resource("apps", "v1beta1", "Deployment")]);
        let judged = kinds().judged(targets, &followed);
        judged.iter().map(Resource::group_version_kind).collect()
    }

    #[test]
    fn kinds_are_found_once_workloads_first_and_secrets_only_by_name() {
        assert_eq!(judged(&["Pod", "apps/Deployment"]), ["apps/v1beta1/Deployment", "v1/Pod"]);
        assert_eq!(judged(&["*"]), ["apps/v1beta1/Deployment", "v1/Pod", "example.com/v2/Widget"]);
        assert_eq!(judged(&["*/Widget", "Secret"]), ["v1/Secret", "example.com/v2/Widget"]);
        assert_eq!(judged(&["autoscaling/Scale"]), Vec::<String>::new());
        assert!(kinds().find("apps/v1/Deployment").is_some() && kinds().find("apps/v2/Deployment").is_none());
    }
}
