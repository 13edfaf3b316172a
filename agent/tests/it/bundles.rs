//! Small policies and reviews that name only what a test is about.

use serde_json::{Value, json};
use writ_policy::SourceFile;

/// A policy that objects to objects with this label; the message is its code.
pub fn label_policy(code: &str, label: &str) -> SourceFile {
    let package = code.to_lowercase();
    policy(
        code,
        &format!(
            "package writ.{package}\n\ndeny contains \"has label {label}\" if input.review.object.metadata.labels.{label}\n"
        ),
    )
}

/// A HIGH policy for Pods with this body.
pub fn policy(code: &str, body: &str) -> SourceFile {
    let metadata = format!(
        "# METADATA\n# title: Test {code}\n# custom:\n#   code: {code}\n#   severity: HIGH\n#   kinds: [Pod]\n"
    );
    file(&format!("{}.rego", code.to_lowercase()), &format!("{metadata}{body}"))
}

/// Any file.
pub fn file(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.into(), text: text.into() }
}

/// An AdmissionReview of a Pod with this label.
pub fn pod_review(label: &str) -> Value {
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "0b4f2ad2",
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "name": "web", "namespace": "shop", "operation": "CREATE",
            "userInfo": {"username": "ann"},
            "object": {
                "apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": "web", "namespace": "shop", "labels": {label: "yes"}},
            },
        },
    })
}
