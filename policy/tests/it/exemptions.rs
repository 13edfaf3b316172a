//! Exemptions and teams' own deny levels, from the files of a repository to the action.

use serde_json::json;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use writ_policy::check::{Examination, InTurn, examine};
use writ_policy::{Action, Because, Budget, Decision, Inventory, Labels, PolicySet, SourceFile, answer, check};

const NOW: i64 = 1_800_000_000_000;

fn file(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.into(), text: text.into() }
}

fn files(fleet: &str, exemptions: &str) -> Vec<SourceFile> {
    let policy = "# METADATA\n# title: No pods\n# custom: {code: WR1, severity: MED, kinds: [Pod], sets: [strict]}\n\
                  package writ.no_pods\n\ndeny contains \"no\" if input.review.object\n";
    let fleet = format!("apiVersion: writ.dev/v1\nkind: Fleet\n{fleet}");
    vec![file("fleet.yaml", &fleet), file("policy.rego", policy), file("exemptions.yaml", exemptions)]
}

fn exemption(name: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: writ.dev/v1\nkind: Exemption\nmetadata: {{name: {name}}}\n\
         spec:\n  policies: [WR1]\n  reason: It is being moved\n  approvedBy: ada@example.com\n{spec}"
    )
}

/// Knows one namespace, with these labels.
struct Shop(serde_json::Value);

impl Inventory for Shop {
    fn namespace(&self, name: &str) -> Option<Arc<str>> {
        (name == "shop").then(|| json!({"metadata": {"labels": self.0}}).to_string().into())
    }
}

fn decide_in(files: &[SourceFile], env: &str, shop: Shop, now: i64) -> (Decision, serde_json::Value) {
    let labels: Labels = [("env".to_owned(), env.to_owned())].into();
    let report = check(files);
    assert!(report.is_ok(), "{:?}", report.diagnostics);
    let (mut policies, _) = PolicySet::load(files, &report.fleet.settings_for(&labels));
    let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "1", "operation": "CREATE", "kind": {"group": "", "version": "v1", "kind": "Pod"}, "namespace": "shop",
        "name": "web", "object": {}, "userInfo": {"username": "ada", "groups": ["dev"]}}});
    let decided = policies.decide(review.to_string().as_bytes(), &shop, &Budget::default(), now).unwrap();
    let response = answer(&decided.facts, &decided.decision, None);
    (decided.decision, serde_json::from_slice(&response).unwrap())
}

fn decide(fleet: &str, exemptions: &str, env: &str, now: i64) -> Decision {
    decide_in(&files(fleet, exemptions), env, Shop(json!({})), now).0
}

#[test]
fn exempted_failure_is_evaluated_and_recorded_and_not_said() {
    let exemption = exemption("moving", "  expires: 2030-01-31\n  namespaces: [shop]\n  subjects: {groups: [dev]}\n");
    let (decision, answer) = decide_in(&files("denyLevel: HIGH\n", &exemption), "prod", Shop(json!({})), NOW);
    let result = &decision.results[0];
    assert_eq!((result.action(), result.exemption.as_deref()), (Some(Action::Dryrun), Some("moving")));
    assert_eq!(result.messages(), ["[FAIL] MED - no (WR1)"]);
    assert_eq!(answer["response"]["warnings"], json!(null));
}

#[test]
fn exemption_that_is_over_or_meant_for_others_changes_nothing() {
    let until = |spec: &str| exemption("moving", spec);
    for (spec, env, now, exempted) in [
        ("  expires: 2027-01-15\n", "prod", NOW, true),
        // 1,800,000,000 s is the 15th of January 2027, 08:00 UTC; a date lasts until the day is over.
        ("  expires: 2027-01-15\n", "prod", NOW + 16 * 3_600_000 - 1, true),
        ("  expires: 2027-01-15\n", "prod", NOW + 16 * 3_600_000, false),
        ("  expires: 2027-01-15T08:00:00Z\n", "prod", NOW, false),
        ("  expires: 2030-01-31\n  clusters: {env: dev}\n", "prod", NOW, false),
        ("  expires: 2030-01-31\n  clusters: {env: dev}\n", "dev", NOW, true),
    ] {
        let decision = decide("denyLevel: HIGH\n", &until(spec), env, now);
        assert_eq!(decision.is_allowed(), exempted, "{spec}");
        assert_eq!(decision.results[0].exemption.is_some(), exempted, "{spec}");
    }
}

#[test]
fn team_is_heard_when_it_is_stricter_and_the_platform_lets_it() {
    let level = |fleet: &str, labels: serde_json::Value| {
        let (decision, answer) = decide_in(&files(fleet, ""), "prod", Shop(labels), NOW);
        let ruling = decision.results[0].ruling.clone().unwrap();
        (ruling.because, ruling.action, answer["response"]["warnings"].to_string())
    };
    let asks = |level: &str| json!({"writ.dev/deny-level": level});
    use writ_policy::DenyLevel::{High, Low};
    let heard = "denyLevel: LOW\nnamespaces: {mayTighten: true}\n";
    assert_eq!(level(heard, asks("HIGH")).0, Because::NamespaceLevel(High));
    assert_eq!(level(heard, asks("HIGH")).1, Action::Deny);
    assert_eq!(level("denyLevel: LOW\n", asks("HIGH")).1, Action::Warn);
    assert_eq!(level("denyLevel: HIGH\nnamespaces: {mayTighten: true}\n", asks("OFF")).0, Because::DenyLevel(High));
    let (because, _, warnings) = level(heard, asks("high"));
    assert_eq!(because, Because::DenyLevel(Low));
    assert!(warnings.contains("asks for deny level") && warnings.contains("LOW stays"), "{warnings}");
}

#[test]
fn mistakes_in_exemptions_are_told_at_their_place() {
    let text = "apiVersion: writ.dev/v1\nkind: Exemption\nmetadata: {name: moving}\nspec:\n  policies: []\n  reason: ''\n  \
                namespace: [shop]\n  expires: soon\n";
    let found: Vec<String> = check(&files("", text)).diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "exemptions.yaml:2:1: error: `spec.approvedBy` is missing",
            "exemptions.yaml:5:13: error: a list is not a list of texts that is not empty",
            "exemptions.yaml:6:11: error: \"\" is not a text that is not empty",
            "exemptions.yaml:7:3: error: `spec` of an exemption has no field `namespace`",
            "exemptions.yaml:8:12: error: \"soon\" is not a time such as `2030-01-31` or `2030-01-31T12:00:00Z`",
        ]
    );
}

#[test]
fn exemptions_that_cover_nothing_are_told() {
    let texts = [
        exemption("over", "  expires: 2026-01-31\n"),
        exemption("for-ever", "  expires: 2036-01-31\n  names: [web]\n"),
        exemption("again", "  expires: 2027-02-28\n  names: [web]\n"),
        exemption("unknown", "  expires: 2027-02-28\n  names: [api]\n").replace("WR1", "WR9"),
        exemption("needless", "  expires: 2027-02-28\n  names: [old]\n").replace("WR1", "WR2"),
    ];
    let mut files = files("", &texts.concat());
    let off = files[1].text.replace("sets: [strict]", "enabled: false").replace("WR1", "WR2");
    files.push(file("off.rego", &off.replace("no_pods", "off")));
    let (known, per_test) = (HashSet::new(), Duration::from_secs(1));
    let report =
        examine(&Examination { files: &files, others: &[], per_test, known: &known, now: NOW }, &InTurn).report;
    let found: Vec<String> = report.diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "exemptions.yaml:4:1: warning: the exemption `over` has expired",
            "exemptions.yaml:13:1: warning: the exemption `for-ever` expires in more than a year",
            "exemptions.yaml:23:1: warning: the exemption `again` covers the same as `for-ever`",
            "exemptions.yaml:33:1: warning: no policy has the code, the name or the set `WR9`",
            "exemptions.yaml:43:1: warning: `WR2` is off in every cluster, so nothing needs an exemption",
        ]
    );
}
