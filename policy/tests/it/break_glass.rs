//! Break glass and lifelines: what would be refused goes through, and says so.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use writ_policy::{
    Action, Because, BreakGlass, Budget, Decided, Inventory, PolicySet, Settings, SourceFile, answer, check,
};

/// The 15th of January 2027, 08:00 UTC.
const NOW: i64 = 1_800_000_000_000;
const HOUR: i64 = 3_600_000;

/// Every namespace has these labels.
struct Labelled(Value);

impl Inventory for Labelled {
    fn namespace(&self, _: &str) -> Option<Arc<str>> {
        Some(json!({"metadata": {"labels": self.0}}).to_string().into())
    }
}

/// A policy that refuses everything, under this fleet.
fn files(fleet: &str) -> Vec<SourceFile> {
    let policy = "# METADATA\n# title: Nothing\n# custom: {code: WR1, severity: HIGH, kinds: [\"*\"]}\n\
                  package writ.nothing\n\ndeny contains \"no\" if input.review\n";
    let fleet = format!("apiVersion: writ.dev/v1\nkind: Fleet\ndenyLevel: LOW\n{fleet}");
    let file = |path: &str, text: &str| SourceFile { path: path.into(), text: text.into() };
    vec![file("fleet.yaml", &fleet), file("policy.rego", policy)]
}

fn settings(files: &[SourceFile]) -> Settings {
    let report = check(files);
    assert!(report.is_ok(), "{:?}", report.diagnostics);
    report.fleet.settings_for(&writ_policy::Labels::new())
}

fn review(group: &str, kind: &str, namespace: &str) -> Value {
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "1", "operation": "CREATE", "kind": {"group": group, "version": "v1", "kind": kind}, "namespace": namespace,
        "name": "web", "object": {}, "userInfo": {"username": "ada"}}})
}

fn decide(settings: &Settings, review: &Value, labels: Value) -> (Decided, Value) {
    let (mut policies, _) = PolicySet::load(&files(""), settings);
    let review = review.to_string();
    let decided = policies.decide(review.as_bytes(), &Labelled(labels), &Budget::default(), NOW).unwrap();
    let response = serde_json::from_slice(&answer(&decided.facts, &decided.decision, Some("abc"))).unwrap();
    (decided, response)
}

#[test]
fn suspension_by_the_hub_lets_through_what_it_would_have_refused_until_its_end() {
    let glass = |namespace: Option<&str>, until| BreakGlass {
        namespace: namespace.map(Into::into),
        until,
        reason: "the registry is down".into(),
        ..BreakGlass::default()
    };
    for (glass, is_open) in [
        (glass(Some("shop"), NOW + HOUR), true),
        (glass(None, NOW + HOUR), true),
        (glass(Some("bank"), NOW + HOUR), false),
        (glass(Some("shop"), NOW), false),
    ] {
        let settings = Settings { suspensions: vec![glass.clone()], ..settings(&files("")) };
        let (decided, answer) = decide(&settings, &review("", "Pod", "shop"), json!({}));
        assert_eq!(decided.decision.is_allowed(), is_open, "{glass:?}");
        assert_eq!(decided.decision.results[0].messages(), ["[FAIL] HIGH - no (WR1)"], "it is recorded");
        let response = &answer["response"];
        if is_open {
            let ruling = decided.decision.results[0].ruling.as_ref().unwrap();
            assert_eq!((ruling.action, &ruling.because), (Action::Warn, &Because::BreakGlass));
            let warning = response["warnings"][0].as_str().unwrap();
            assert!(
                warning.contains("until 2027-01-15T09:00:00Z") && warning.contains("registry is down"),
                "{warning}"
            );
            assert_eq!(response["auditAnnotations"]["break-glass"], "open");
        } else {
            assert_eq!(response["auditAnnotations"]["break-glass"], Value::Null);
        }
    }
}

#[test]
fn namespace_opens_it_where_the_fleet_allows_and_for_no_longer() {
    let label = |until: &str| json!({"writ.dev/break-glass": until});
    for (fleet, until, is_open, warning) in [
        ("breakGlass: {allow: true, maxFor: 30m}\n", "20270115T083000Z", true, "break glass is open in namespace shop"),
        (
            "breakGlass: {allow: true, maxFor: 30m}\n",
            "20270115T083001Z",
            false,
            "further away than the fleet allows (30m)",
        ),
        ("breakGlass: {allow: true}\n", "true", false, "\"true\" is no time"),
        ("namespaces: {mayTighten: true}\n", "20270115T083000Z", false, "does not allow it"),
        ("breakGlass: {allow: true}\n", "20270115T075900Z", false, "[FAIL]"),
    ] {
        let (decided, answer) = decide(&settings(&files(fleet)), &review("", "Pod", "shop"), label(until));
        assert_eq!(decided.decision.is_allowed(), is_open, "{fleet} {until}");
        let warnings = answer["response"]["warnings"].to_string();
        assert!(warnings.contains(&warning.replace('"', "\\\"")), "{fleet} {until}: {warnings}");
    }
}

#[test]
fn policy_that_refuses_everything_leaves_the_lifelines_usable() {
    let own = BTreeSet::from(["writ-system".to_owned()]);
    let settings = Settings { own_namespaces: own, ..settings(&files("")) };
    for (group, kind, namespace, allowed) in [
        ("", "Pod", "kube-system", true),
        ("coordination.k8s.io", "Lease", "kube-node-lease", true),
        ("apps", "Deployment", "writ-system", true),
        ("", "ServiceAccount", "writ-system", true),
        ("authorization.k8s.io", "SubjectAccessReview", "", true),
        ("apps", "Deployment", "shop", false),
    ] {
        let (decided, answer) = decide(&settings, &review(group, kind, namespace), json!({}));
        assert_eq!(decided.decision.is_allowed(), allowed, "{group}/{kind} in {namespace}");
        assert_eq!(answer["response"]["warnings"].to_string().contains("kept usable"), allowed);
        assert_eq!(decided.decision.objections().count(), 1, "it is recorded all the same");
    }
}

#[test]
fn change_of_break_glass_on_a_namespace_is_a_fact_of_the_review() {
    let labelled = |until: &str| json!({"metadata": {"labels": {"writ.dev/break-glass": until}}});
    let fact = |object: Value, old: Value, kind: &str| {
        let mut review = review("", kind, "shop");
        review["request"]["object"] = object;
        review["request"]["oldObject"] = old;
        decide(&settings(&files("")), &review, json!({})).0.facts.break_glass
    };
    assert_eq!(fact(labelled("20270115T083000Z"), json!({}), "Namespace").as_deref(), Some("20270115T083000Z"));
    assert_eq!(fact(json!({}), labelled("20270115T083000Z"), "Namespace").as_deref(), Some(""));
    assert_eq!(fact(labelled("x"), labelled("x"), "Namespace"), None);
    assert_eq!(fact(labelled("x"), json!({}), "ConfigMap"), None);
}

#[test]
fn warnings_stay_within_what_the_api_server_takes() {
    let rules = "deny contains sprintf(\"%v is wrong because %v\", [number, concat(\"\", [\"y\" | some _ in numbers.range(1, 200)])]) if {\n\
                 \tsome number in numbers.range(1, 90)\n}\n";
    let mut files = files("");
    files[1].text = files[1].text.replace("deny contains \"no\" if input.review\n", rules).into();
    let (mut policies, report) = PolicySet::load(&files, &settings(&files));
    assert!(report.is_ok(), "{:?}", report.diagnostics);
    let review = review("", "Pod", "shop").to_string();
    let decided = policies.decide(review.as_bytes(), &Labelled(json!({})), &Budget::default(), NOW).unwrap();
    let answer: Value = serde_json::from_slice(&answer(&decided.facts, &decided.decision, None)).unwrap();
    let warnings: Vec<&str> =
        answer["response"]["warnings"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let length: usize = warnings.iter().map(|warning| warning.chars().count()).sum();
    assert!((3_000..4_096).contains(&length), "{length}");
    let last = warnings.last().unwrap();
    assert!(last.starts_with("and ") && last.ends_with(" more; the dashboard shows them"), "{last}");
}
