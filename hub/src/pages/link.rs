//! Addresses of pages. Names are encoded, so that no name leads elsewhere.

use url::form_urlencoded::{Serializer, byte_serialize};

/// Stands in URLs for the empty namespace, of cluster-scoped objects; no namespace can have this name.
pub(super) const CLUSTER_SCOPED: &str = "_cluster";

/// The page of a policy.
pub(super) fn policy(name: &str) -> String {
    format!("/policies/{}", segment(name))
}

/// The page of a namespace.
pub(super) fn namespace(name: &str) -> String {
    format!("/namespaces/{}", segment(namespace_word(name)))
}

/// The page of a cluster.
pub(super) fn cluster(name: &str) -> String {
    format!("/clusters/{}", segment(name))
}

/// The page of a violation.
pub(super) fn violation(id: &str) -> String {
    format!("/violations/{}", segment(id))
}

/// What changed, with these values; empty ones are left out.
pub(super) fn changes(values: &[(&str, &str)]) -> String {
    with_values("/changes", values)
}

/// The violations with these values; empty ones are left out.
pub(super) fn violations(values: &[(&str, &str)]) -> String {
    with_values("/violations", values)
}

/// The page of a revision.
pub(super) fn revision(revision: &str) -> String {
    format!("/revisions/{}", segment(revision))
}

/// The failures with these values; empty ones are left out.
pub(super) fn failures(values: &[(&str, &str)]) -> String {
    with_values("/failures", values)
}

fn with_values(path: &str, values: &[(&str, &str)]) -> String {
    let mut query = Serializer::new(String::new());
    for (name, value) in values.iter().filter(|(_, value)| !value.is_empty()) {
        query.append_pair(name, value);
    }
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// Why a failure of this policy does there what it does.
pub(super) fn why(policy: &str, cluster: &str, namespace: &str) -> String {
    let mut query = Serializer::new(String::new());
    for (name, value) in [("policy", policy), ("cluster", cluster), ("namespace", namespace)] {
        query.append_pair(name, value);
    }
    format!("/api/v1/explain?{}", query.finish())
}

/// The name of a namespace in URLs.
pub(super) fn namespace_word(name: &str) -> &str {
    if name.is_empty() { CLUSTER_SCOPED } else { name }
}

/// The name of a namespace for people.
pub(super) fn namespace_label(name: &str) -> &str {
    if name.is_empty() { "cluster-scoped" } else { name }
}

/// What a URL calls a namespace, as the store knows it.
pub(super) fn namespace_name(word: &str) -> &str {
    if word == CLUSTER_SCOPED { "" } else { word }
}

/// One part of a path; a space is `%20`, because `+` means itself there.
fn segment(text: &str) -> String {
    byte_serialize(text.as_bytes()).map(|part| if part == "+" { "%20" } else { part }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_place_in_an_address() {
        assert_eq!(policy("a/../b c?d#e\"f"), "/policies/a%2F..%2Fb%20c%3Fd%23e%22f");
        assert_eq!(namespace(""), "/namespaces/_cluster");
        assert_eq!(failures(&[("policy", "a&action=deny"), ("code", "")]), "/failures?policy=a%26action%3Ddeny");
        assert_eq!(failures(&[]), "/failures");
    }
}
