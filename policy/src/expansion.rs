//! Workloads as the pod that they imply, so that policies on pods speak when a workload is applied and not when its
//! controller is refused later. A deletion implies no pod: nothing that is wrong with a workload is a reason to keep it.

use crate::ReviewFacts;
use crate::engine::Value;
use crate::review::parse::Review;

/// Workloads, and where their pod's template is.
const WORKLOADS: [(&str, &str, &[&str]); 7] = [
    ("apps/Deployment", "apps/v1", &["spec", "template"]),
    ("apps/ReplicaSet", "apps/v1", &["spec", "template"]),
    ("apps/StatefulSet", "apps/v1", &["spec", "template"]),
    ("apps/DaemonSet", "apps/v1", &["spec", "template"]),
    ("batch/Job", "batch/v1", &["spec", "template"]),
    ("batch/CronJob", "batch/v1", &["spec", "jobTemplate", "spec", "template"]),
    ("ReplicationController", "v1", &["spec", "template"]),
];
/// The longest that Kubernetes lets the given part of a generated name be.
const LONGEST_PREFIX: usize = 58;

/// The kinds that imply pods, as `group/Kind`.
pub fn workloads() -> impl Iterator<Item = &'static str> {
    WORKLOADS.iter().map(|(kind, ..)| *kind)
}

/// Whether the review is of a workload that implies a pod.
pub(crate) fn implies_pod(review: &Review) -> bool {
    let is_stored = matches!(review.facts.operation.as_str(), "CREATE" | "UPDATE");
    let is_whole = text(&review.whole["request"], "subResource").is_empty();
    is_stored && is_whole && WORKLOADS.iter().any(|(kind, ..)| *kind == review.facts.kind)
}

/// Whether the object is made by a workload that was judged as the pod it implies.
pub(crate) fn is_child(review: &Review) -> bool {
    let request = &review.whole["request"];
    let object = if review.facts.operation == "DELETE" { &request["oldObject"] } else { &request["object"] };
    let Ok(owners) = object["metadata"]["ownerReferences"].as_array() else { return false };
    let is_workload = |owner: &Value| {
        let (group, kind) =
            (text(owner, "apiVersion").split_once('/').map_or("", |(group, _)| group), text(owner, "kind"));
        WORKLOADS.iter().any(|(known, ..)| known.rsplit_once('/').unwrap_or(("", known)) == (group, kind))
    };
    owners.iter().any(|owner| matches!(owner["controller"], Value::Bool(true)) && is_workload(owner))
}

/// The review of the pod that the workload implies: the same request by the same user, for the pod of its template.
pub(crate) fn implied(review: &Review) -> Option<Review> {
    let (_, api_version, path) = WORKLOADS.iter().find(|(kind, ..)| *kind == review.facts.kind)?;
    let request = &review.whole["request"];
    let pod = |object: &Value| pod(object, api_version, path, &review.facts);
    let object = pod(&request["object"])?;
    let name = text(&object["metadata"], "name").to_owned();
    let kind = map([("group", "".into()), ("version", "v1".into()), ("kind", "Pod".into())]);
    let resource = map([("group", "".into()), ("version", "v1".into()), ("resource", "pods".into())]);
    let mut implied = request.clone();
    for (key, value) in
        [("kind", &kind), ("requestKind", &kind), ("resource", &resource), ("requestResource", &resource)]
    {
        set(&mut implied, key, value.clone());
    }
    set(&mut implied, "name", name.as_str().into());
    set(&mut implied, "oldObject", pod(&request["oldObject"]).unwrap_or(Value::Null));
    set(&mut implied, "object", object);
    let mut whole = review.whole.clone();
    set(&mut whole, "request", implied.clone());
    let facts = ReviewFacts { kind: "Pod".into(), name, ..review.facts.clone() };
    Some(Review::new(facts, whole, implied))
}

/// The pod of the template at this path, as its controller would make it.
fn pod(workload: &Value, api_version: &str, path: &[&str], facts: &ReviewFacts) -> Option<Value> {
    let template = path.iter().fold(workload, |value, key| &value[*key]);
    if !matches!(template, Value::Object(_)) {
        return None;
    }
    let metadata = pod_metadata(&template["metadata"], &workload["metadata"], api_version, facts);
    let mut pod = template.clone();
    set(&mut pod, "apiVersion", "v1".into());
    set(&mut pod, "kind", "Pod".into());
    set(&mut pod, "metadata", metadata);
    Some(pod)
}

fn pod_metadata(template: &Value, workload: &Value, api_version: &str, facts: &ReviewFacts) -> Value {
    let kind = facts.kind.rsplit('/').next().unwrap_or(&facts.kind);
    let owner = facts.name.trim_end_matches('*');
    let prefix = format!("{}-", owner.trim_end_matches('-'));
    let prefix = &prefix[..prefix.floor_char_boundary(LONGEST_PREFIX)];
    let reference = map([
        ("apiVersion", api_version.into()),
        ("kind", kind.into()),
        ("name", owner.into()),
        ("uid", text(workload, "uid").into()),
        ("controller", Value::Bool(true)),
        ("blockOwnerDeletion", Value::Bool(true)),
    ]);
    let mut metadata = if matches!(template, Value::Object(_)) { template.clone() } else { Value::new_object() };
    set(&mut metadata, "generateName", prefix.into());
    set(&mut metadata, "name", format!("{prefix}xxxxx").as_str().into());
    set(&mut metadata, "namespace", facts.namespace.as_str().into());
    set(&mut metadata, "ownerReferences", Value::from(vec![reference]));
    metadata
}

fn map<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let mut object = Value::new_object();
    fields.into_iter().for_each(|(key, value)| set(&mut object, key, value));
    object
}

fn set(object: &mut Value, key: &str, value: Value) {
    object.as_object_mut().expect("only objects get here").insert(Value::from(key), value);
}

/// The text at this key, empty when there is none.
fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_string().map(AsRef::as_ref).unwrap_or_default()
}
