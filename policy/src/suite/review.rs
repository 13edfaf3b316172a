//! The review of a case's object, as the API server would send it: a creation by nobody in particular, or the
//! AdmissionReview that the file is itself, with what its author left out.

use super::objects::{group_version, text};
use serde_json::{Map, Value, json};

const UID: &str = "00000000-0000-0000-0000-000000000000";

/// The AdmissionReview, as bytes.
pub(super) fn review(object: Value) -> Result<Vec<u8>, String> {
    let is_review = text(&object, "kind") == "AdmissionReview"
        && group_version(text(&object, "apiVersion")).0 == "admission.k8s.io";
    let review = if is_review { completed(object)? } else { created(&object)? };
    Ok(review.to_string().into_bytes())
}

fn created(object: &Value) -> Result<Value, String> {
    let metadata = &object["metadata"];
    let is_namespace = (text(object, "apiVersion"), text(object, "kind")) == ("v1", "Namespace");
    if text(object, "apiVersion").is_empty() || text(object, "kind").is_empty() {
        return Err("the object has no `apiVersion` or no `kind`".to_owned());
    }
    Ok(json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": UID,
            "kind": kind_of(object),
            "operation": "CREATE",
            "name": text(metadata, "name"),
            "namespace": text(metadata, if is_namespace { "name" } else { "namespace" }),
            "userInfo": {},
            "object": object,
            "oldObject": null,
        },
    }))
}

fn completed(mut review: Value) -> Result<Value, String> {
    let Some(request) = review.get_mut("request").and_then(Value::as_object_mut) else {
        return Err("the AdmissionReview has no `request`".to_owned());
    };
    let is_there = |key: &str| request.get(key).is_some_and(Value::is_object);
    let (object, operation) = match (is_there("object"), is_there("oldObject")) {
        (true, _) => (request["object"].clone(), "CREATE"),
        (false, true) => (request["oldObject"].clone(), "DELETE"),
        (false, false) => return Err("the AdmissionReview has neither `object` nor `oldObject`".to_owned()),
    };
    if request.get("operation").and_then(Value::as_str) == Some("DELETE") && !is_there("oldObject") {
        return Err("the AdmissionReview deletes without `oldObject`".to_owned());
    }
    default(request, "uid", UID.into());
    default(request, "operation", operation.into());
    default(request, "kind", kind_of(&object));
    Ok(review)
}

fn default(request: &mut Map<String, Value>, key: &str, value: Value) {
    if request.get(key).is_none_or(|known| known.is_null() || known == "") {
        request.insert(key.to_owned(), value);
    }
}

fn kind_of(object: &Value) -> Value {
    let (group, version) = group_version(text(object, "apiVersion"));
    json!({"group": group, "version": version, "kind": text(object, "kind")})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(object: Value) -> Value {
        serde_json::from_slice::<Value>(&review(object).unwrap()).unwrap()["request"].clone()
    }

    #[test]
    fn object_is_created() {
        let created =
            request(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"namespace": "shop"}}));
        assert_eq!(created["kind"], json!({"group": "apps", "version": "v1", "kind": "Deployment"}));
        assert_eq!((&created["operation"], &created["namespace"]), (&"CREATE".into(), &"shop".into()));
        let namespace = request(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}));
        assert_eq!(namespace["namespace"], "shop", "as the API server says it");
    }

    #[test]
    fn review_is_taken_as_it_is() {
        let whole = |request: Value| json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request});
        let pod = json!({"apiVersion": "v1", "kind": "Pod"});
        let deleted = request(whole(json!({"oldObject": pod})));
        assert_eq!((&deleted["operation"], &deleted["kind"]["kind"]), (&"DELETE".into(), &"Pod".into()));
        let updated = request(whole(json!({"operation": "UPDATE", "uid": "7", "object": pod, "oldObject": pod})));
        assert_eq!((&updated["operation"], &updated["uid"]), (&"UPDATE".into(), &"7".into()));
        for (broken, reason) in [
            (json!({}), "neither `object` nor `oldObject`"),
            (json!({"operation": "DELETE", "object": pod}), "without `oldObject`"),
            (json!(null), "no `request`"),
        ] {
            assert!(review(whole(broken)).unwrap_err().contains(reason), "{reason}");
        }
    }
}
