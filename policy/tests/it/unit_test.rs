//! Unit tests of policies run as OPA runs them.

use std::time::Duration;
use writ_policy::SourceFile;
use writ_policy::unit_test::run_tests;

const LIBRARY: &str = "package lib.names\n\nimport data.limits\n\nis_long(name) if count(name) > limits.longest\n";

const TESTS: &str = r#"package lib.names_test

import data.lib.names

test_data_is_replaced if names.is_long("abcd") with data.limits as {"longest": 3}

test_input_is_given if input.name == "a" with input as {"name": "a"}

test_false := false

test_undefined if names.is_long("abcd") with data.limits as {"longest": 9}

test_value_counts := "yes"

test_runs_on if {
	some a in numbers.range(1, 5000)
	some b in numbers.range(1, 5000)
	a * b == -1
}

todo_test_later := false

not_a_test := false
"#;

const MAGTAPE: &str = "package kubernetes.admission.policy_x\n\nname = \"x\"\n";
const MAGTAPE_TESTS: &str = "package kubernetes.admission.policy_x\n\ntest_same_package {\n    name == \"x\"\n}\n";

fn run(files: &[(&str, &str)]) -> Vec<(u32, String, bool)> {
    let file = |(path, text): &(&str, &str)| SourceFile { path: (*path).into(), text: (*text).into() };
    let files: Vec<SourceFile> = files.iter().map(file).collect();
    let results = run_tests(&files, Duration::from_millis(200));
    results.into_iter().map(|result| (result.line, result.name, result.failure.is_none())).collect()
}

#[test]
fn rules_that_are_true_pass_and_others_fail_at_their_line() {
    let results = run(&[("names.rego", LIBRARY), ("names_test.rego", TESTS)]);
    let expected = [
        (5, "test_data_is_replaced", true),
        (7, "test_input_is_given", true),
        (9, "test_false", false),
        (11, "test_undefined", false),
        (13, "test_value_counts", true),
        (15, "test_runs_on", false),
    ];
    let expected: Vec<_> =
        expected.map(|(line, name, passed)| (line, format!("data.lib.names_test.{name}"), passed)).into();
    assert_eq!(results, expected);
}

#[test]
fn tests_may_share_the_package_of_a_magtape_policy() {
    let results = run(&[("x.rego", MAGTAPE), ("x_test.rego", MAGTAPE_TESTS)]);
    assert_eq!(results, [(3, "data.kubernetes.admission.policy_x.test_same_package".into(), true)]);
}
