//! Whether `group/Kind` can be right: its form, and for Kubernetes' own groups the kinds they have.

/// Kubernetes' own groups and the kinds that reviews carry. Other groups are custom resources and not checked.
const KNOWN: [(&str, &str); 19] = [
    (
        "",
        "Binding ConfigMap Endpoints Event LimitRange Namespace Node NodeProxyOptions PersistentVolume \
          PersistentVolumeClaim Pod PodAttachOptions PodExecOptions PodPortForwardOptions PodProxyOptions PodTemplate \
          ReplicationController ResourceQuota Secret Service ServiceAccount ServiceProxyOptions",
    ),
    (
        "admissionregistration.k8s.io",
        "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding \
          MutatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding \
          ValidatingWebhookConfiguration",
    ),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("apiregistration.k8s.io", "APIService"),
    ("apps", "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet"),
    ("authentication.k8s.io", "SelfSubjectReview TokenRequest TokenReview"),
    (
        "authorization.k8s.io",
        "LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview",
    ),
    ("autoscaling", "HorizontalPodAutoscaler Scale"),
    ("batch", "CronJob Job"),
    ("certificates.k8s.io", "CertificateSigningRequest ClusterTrustBundle PodCertificateRequest"),
    ("coordination.k8s.io", "Lease LeaseCandidate"),
    ("discovery.k8s.io", "EndpointSlice"),
    ("events.k8s.io", "Event"),
    ("networking.k8s.io", "IPAddress Ingress IngressClass NetworkPolicy ServiceCIDR"),
    ("node.k8s.io", "RuntimeClass"),
    ("policy", "Eviction PodDisruptionBudget PodSecurityPolicy"),
    ("rbac.authorization.k8s.io", "ClusterRole ClusterRoleBinding Role RoleBinding"),
    ("scheduling.k8s.io", "PriorityClass Workload"),
    ("storage.k8s.io", "CSIDriver CSINode CSIStorageCapacity StorageClass VolumeAttachment VolumeAttributesClass"),
];

/// What is wrong with this kind, and how to mend it.
pub(super) fn check(text: &str) -> Result<(), (String, String)> {
    if text == "*" {
        return Ok(());
    }
    let (group, kind) = text.rsplit_once('/').unwrap_or(("", text));
    if let Some((group, _version)) = group.split_once('/') {
        return Err((format!("{text:?} names a version"), format!("Write `{group}/{kind}`.")));
    }
    if !is_kind(kind) || !(group.is_empty() || group == "*" || is_group(group)) {
        let help = "Write `group/Kind`, e.g. `apps/Deployment`, or `Kind` for the core group, e.g. `Pod`.";
        return Err((format!("{text:?} is not a kind"), suggestion(kind).unwrap_or_else(|| help.to_owned())));
    }
    let known = KNOWN.iter().find(|(name, _)| *name == group);
    let has = |kinds: &str| kinds.split_whitespace().any(|known| known == kind);
    match known {
        Some((_, kinds)) if !has(kinds) => Err((unknown(group, kind), help(kind))),
        None if group != "*" && !group.contains('.') && suggestion(kind).is_some() => {
            Err((unknown(group, kind), help(kind)))
        }
        _ => Ok(()),
    }
}

fn unknown(group: &str, kind: &str) -> String {
    match group {
        "" => format!("the core group has no kind {kind:?}"),
        _ => format!("the group {group:?} has no kind {kind:?}"),
    }
}

fn help(kind: &str) -> String {
    let fallback = "Write `group/Kind` as in the object's `apiVersion` and `kind`, without the version.";
    suggestion(kind).unwrap_or_else(|| fallback.to_owned())
}

/// A known kind that is spelt alike.
fn suggestion(kind: &str) -> Option<String> {
    let all = KNOWN.iter().flat_map(|(group, kinds)| kinds.split_whitespace().map(move |kind| (*group, kind)));
    let (group, known) =
        all.min_by_key(|(_, known)| distance(kind, known)).filter(|(_, known)| distance(kind, known) <= 2)?;
    let full = if group.is_empty() { known.to_owned() } else { format!("{group}/{known}") };
    Some(format!("Did you mean `{full}`?"))
}

/// How many letters differ (Levenshtein), not minding case.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.chars().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.chars().count()]
}

fn is_kind(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.len() <= 63
        && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn is_group(text: &str) -> bool {
    text.len() <= 253 && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.')
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn kinds_are_checked_and_mended() {
        for good in ["*", "Pod", "apps/Deployment", "example.com/Widget", "*/Deployment"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for (bad, help) in [
            ("Deployment", "Did you mean `apps/Deployment`?"),
            ("apps/Deploymnet", "Did you mean `apps/Deployment`?"),
            ("app/Deployment", "Did you mean `apps/Deployment`?"),
            ("pod", "Did you mean `Pod`?"),
            ("apps/v1/Deployment", "Write `apps/Deployment`."),
        ] {
            assert_eq!(check(bad).unwrap_err().1, help, "{bad}");
        }
    }
}
