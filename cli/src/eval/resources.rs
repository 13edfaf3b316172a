//! What the API server knows of a kind and a manifest does not say: its resource, and whether it is in a namespace.

/// Kinds of Kubernetes that are in no namespace.
const CLUSTER_SCOPED: [&str; 34] = [
    "/ComponentStatus",
    "/Namespace",
    "/Node",
    "/PersistentVolume",
    "admissionregistration.k8s.io/MutatingAdmissionPolicy",
    "admissionregistration.k8s.io/MutatingAdmissionPolicyBinding",
    "admissionregistration.k8s.io/MutatingWebhookConfiguration",
    "admissionregistration.k8s.io/ValidatingAdmissionPolicy",
    "admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding",
    "admissionregistration.k8s.io/ValidatingWebhookConfiguration",
    "apiextensions.k8s.io/CustomResourceDefinition",
    "apiregistration.k8s.io/APIService",
    "authentication.k8s.io/SelfSubjectReview",
    "authentication.k8s.io/TokenReview",
    "authorization.k8s.io/SelfSubjectAccessReview",
    "authorization.k8s.io/SelfSubjectRulesReview",
    "authorization.k8s.io/SubjectAccessReview",
    "certificates.k8s.io/CertificateSigningRequest",
    "certificates.k8s.io/ClusterTrustBundle",
    "flowcontrol.apiserver.k8s.io/FlowSchema",
    "flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration",
    "gateway.networking.k8s.io/GatewayClass",
    "networking.k8s.io/IPAddress",
    "networking.k8s.io/IngressClass",
    "networking.k8s.io/ServiceCIDR",
    "node.k8s.io/RuntimeClass",
    "policy/PodSecurityPolicy",
    "rbac.authorization.k8s.io/ClusterRole",
    "rbac.authorization.k8s.io/ClusterRoleBinding",
    "scheduling.k8s.io/PriorityClass",
    "storage.k8s.io/CSIDriver",
    "storage.k8s.io/CSINode",
    "storage.k8s.io/StorageClass",
    "storage.k8s.io/VolumeAttachment",
];

/// Plurals that the rule below gets wrong.
const PLURALS: [(&str, &str); 5] = [
    ("Endpoints", "endpoints"),
    ("APIService", "apiservices"),
    ("CSINode", "csinodes"),
    ("Gateway", "gateways"),
    ("PodMetrics", "pods"),
];

/// Whether objects of this kind are in a namespace. Kinds that nobody declared are.
pub(super) fn is_namespaced(group: &str, kind: &str) -> bool {
    let is_gatekeepers = matches!(group, "templates.gatekeeper.sh" | "constraints.gatekeeper.sh");
    !is_gatekeepers && !CLUSTER_SCOPED.contains(&format!("{group}/{kind}").as_str())
}

/// The plural that URLs have, by the rule that Kubernetes itself guesses by.
pub(super) fn resource(kind: &str) -> String {
    if let Some((_, plural)) = PLURALS.iter().find(|(known, _)| *known == kind) {
        return (*plural).to_owned();
    }
    let singular = kind.to_lowercase();
    match singular.as_bytes() {
        [.., b's' | b'x'] | [.., b'c' | b's', b'h'] => singular + "es",
        [start @ .., before, b'y'] if !b"aeiou".contains(before) => {
            format!("{}ies", &singular[..start.len() + 1])
        }
        _ => singular + "s",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_the_plurals_that_urls_have() {
        for (kind, plural) in [
            ("Pod", "pods"),
            ("Ingress", "ingresses"),
            ("NetworkPolicy", "networkpolicies"),
            ("Gateway", "gateways"),
            ("Endpoints", "endpoints"),
            ("StorageClass", "storageclasses"),
            ("PodDisruptionBudget", "poddisruptionbudgets"),
        ] {
            assert_eq!(resource(kind), plural);
        }
    }

    #[test]
    fn scope_is_kubernetes_own() {
        assert!(is_namespaced("apps", "Deployment") && is_namespaced("example.com", "Widget"));
        assert!(!is_namespaced("", "Namespace") && !is_namespaced("constraints.gatekeeper.sh", "K8sRequiredLabels"));
    }
}
