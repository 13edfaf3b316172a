//! Conftest's packages, their counts and their objections.

use serde_json::{Value, json};
use std::time::Duration;
use writ_policy::SourceFile;
use writ_policy::conftest::{Configuration, Conftest, Judged, RegoVersion};

fn conftest(text: &str, rego: RegoVersion, data: Value) -> Conftest {
    let file = SourceFile::new("policy/a.rego", text.as_bytes()).unwrap();
    Conftest::load(&[file], rego, data).unwrap()
}

fn judge(conftest: &mut Conftest, package: &str, input: &Value) -> Judged {
    let configuration = Configuration { input, file_name: "a.yaml", folder: "/configs" };
    conftest.judge(package, &configuration, Duration::from_secs(5), 0).unwrap()
}

fn messages(judged: &Judged) -> Vec<&str> {
    let all = judged.failures.iter().chain(&judged.warnings).chain(&judged.exceptions);
    all.map(|objection| objection.message.as_str()).collect()
}

const RULES: &str = r#"package main

deny contains "one" if input.one

deny contains msg if {
	input.two
	msg := "two"
}

violation_name contains {"msg": "bad name", "details": {"name": input.name}, "_loc": {"file": "x.yaml", "line": 7}} if {
	input.name == "bad"
}

warn contains sprintf("in %s/%s", [data.conftest.file.dir, data.conftest.file.name]) if input.where

warn_list := ["listed"] if input.listed
"#;

#[test]
fn bodies_are_counted_one_by_one() {
    let mut conftest = conftest(RULES, RegoVersion::V1, json!({}));
    let passed = judge(&mut conftest, "main", &json!({}));
    assert_eq!((passed.passed, messages(&passed)), (5, vec![]));
    let failed = judge(&mut conftest, "main", &json!({"one": true, "name": "bad", "where": true, "listed": true}));
    assert_eq!(messages(&failed), ["one", "bad name", "in /configs/a.yaml", "listed"]);
    assert_eq!((failed.passed, failed.failures.len(), failed.warnings.len()), (1, 2, 2));
    let bad_name = &failed.failures[1];
    assert_eq!((bad_name.file.as_deref(), bad_name.line), (Some("x.yaml"), 7));
    assert_eq!(
        Value::Object(bad_name.metadata.clone()),
        json!({"details": {"name": "bad"}, "query": "data.main.violation_name"})
    );
}

#[test]
fn exceptions_put_their_rules_aside() {
    let rules = "package main\n\ndeny_root contains \"root\" if input.root\n\ndeny contains \"other\" if input.root\n\n\
                 exception contains [\"root\"] if input.name == \"old\"\n";
    let mut conftest = conftest(rules, RegoVersion::V1, json!({}));
    let judged = judge(&mut conftest, "main", &json!({"root": true, "name": "old"}));
    assert_eq!(messages(&judged), ["other", "data.main.exception[_][_] == \"root\""]);
    assert_eq!((judged.passed, judged.failures.len(), judged.exceptions.len()), (0, 1, 1));
}

#[test]
fn old_rego_data_and_other_packages_are_judged() {
    let rules = "package lib.old\n\ndeny[msg] {\n\tinput.port == data.ports[_]\n\tmsg := \"port\"\n}\n";
    let mut conftest = conftest(rules, RegoVersion::V0, json!({"ports": [22]}));
    assert_eq!(conftest.packages().collect::<Vec<_>>(), ["lib.old"]);
    assert_eq!(messages(&judge(&mut conftest, "lib.old", &json!({"port": 22}))), ["port"]);
    assert_eq!(judge(&mut conftest, "absent", &json!({"port": 22})), Judged::default());
}

#[test]
fn rule_without_contains_is_refused() {
    let file = SourceFile::new("a.rego", b"package main\n\ndeny[msg] if msg := \"x\"\n").unwrap();
    let findings = Conftest::load(&[file], RegoVersion::V1, json!({})).err().unwrap();
    let found = findings[0].to_string();
    assert!(found.starts_with("a.rego:3:1: error: `deny[...]` uses `if` without `contains`"), "{found}");
}

#[test]
fn message_of_another_kind_is_an_error_not_a_pass() {
    let mut conftest = conftest("package main\n\ndeny contains 7\n", RegoVersion::V1, json!({}));
    let input = json!({});
    let configuration = Configuration { input: &input, file_name: "a", folder: "/" };
    let error = conftest.judge("main", &configuration, Duration::from_secs(5), 0).unwrap_err();
    assert!(error.to_string().contains("neither a text nor an object"), "{error}");
}
