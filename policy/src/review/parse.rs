//! From the bytes of an AdmissionReview to the engine's value, and the facts that route and describe it.

use super::{ReviewError, ReviewFacts};
use crate::engine::Value;

/// The most levels of a review that the engine's reader takes; the object has two fewer.
const MOST_LEVELS: usize = 127;
use crate::gatekeeper::NativeReview;
use std::cell::OnceCell;

/// A review as policies see it.
pub(crate) struct Review {
    pub facts: ReviewFacts,
    /// The whole AdmissionReview, as MagTape's policies see it.
    pub whole: Value,
    /// The request as Writ's policies see it: on DELETE the object is the one that goes.
    pub request: Value,
    /// As expressions in CEL see it, made when one asks.
    native: OnceCell<NativeReview>,
}

impl Review {
    /// The review, or what is missing in it.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, ReviewError> {
        let text = std::str::from_utf8(bytes).map_err(|error| refuse(format!("it is not UTF-8: {error}")))?;
        if text.trim_ascii().is_empty() {
            return Err(refuse("the body is empty"));
        }
        let mut whole = read(text)?;
        check(&whole)?;
        prune(&mut whole);
        let facts = facts(&whole)?;
        if facts.operation == "DELETE" && !matches!(whole["request"]["oldObject"], Value::Object(_)) {
            return Err(refuse("`request.oldObject` is missing: what is deleted cannot be judged"));
        }
        let request = request(&whole, &facts);
        Ok(Self::new(facts, whole, request))
    }

    /// A review of these parts.
    pub(crate) fn new(facts: ReviewFacts, whole: Value, request: Value) -> Self {
        Self { facts, whole, request, native: OnceCell::new() }
    }

    /// As expressions in CEL see it.
    pub(crate) fn native(&self) -> &NativeReview {
        self.native.get_or_init(|| NativeReview::new(&self.whole["request"]))
    }
}

fn read(text: &str) -> Result<Value, ReviewError> {
    Value::from_json_str(text).map_err(|error| match levels(text) {
        ..=MOST_LEVELS => refuse(format!("it is not JSON: {error}")),
        levels => refuse(format!("it is nested {levels} levels deep, and at most {MOST_LEVELS} are read")),
    })
}

/// How deep objects and lists are nested.
fn levels(json: &str) -> usize {
    let (mut depth, mut deepest, mut is_text, mut is_escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            b'{' | b'[' if !is_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !is_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn refuse(reason: impl Into<String>) -> ReviewError {
    ReviewError(reason.into())
}

fn check(whole: &Value) -> Result<(), ReviewError> {
    if !matches!(whole, Value::Object(_)) {
        return Err(refuse("it is not a JSON object"));
    }
    match (text(whole, "apiVersion"), text(whole, "kind")) {
        ("admission.k8s.io/v1" | "admission.k8s.io/v1beta1", "AdmissionReview") => {}
        ("", _) => return Err(refuse("`apiVersion` is missing")),
        (_, "") => return Err(refuse("`kind` is missing")),
        (version, kind) => {
            let (version, kind) = (short(version), short(kind));
            return Err(refuse(format!("`{version}` `{kind}` is not `admission.k8s.io/v1` `AdmissionReview`")));
        }
    }
    match whole["request"] {
        Value::Object(_) => Ok(()),
        _ => Err(refuse("`request` is missing")),
    }
}

fn short(text: &str) -> String {
    text.chars().take(80).collect()
}

/// Takes out what no policy may depend on and only costs time: `metadata.managedFields`.
fn prune(whole: &mut Value) {
    for object in ["object", "oldObject"] {
        let metadata = field_mut(whole, "request")
            .and_then(|request| field_mut(request, object))
            .and_then(|object| field_mut(object, "metadata"));
        if let Some(Ok(fields)) = metadata.map(Value::as_object_mut) {
            fields.remove(&Value::from("managedFields"));
        }
    }
}

fn field_mut<'a>(value: &'a mut Value, key: &str) -> Option<&'a mut Value> {
    value.as_object_mut().ok()?.get_mut(&Value::from(key))
}

/// The request for Writ's policies: on DELETE `object` becomes `oldObject`.
fn request(whole: &Value, facts: &ReviewFacts) -> Value {
    let mut request = whole["request"].clone();
    if facts.operation == "DELETE" {
        let gone = request["oldObject"].clone();
        let fields = request.as_object_mut().expect("the request was found to be an object");
        fields.insert(Value::from("object"), gone);
    }
    request
}

fn facts(whole: &Value) -> Result<ReviewFacts, ReviewError> {
    let request = &whole["request"];
    let required = |path: &str, found: &str| match found {
        "" => Err(refuse(format!("`request.{path}` is missing"))),
        found => Ok(found.to_owned()),
    };
    let kind = required("kind.kind", text(&request["kind"], "kind"))?;
    let operation = required("operation", text(request, "operation"))?;
    let object = if operation == "DELETE" { &request["oldObject"] } else { &request["object"] };
    let metadata = &object["metadata"];
    let name = name(request, metadata);
    Ok(ReviewFacts {
        api_version: text(whole, "apiVersion").to_owned(),
        uid: required("uid", text(request, "uid"))?,
        workload: workload(metadata).unwrap_or_else(|| format!("{kind}/{name}")),
        break_glass: (kind == "Namespace").then(|| crate::break_glass::changed(request)).flatten(),
        kind: match text(&request["kind"], "group") {
            "" => kind,
            group => format!("{group}/{kind}"),
        },
        namespace: text(request, "namespace").to_owned(),
        name,
        object_uid: text(metadata, "uid").to_owned(),
        version: text(&request["kind"], "version").to_owned(),
        child: false,
        operation,
        user: text(&request["userInfo"], "username").to_owned(),
        sub_resource: text(request, "subResource").to_owned(),
        dry_run: matches!(request["dryRun"], Value::Bool(true)),
    })
}

/// The object's name, or `generateName` with a trailing `*`.
fn name(request: &Value, metadata: &Value) -> String {
    let generated = || format!("{}*", text(metadata, "generateName"));
    let names = [text(request, "name"), text(metadata, "name")];
    match names.into_iter().find(|name| !name.is_empty()) {
        Some(name) => name.to_owned(),
        None if text(metadata, "generateName").is_empty() => String::new(),
        None => generated(),
    }
}

/// The controlling owner as `Kind/name`. A ReplicaSet that a Deployment made carries the hash of its template at the
/// end of its name; what people know is the Deployment.
fn workload(metadata: &Value) -> Option<String> {
    let owners = metadata["ownerReferences"].as_array().ok()?;
    let owner = owners.iter().find(|owner| matches!(owner["controller"], Value::Bool(true)))?;
    let (kind, name) = (text(owner, "kind"), text(owner, "name"));
    let deployment = || {
        let (deployment, hash) = name.rsplit_once('-').filter(|_| kind == "ReplicaSet")?;
        let label = text(&metadata["labels"], "pod-template-hash");
        let is_hash = if label.is_empty() { looks_like_hash(hash) } else { label == hash };
        is_hash.then(|| format!("Deployment/{deployment}"))
    };
    (!kind.is_empty() && !name.is_empty()).then(|| deployment().unwrap_or_else(|| format!("{kind}/{name}")))
}

/// Kubernetes' safe alphabet for generated parts of names.
fn looks_like_hash(text: &str) -> bool {
    matches!(text.len(), 5..=10) && text.bytes().all(|b| b"bcdfghjklmnpqrstvwxz2456789".contains(&b))
}

/// The text at this key, empty when there is none.
fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_string().map(AsRef::as_ref).unwrap_or_default()
}
