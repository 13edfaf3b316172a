//! From an object to the AdmissionReview that the API server would send for it.

use super::objects::Found;
use super::resources;
use crate::arguments::EvalOperation;
use serde_json::{Value, json};

/// What a manifest does not say of a request.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) operation: EvalOperation,
    pub(super) user: &'a str,
    pub(super) groups: &'a [String],
    /// Where objects without a namespace go.
    pub(super) namespace: &'a str,
}

/// Whether the value is an AdmissionReview itself, which is taken as it is.
pub(super) fn is_review(value: &Value) -> bool {
    value["kind"] == "AdmissionReview" && text(value, "apiVersion").starts_with("admission.k8s.io/")
}

/// The review of an object, as bytes.
pub(super) fn build(found: &Found, request: &Request<'_>) -> Vec<u8> {
    let value = &found.value;
    let body = if is_review(value) {
        value.clone()
    } else {
        json!({
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "request": request.of(value),
        })
    };
    serde_json::to_vec(&body).expect("a JSON value can be written")
}

impl Request<'_> {
    fn of(&self, object: &Value) -> Value {
        let (group, version) = group_version(object);
        let kind = text(object, "kind");
        let namespace = self.namespace_of(object);
        let mut object = object.clone();
        if !namespace.is_empty() && kind != "Namespace" && object["metadata"].is_object() {
            object["metadata"]["namespace"] = namespace.clone().into();
        }
        let resource = resources::resource(kind);
        let kind = json!({"group": group, "version": version, "kind": kind});
        let resource = json!({"group": group, "version": version, "resource": resource});
        let (new, old) = match self.operation {
            EvalOperation::Create => (object.clone(), Value::Null),
            EvalOperation::Update => (object.clone(), object.clone()),
            EvalOperation::Delete => (Value::Null, object.clone()),
        };
        json!({
            "uid": "00000000-0000-0000-0000-000000000000",
            "kind": kind,
            "resource": resource,
            "requestKind": kind,
            "requestResource": resource,
            "name": text(&object["metadata"], "name"),
            "namespace": namespace,
            "operation": self.operation.as_str(),
            "userInfo": {"username": self.user, "groups": self.groups},
            "object": new,
            "oldObject": old,
            "dryRun": false,
            "options": null,
        })
    }

    /// The namespace of the request; that of a Namespace is itself, as the API server has it.
    pub(super) fn namespace_of(&self, object: &Value) -> String {
        let (group, _) = group_version(object);
        let kind = text(object, "kind");
        if (group, kind) == ("", "Namespace") {
            return text(&object["metadata"], "name").to_owned();
        }
        match text(&object["metadata"], "namespace") {
            _ if !resources::is_namespaced(group, kind) => String::new(),
            "" => self.namespace.to_owned(),
            namespace => namespace.to_owned(),
        }
    }
}

/// Of `apiVersion`; the core group is empty.
pub(super) fn group_version(object: &Value) -> (&str, &str) {
    let api_version = text(object, "apiVersion");
    api_version.split_once('/').unwrap_or(("", api_version))
}

/// The text at this key, empty when there is none.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(operation: EvalOperation, object: Value) -> Value {
        let request = Request { operation, user: "ada", groups: &[], namespace: "default" };
        let found = Found { file: "a.yaml".into(), line: 1, value: object };
        serde_json::from_slice::<Value>(&build(&found, &request)).unwrap()["request"].clone()
    }

    #[test]
    fn request_says_what_the_api_server_would() {
        let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}});
        let created = request(EvalOperation::Create, deployment.clone());
        assert_eq!(created["resource"], json!({"group": "apps", "version": "v1", "resource": "deployments"}));
        assert_eq!(
            (&created["namespace"], &created["object"]["metadata"]["namespace"]),
            (&"default".into(), &"default".into())
        );
        assert_eq!((&created["operation"], &created["oldObject"]), (&"CREATE".into(), &Value::Null));
        let deleted = request(EvalOperation::Delete, deployment);
        assert_eq!((&deleted["object"], &deleted["oldObject"]["kind"]), (&Value::Null, &"Deployment".into()));
    }

    #[test]
    fn namespace_is_its_own_and_cluster_objects_have_none() {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
        let created = request(EvalOperation::Create, namespace);
        assert_eq!((&created["namespace"], created["object"]["metadata"].get("namespace")), (&"shop".into(), None));
        let role =
            json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "r"}});
        assert_eq!(request(EvalOperation::Create, role)["namespace"], "");
    }
}
