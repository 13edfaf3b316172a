//! An existing object as the review that its creation would be, so that audit is admission's own way of deciding.

use crate::objects::{Object, Resource};
use bytes::Bytes;
use serde_json::json;

/// Kubernetes' controllers by what they make objects for. An exemption of a workload covers what its controller makes,
/// and what a workload controls is judged as made by it.
const CONTROLLERS: [(&str, &str); 7] = [
    ("Deployment", "deployment-controller"),
    ("ReplicaSet", "replicaset-controller"),
    ("StatefulSet", "statefulset-controller"),
    ("DaemonSet", "daemon-set-controller"),
    ("Job", "job-controller"),
    ("CronJob", "cronjob-controller"),
    ("ReplicationController", "replication-controller"),
];

/// The AdmissionReview, a CREATE by nobody or by the object's controller.
pub(super) fn review(resource: &Resource, object: &Object) -> Bytes {
    let Resource { group, version, kind, plural, .. } = resource;
    let name = &object.name.name;
    // The API server says a Namespace's own name as its namespace.
    let namespace = if resource.is("", "Namespace") { Some(name) } else { object.name.namespace.as_ref() };
    let kind = json!({"group": group, "version": version, "kind": kind});
    let resource = json!({"group": group, "version": version, "resource": plural});
    let uid = if object.uid.is_empty() { "audit" } else { &object.uid };
    let mut request = json!({
        "uid": uid, "kind": kind, "requestKind": kind, "resource": resource, "requestResource": resource,
        "name": name, "operation": "CREATE", "userInfo": user(object), "oldObject": null, "dryRun": false,
        "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"},
    });
    if let Some(namespace) = namespace {
        request["namespace"] = json!(namespace);
    }
    let request = request.to_string();
    // The object's text goes in as it is: it need not be read to be written again.
    let (fields, object) = (&request[..request.len() - 1], &object.json);
    let whole = r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":"#;
    format!("{whole}{fields},\"object\":{object}}}}}").into()
}

fn user(object: &Object) -> serde_json::Value {
    let known = CONTROLLERS.iter().find(|(kind, _)| Some(*kind) == object.controller.as_deref());
    let Some((_, account)) = known else { return json!({}) };
    json!({
        "username": format!("system:serviceaccount:kube-system:{account}"),
        "groups": ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::Item;
    use serde_json::Value;

    fn review_of(group: &str, kind: &str, object: Value) -> Value {
        let (version, plural) = ("v1".to_owned(), format!("{}s", kind.to_lowercase()));
        let resource = Resource { group: group.into(), version, kind: kind.into(), plural, namespaced: true };
        let object = Item::from(object).into_object(&resource).unwrap();
        serde_json::from_slice(&review(&resource, &object)).unwrap()
    }

    #[test]
    fn object_is_reviewed_as_if_it_were_created() {
        let owner = json!({"kind": "ReplicaSet", "name": "web-1", "controller": true});
        let pod = json!({"metadata": {"name": "web-1-x", "namespace": "shop", "uid": "7", "ownerReferences": [owner]}});
        let review = review_of("", "Pod", pod);
        let request = &review["request"];
        assert_eq!((&request["operation"], &request["namespace"]), (&json!("CREATE"), &json!("shop")));
        assert_eq!(request["object"]["kind"], "Pod");
        assert_eq!(request["userInfo"]["username"], "system:serviceaccount:kube-system:replicaset-controller");
        assert_eq!(request["options"]["kind"], "CreateOptions");
    }

    #[test]
    fn namespace_is_reviewed_in_itself_and_nodes_in_none() {
        let namespace = review_of("", "Namespace", json!({"metadata": {"name": "shop"}}));
        assert_eq!(namespace["request"]["namespace"], "shop");
        let node = review_of("", "Node", json!({"metadata": {"name": "one"}}));
        assert_eq!((node["request"].get("namespace"), &node["request"]["userInfo"]), (None, &json!({})));
    }
}
