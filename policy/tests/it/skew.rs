//! Hub and agent of neighbouring minor versions: messages as the first version sent them, without what came later, and
//! messages with fields that only a later version will know.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use writ_policy::bundle::{Assignment, BundleStatement};
use writ_policy::sign::SigningKey;
use writ_policy::wire::{AgentState, Credential, Desired, DesiredRequest, Enroll, Enrolled, Receipt, Report};

const DIGEST: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const BOOT: &str = "0193b0a0-0000-7000-8000-000000000001";
const REVISION: &str = "5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed";

fn key() -> Value {
    serde_json::to_value(SigningKey::generate().0.public()).unwrap()
}

fn signed() -> Value {
    let statement = serde_json::from_value::<BundleStatement>(first_bundle()).unwrap();
    serde_json::to_value(SigningKey::generate().0.sign(&statement)).unwrap()
}

fn first_bundle() -> Value {
    json!({"revision": REVISION, "index": DIGEST, "policies": 12})
}

fn first_assignment() -> Value {
    json!({"cluster": "prod", "epoch": 3, "bundle": DIGEST, "settings": {"deny_level": "LOW"}, "issued_at": 1, "stale_after": 2})
}

fn first_enrolled() -> Value {
    json!({"agent": BOOT, "cluster": "prod", "labels": {"env": "prod"}, "credential": "c", "hub_key": key()})
}

fn first_request() -> Value {
    let active = json!({"assignment": DIGEST, "epoch": 3, "revision": REVISION, "fetched_at": 1, "verified_at": 2, "active_at": 3});
    let refused = json!({"assignment": DIGEST, "reason": "r", "at": 4});
    json!({"have": DIGEST, "state": {"version": "0.1.0", "boot": BOOT, "started_at": 1, "active": active, "refused": refused}})
}

fn first_report() -> Value {
    let failure = json!({"id": BOOT, "at": 1, "review": "u", "policy": "p", "code": "MT1001", "action": "deny", "outcome": "fail",
        "message": "m", "namespace": "shop", "kind": "Pod", "name": "web", "workload": "Pod/web", "operation": "CREATE",
        "user": "ada", "revision": REVISION});
    let policy_count = json!({"minute": 1, "namespace": "shop", "policy": "p", "code": "MT1001", "revision": REVISION, "passes": 1,
        "failures": 0, "denials": 0, "errors": 0, "micros": 9});
    let review_count = json!({"minute": 1, "namespace": null, "reviews": 1, "failing": 0, "denied": 0});
    let of = json!({"policy": "p", "namespace": "shop", "kind": "Pod", "workload": "Pod/web", "at": 1, "revision": REVISION});
    let with = |more: Value| {
        let mut all = of.clone();
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let violation = with(
        json!({"code": "MT1001", "action": "deny", "outcome": "fail", "message": "m", "name": "web", "objects": 1}),
    );
    let pass = json!({"started_at": 1, "finished_at": 2, "revision": REVISION, "objects": 3});
    json!({"boot": BOOT, "sequence": 1, "closed_at": 1, "failures": [failure], "policy_counts": [policy_count],
        "review_counts": [review_count], "violations": [violation], "fixed": [with(json!({"reason": "gone"}))], "audits": [pass]})
}

/// Every object with a field that nobody knows yet. What is signed stays as it is, and so do names of people's own.
fn later(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(later).collect(),
        Value::Object(fields) => {
            let own = |name: &str| matches!(name, "labels" | "parameters" | "actions");
            let kept =
                fields.iter().map(|(name, value)| (name.clone(), if own(name) { value.clone() } else { later(value) }));
            kept.chain([("of_a_later_minor".to_owned(), json!({"a": [1]}))]).collect::<serde_json::Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

fn reads<T: Serialize + DeserializeOwned>(first: &Value) {
    let name = std::any::type_name::<T>();
    let read = serde_json::from_value::<T>(first.clone());
    let read = read.map_err(|error| format!("{name} as it first was: {error}")).unwrap();
    let now = serde_json::to_value(read).unwrap();
    let again = serde_json::from_value::<T>(later(&now));
    let again = again.map_err(|error| format!("{name} as a later minor sends it: {error}")).unwrap();
    assert_eq!(serde_json::to_value(again).unwrap(), now, "{name}");
}

#[test]
fn messages_of_the_minor_before_and_of_the_one_to_come_are_read() {
    reads::<Enroll>(&json!({"token": "t", "version": "0.1.0"}));
    reads::<Enrolled>(&first_enrolled());
    reads::<Credential>(&json!({"credential": "c", "renew_at": 1, "expires_at": 2}));
    reads::<DesiredRequest>(&first_request());
    reads::<AgentState>(&first_request()["state"]);
    reads::<Desired>(&json!({"assignment": signed(), "bundle": signed()}));
    reads::<Report>(&first_report());
    reads::<Receipt>(&json!({"stored": 7}));
    reads::<BundleStatement>(&first_bundle());
}

/// A rule that is not known must not be dropped in silence: it may be what keeps enforcement as tight as the fleet wants it.
/// Such an assignment is refused with the field's name, and the last good one stays.
#[test]
fn assignment_is_read_as_it_first_was_and_refused_with_a_rule_that_is_not_known() {
    let read: Assignment = serde_json::from_value(first_assignment()).unwrap();
    assert!(read.settings.expand && read.settings.suspensions.is_empty());
    let mut later = serde_json::to_value(&read).unwrap();
    later["of_a_later_minor"] = json!(1);
    later["settings"]["of_a_later_minor"] = json!(1);
    assert_eq!(serde_json::from_value::<Assignment>(later.clone()).unwrap(), read);
    later["settings"]["break_glass"]["ofALaterMinor"] = json!(1);
    let refused = serde_json::from_value::<Assignment>(later).unwrap_err().to_string();
    assert!(refused.contains("ofALaterMinor"), "{refused}");
}
