//! Sources and reviews that someone has damaged: whatever they hold, they end in an answer. What `fuzz/` looks for
//! without end is looked for here for a moment, from the modules of the corpus and from a review.

use proptest::prelude::*;
use std::path::Path;
use writ_policy::engine::load::{check_together, load};
use writ_policy::{Budget, NoInventory, PolicySet, Settings, SourceFile};

/// A part of a text that is removed, repeated elsewhere, or replaced by one of these.
const SPLICES: [&str; 16] =
    ["", "\"", "{", "}", "[", "]", "null", ":", ",", "walk(x)", "not ", " in ", "\\u0000", "é", "-1e999", "print(x)"];

#[derive(Debug, Clone)]
struct Damage {
    at: prop::sample::Index,
    removed: usize,
    splice: usize,
}

fn damage() -> impl Strategy<Value = Vec<Damage>> {
    let one = (any::<prop::sample::Index>(), 0..24_usize, 0..SPLICES.len());
    prop::collection::vec(one.prop_map(|(at, removed, splice)| Damage { at, removed, splice }), 0..6)
}

fn damaged(text: &str, damages: &[Damage]) -> String {
    let mut text: Vec<char> = text.chars().collect();
    for Damage { at, removed, splice } in damages {
        let at = at.index(text.len() + 1);
        text.splice(at..(at + removed).min(text.len()), SPLICES[*splice].chars());
    }
    text.into_iter().collect()
}

fn modules() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut modules = vec![];
    for path in paths {
        let corpus: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let cases = corpus["cases"].as_array().unwrap().iter().flat_map(|case| case["modules"].as_array().unwrap());
        modules.extend(cases.map(|module| module.as_str().unwrap().to_owned()));
    }
    modules
}

const POLICY: &str = "# METADATA
# title: A policy
# custom:
#   code: WR1
#   severity: HIGH
#   kinds: [\"*\"]
package writ.wr1

deny contains sprintf(\"%v\", [value]) if {
	walk(input.review.object, [_, value])
	not startswith(value, \"x\")
}
";

const REVIEW: &str = r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"1","operation":"CREATE",
"kind":{"group":"","version":"v1","kind":"Pod"},"resource":{"group":"","version":"v1","resource":"pods"},"namespace":"shop",
"name":"web","userInfo":{"username":"ada","groups":["a"]},"object":{"metadata":{"name":"web","labels":{"a":"b"}},
"spec":{"containers":[{"name":"app","image":"r/x:1","ports":[{"containerPort":80}]}]}},"oldObject":null,"dryRun":false}}"#;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn damaged_modules_of_the_corpus_end_in_an_answer(which in any::<prop::sample::Index>(), damages in damage(), v0 in any::<bool>()) {
        let modules = modules();
        let author = damaged(&modules[which.index(modules.len())], &damages);
        let file = SourceFile { path: "a.rego".into(), text: author.as_str().into() };
        let findings = match load(&file, v0) {
            Ok(loaded) => check_together(&[loaded]),
            Err(findings) => findings,
        };
        for finding in findings {
            let line = author.split('\n').nth((finding.line as usize).saturating_sub(1));
            prop_assert!(line.is_some_and(|line| finding.column as usize <= line.chars().count() + 1), "{finding} in {author:?}");
        }
    }

    #[test]
    fn damaged_reviews_end_in_an_answer(damages in damage()) {
        let file = SourceFile { path: "wr1.rego".into(), text: POLICY.into() };
        let (mut policies, report) = PolicySet::load(&[file], &Settings::default());
        prop_assert!(report.is_ok(), "{:?}", report.diagnostics);
        let review = damaged(REVIEW, &damages);
        if let Ok(decided) = policies.decide(review.as_bytes(), &NoInventory, &Budget::default(), 7) {
            prop_assert!(decided.decision.results.len() <= 1);
        }
    }
}
