//! AdmissionReviews as an API server would send them for the bundled workloads.

use serde_json::{Value, json};
use uuid::Uuid;

/// Somebody creates this object in this namespace.
pub(crate) fn create(object: &Value, namespace: &str, user: &str) -> Value {
    review(object, namespace, user, "CREATE", Uuid::now_v7())
}

/// Somebody changes it.
pub(crate) fn update(object: &Value, namespace: &str, user: &str) -> Value {
    review(object, namespace, user, "UPDATE", Uuid::now_v7())
}

fn review(object: &Value, namespace: &str, user: &str, operation: &str, uid: Uuid) -> Value {
    let (group, version) = group_and_version(object["apiVersion"].as_str().unwrap_or_default());
    let kind = object["kind"].as_str().unwrap_or_default();
    let mut object = object.clone();
    object["metadata"]["namespace"] = namespace.into();
    let is_update = operation == "UPDATE";
    if is_update {
        object["metadata"]["uid"] = Uuid::now_v7().to_string().into();
    }
    let old_object = if is_update { object.clone() } else { Value::Null };
    let gvk = json!({"group": group, "version": version, "kind": kind});
    let resource = json!({"group": group, "version": version, "resource": resource(kind)});
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": uid.to_string(),
            "kind": gvk, "resource": resource, "requestKind": gvk, "requestResource": resource,
            "name": object["metadata"]["name"], "namespace": namespace, "operation": operation,
            "userInfo": {"username": user, "groups": ["system:authenticated"]},
            "object": object, "oldObject": old_object, "dryRun": false,
            "options": {"apiVersion": "meta.k8s.io/v1", "kind": if is_update { "UpdateOptions" } else { "CreateOptions" }},
        }
    })
}

fn group_and_version(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

/// The plural that the API server uses; enough for the kinds of the samples.
fn resource(kind: &str) -> String {
    format!("{}s", kind.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn review_names_group_kind_and_resource() {
        let object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}});
        let review = update(&object, "shop", "ada");
        let request = &review["request"];
        assert_eq!(request["kind"], json!({"group": "apps", "version": "v1", "kind": "Deployment"}));
        assert_eq!(request["resource"]["resource"], "deployments");
        assert_eq!(request["oldObject"]["metadata"]["namespace"], "shop");
        let pod = create(&json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}}), "shop", "ada");
        assert_eq!(pod["request"]["kind"]["group"], "");
        assert!(pod["request"]["oldObject"].is_null());
    }
}
