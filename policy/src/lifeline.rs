//! What must stay usable whatever a policy says, or nobody could mend the policy: the namespaces of the control plane and
//! of the agent, and the kinds by which components find, know and hear each other. Policies judge there and are recorded;
//! a refusal is said as a warning.

use std::collections::BTreeSet;

/// Namespaces of every cluster.
const NAMESPACES: [&str; 2] = ["kube-system", "kube-node-lease"];
/// Groups of which all kinds are lifelines: who somebody is, what they may, and which webhooks are asked.
const GROUPS: [&str; 3] = ["authentication.k8s.io", "authorization.k8s.io", "admissionregistration.k8s.io"];
/// Kinds by which leaders are chosen, nodes prove to live, and the agent tells people.
const KINDS: [&str; 3] = ["coordination.k8s.io/Lease", "Event", "events.k8s.io/Event"];

/// Whether an object of this kind (`group/Kind`) in this namespace, or the Namespace object of that name, is one. `own`
/// are the agent's namespaces.
pub fn is_lifeline(kind: &str, namespace: &str, own: &BTreeSet<String>) -> bool {
    let group = kind.split_once('/').map_or("", |(group, _)| group);
    let is_place = NAMESPACES.contains(&namespace) || (!namespace.is_empty() && own.contains(namespace));
    is_place || GROUPS.contains(&group) || KINDS.contains(&kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_plane_and_agent_are_lifelines_and_nothing_of_a_team() {
        let own = BTreeSet::from(["writ-system".to_owned()]);
        for (kind, namespace, expected) in [
            ("Pod", "kube-system", true),
            ("Namespace", "kube-node-lease", true),
            ("apps/Deployment", "writ-system", true),
            ("coordination.k8s.io/Lease", "shop", true),
            ("authorization.k8s.io/SubjectAccessReview", "", true),
            ("apps/Deployment", "shop", false),
            ("Node", "", false),
            ("example.dev/Lease", "shop", false),
            ("Pod", "kube-system-2", false),
        ] {
            assert_eq!(is_lifeline(kind, namespace, &own), expected, "{kind} {namespace}");
        }
    }
}
