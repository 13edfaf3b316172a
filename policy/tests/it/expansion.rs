//! Workloads as the pods that they imply.

use serde_json::{Value, json};
use writ_policy::{Budget, Decided, DenyLevel, NoInventory, Outcome, PolicySet, Settings, SourceFile, answer};

fn writ(code: &str, custom: &str, rules: &str) -> SourceFile {
    let name = code.to_lowercase();
    let text = format!(
        "# METADATA\n# title: A policy\n# custom: {{code: {code}, severity: HIGH, {custom}}}\npackage writ.{name}\n\n{rules}"
    );
    SourceFile { path: format!("{name}.rego"), text: text.into() }
}

const SHOWS: &str = "deny contains json.marshal(input.review)\n";

fn decide(files: &[SourceFile], settings: &Settings, request: &Value) -> Decided {
    let (mut policies, report) = PolicySet::load(files, settings);
    assert!(report.is_ok(), "{:?}", report.diagnostics);
    let review =
        json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}).to_string();
    policies.decide(review.as_bytes(), &NoInventory, &Budget::default(), 0).unwrap()
}

fn request(operation: &str, group: &str, kind: &str, spec: Value) -> Value {
    let object = json!({"metadata": {"name": "web", "namespace": "shop", "uid": "u7"}, "spec": spec});
    let (object, old) = match operation {
        "DELETE" => (Value::Null, object),
        "UPDATE" => (object.clone(), object),
        _ => (object, Value::Null),
    };
    json!({"uid": "1", "operation": operation, "kind": {"group": group, "version": "v1", "kind": kind},
        "namespace": "shop", "name": "web", "object": object, "oldObject": old, "userInfo": {"username": "ada"}})
}

fn template() -> Value {
    json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "app"}]}})
}

fn judged(files: &[SourceFile], request: &Value) -> Vec<(String, bool)> {
    let decided = decide(files, &Settings::default(), request);
    decided.decision.results.iter().map(|result| (result.policy.code.to_string(), result.implied)).collect()
}

#[test]
fn workloads_are_judged_as_their_pod_by_who_does_not_judge_them_as_they_are() {
    let files = [
        writ("WR1", "kinds: [Pod]", SHOWS),
        writ("WR2", "kinds: [Pod, apps/Deployment]", SHOWS),
        writ("WR3", "kinds: [Pod], expand: false", SHOWS),
        writ("WR4", "kinds: ['*']", SHOWS),
    ];
    let template = || json!({"template": template()});
    let (one, two, four) = (("WR1".into(), true), |implied| ("WR2".into(), implied), ("WR4".into(), false));
    for (group, kind) in [("apps", "ReplicaSet"), ("apps", "StatefulSet"), ("apps", "DaemonSet"), ("batch", "Job")] {
        let request = request("CREATE", group, kind, template());
        assert_eq!(judged(&files, &request), [one.clone(), two(true), four.clone()], "{kind}");
    }
    let request_of = |operation, group, kind, spec| judged(&files, &request(operation, group, kind, spec));
    assert_eq!(request_of("UPDATE", "apps", "Deployment", template()), [one.clone(), two(false), four.clone()]);
    let cron = json!({"jobTemplate": {"spec": template()}});
    assert_eq!(request_of("CREATE", "batch", "CronJob", cron), [one.clone(), two(true), four.clone()]);
    assert_eq!(request_of("CREATE", "", "ReplicationController", template()), [one, two(true), four.clone()]);
    let alone = [four];
    assert_eq!(request_of("DELETE", "apps", "StatefulSet", template()), alone, "a deletion implies no pod");
    assert_eq!(request_of("CREATE", "example.com", "Deployment", template()), alone);
}

#[test]
fn implied_pod_is_what_the_controller_would_ask_for() {
    let files = [writ("WR1", "kinds: [Pod]", SHOWS)];
    let decided =
        decide(&files, &Settings::default(), &request("UPDATE", "apps", "Deployment", json!({"template": template()})));
    let Outcome::Fail(messages) = &decided.decision.results[0].outcome else { panic!("{decided:?}") };
    let message = messages[0].strip_prefix("[FAIL] HIGH - ").unwrap();
    let message = message.strip_suffix(" (WR1) [pod of Deployment/web]").unwrap();
    let seen: Value = serde_json::from_str(message).unwrap();
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"labels": {"app": "web"}, "namespace": "shop", "generateName": "web-", "name": "web-xxxxx",
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "u7",
                "controller": true, "blockOwnerDeletion": true}]},
        "spec": {"containers": [{"name": "app"}]},
    });
    assert_eq!(seen["object"], pod);
    assert_eq!(seen["oldObject"], pod);
    assert_eq!(seen["kind"], json!({"group": "", "version": "v1", "kind": "Pod"}));
    assert_eq!(seen["userInfo"]["username"], "ada");
    assert_eq!((&*decided.facts.kind, &*decided.facts.name), ("apps/Deployment", "web"));
}

#[test]
fn other_dialects_are_asked_about_the_implied_pod_too() {
    let magtape = "package kubernetes.admission.no_pods\n\npolicy_metadata = {\"name\": \"no-pods\", \"severity\": \"HIGH\", \
                   \"errcode\": \"MT1\", \"targets\": {\"Pod\"}}\n\nmatches { policy_metadata.targets[input.request.kind.kind] }\n\n\
                   deny[info] { name := input.request.object.metadata.name; info := {\"name\": \"no-pods\", \"severity\": \"HIGH\", \
                   \"errcode\": \"MT1\", \"msg\": name} }\n";
    let template_of_constraints = "apiVersion: templates.gatekeeper.sh/v1\nkind: ConstraintTemplate\nmetadata: {name: nopods}\nspec:\n  \
         crd: {spec: {names: {kind: NoPods}}}\n  targets:\n    - target: admission.k8s.gatekeeper.sh\n      rego: |\n        package nopods\n\n        \
         violation[{\"msg\": msg}] { msg := input.review.object.kind }\n";
    let constraint = |name: &str, spec: &str| {
        format!(
            "---\napiVersion: constraints.gatekeeper.sh/v1beta1\nkind: NoPods\nmetadata: {{name: {name}}}\nspec: {{match: {spec}}}\n"
        )
    };
    let gatekeeper = [
        template_of_constraints.to_owned(),
        constraint("a-pods", "{kinds: [{apiGroups: [''], kinds: [Pod]}]}"),
        constraint("b-original", "{kinds: [{apiGroups: [''], kinds: [Pod]}], source: Original}"),
        constraint("c-generated", "{source: Generated}"),
    ];
    let files = [
        SourceFile { path: "m.rego".into(), text: magtape.into() },
        SourceFile { path: "g.yaml".into(), text: gatekeeper.concat().into() },
    ];
    let decided =
        decide(&files, &Settings::default(), &request("CREATE", "apps", "Deployment", json!({"template": template()})));
    let said: Vec<String> = decided.decision.results.iter().flat_map(|result| result.messages()).collect();
    assert_eq!(
        said,
        [
            "web-xxxxx [pod of Deployment/web]",
            "[a-pods] Pod [pod of Deployment/web]",
            "[c-generated] Pod [pod of Deployment/web]"
        ]
    );
}

#[test]
fn pod_of_a_judged_workload_is_decided_and_not_warned_of_again() {
    let files = [
        writ("WR1", "kinds: [Pod]", "deny contains \"no\"\n"),
        writ("WR2", "kinds: [Pod], expand: false", "deny contains \"nor\"\n"),
    ];
    let mut pod = request("CREATE", "", "Pod", json!({}));
    pod["object"]["metadata"]["ownerReferences"] =
        json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-1", "uid": "u", "controller": true}]);
    let warnings = |settings: &Settings| {
        let Decided { facts, decision } = decide(&files, settings, &pod);
        assert_eq!(decision.objections().count(), 2);
        let answer: Value = serde_json::from_slice(&answer(&facts, &decision, None)).unwrap();
        answer["response"]["warnings"].as_array().unwrap().len()
    };
    assert_eq!(warnings(&Settings::default()), 1, "what the workload's owner was not told yet");
    assert_eq!(warnings(&Settings { expand: false, ..Settings::default() }), 2);
    assert_eq!(
        warnings(&Settings { deny_level: DenyLevel::High, ..Settings::default() }),
        2,
        "a refusal says everything"
    );
}

#[test]
fn fleet_turns_expansion_off() {
    let files = [writ("WR1", "kinds: [Pod]", SHOWS)];
    let request = request("CREATE", "apps", "Deployment", json!({"template": template()}));
    let off = decide(&files, &Settings { expand: false, ..Settings::default() }, &request);
    assert!(off.decision.results.is_empty());
}
