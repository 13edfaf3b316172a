//! A worker that applies one bundle after another decides as one that begins with the last.

use proptest::prelude::*;
use proptest::sample::Index;
use writ_policy::fleet::Switch;
use writ_policy::{Budget, NoInventory, PolicySet, Settings, SourceFile};

fn policy(code: &str, is_on: &str, body: &str) -> String {
    let name = code.to_lowercase();
    format!(
        "# METADATA\n# title: {code}\n# custom:\n#   code: {code}\n#   severity: HIGH\n#   kinds: [Pod]\n#   enabled: {is_on}\n\
         package writ.{name}\n\n{body}\n"
    )
}

fn magtape(message: &str) -> String {
    format!(
        "package kubernetes.admission.policy_m\n
policy_metadata = {{\"name\": \"m\", \"severity\": \"LOW\", \"errcode\": \"MT9001\", \"targets\": {{\"Pod\"}}}}
matches {{ policy_metadata.targets[input.request.kind.kind] }}
deny[info] {{ info := {{\"name\": \"m\", \"severity\": \"LOW\", \"errcode\": \"MT9001\", \"msg\": \"{message}\"}} }}\n"
    )
}

fn template(message: &str) -> String {
    format!(
        "apiVersion: templates.gatekeeper.sh/v1\nkind: ConstraintTemplate\nmetadata:\n  name: knever\nspec:\n  crd:\n    spec:\n      \
         names:\n        kind: KNever\n  targets:\n    - target: admission.k8s.gatekeeper.sh\n      rego: |\n        package knever\n        \
         violation[{{\"msg\": msg}}] {{ msg := \"{message}\" }}\n"
    )
}

fn constraint(action: &str) -> String {
    format!(
        "apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: KNever\nmetadata:\n  name: never\nspec:\n  enforcementAction: {action}\n"
    )
}

/// Every file, and what it may be.
fn variants() -> Vec<(&'static str, Vec<String>)> {
    let library = |word: &str| format!("package lib.words\n\nword := \"{word}\"\n\nother := \"o\"\n");
    let uses = "deny contains data.lib.words.word if true";
    let asks = "deny contains data.writ.b1.said if true";
    let says = |word: &str| format!("said := \"{word}\"\n\ndeny contains \"b\" if true");
    vec![
        ("lib/words.rego", vec![library("one"), library("two")]),
        ("a1.rego", vec![policy("A1", "true", uses), policy("A1", "false", uses)]),
        ("b1.rego", vec![policy("B1", "false", &says("x")), policy("B1", "true", &says("y"))]),
        (
            "c1.rego",
            vec![
                policy("C1", "true", asks),
                policy("C1", "true", "deny contains \"c\" if true"),
                policy("C1", "false", asks),
            ],
        ),
        ("m.rego", vec![magtape("m1"), magtape("m2")]),
        ("template.yaml", vec![template("t1"), template("t2")]),
        ("constraint.yaml", vec![constraint("deny"), constraint("warn")]),
    ]
}

fn files(chosen: &[usize]) -> Vec<SourceFile> {
    let of = |((path, texts), at): (&(&str, Vec<String>), &usize)| {
        SourceFile::new(path, texts[*at % texts.len()].as_bytes()).unwrap()
    };
    variants().iter().zip(chosen).map(of).collect()
}

/// What is said to a Pod, without the time that it took.
fn said(policies: &mut PolicySet) -> Vec<String> {
    let review = br#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"1","operation":"CREATE",
        "kind":{"group":"","version":"v1","kind":"Pod"},"namespace":"shop","name":"web","object":{"metadata":{"name":"web"}}}}"#;
    let decision = policies.decide(review, &NoInventory, &Budget::default(), 7).unwrap().decision;
    decision
        .results
        .iter()
        .map(|result| format!("{} {:?} {:?}", result.policy.code, result.outcome, result.ruling))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn what_is_taken_over_decides_as_what_is_made_anew(
        commits in proptest::collection::vec((any::<Index>(), 0..3_usize, any::<bool>()), 1..12)
    ) {
        let (mut chosen, settings) = (vec![0; 7], |on: bool| Settings {
            switches: vec![Switch { name: "B1".into(), on }],
            ..Settings::default()
        });
        let mut kept = PolicySet::load(&files(&chosen), &settings(false)).0;
        for (file, variant, on) in commits {
            *file.get_mut(&mut chosen) = variant;
            let (files, settings) = (files(&chosen), settings(on));
            let (after, report) = kept.load_after(&files, &settings);
            prop_assert!(report.is_ok(), "{:?}", report.diagnostics);
            kept = after;
            prop_assert_eq!(said(&mut kept), said(&mut PolicySet::load(&files, &settings).0));
        }
    }
}
