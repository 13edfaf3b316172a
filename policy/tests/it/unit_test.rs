//! Unit tests of policies run as OPA runs them.

use std::collections::HashSet;
use std::time::Duration;
use writ_policy::check::{Examination, InTurn, examine};
use writ_policy::unit_test::run_tests;
use writ_policy::{Digest, SourceFile};

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
        (21, "todo_test_later", true),
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

const OTHER: &str = "package lib.other\n\nis_short(name) if count(name) < 3\n";
const OTHER_TESTS: &str =
    "package lib.other_test\n\nimport data.lib.other\n\ntest_short_is_short if other.is_short(\"a\")\n";

/// Which test modules ran, in the order of their paths, and the digests of all.
fn run_unknown(files: &[(&str, &str)], known: &HashSet<Digest>) -> (Vec<bool>, HashSet<Digest>) {
    let files: Vec<_> =
        files.iter().map(|(path, text)| SourceFile { path: (*path).into(), text: (*text).into() }).collect();
    let asked = Examination { files: &files, others: &[], per_test: Duration::from_millis(200), known, now: 0 };
    let modules = examine(&asked, &InTurn).tests;
    let ran = modules.iter().map(|module| module.results.is_some()).collect();
    (ran, modules.iter().map(|module| module.digest).collect())
}

#[test]
fn known_test_module_runs_again_only_when_what_it_reaches_changed() {
    let files = [("a.rego", LIBRARY), ("a_test.rego", TESTS), ("b.rego", OTHER), ("b_test.rego", OTHER_TESTS)];
    let (ran, known) = run_unknown(&files, &HashSet::new());
    assert_eq!(ran, [true, true]);
    let changed = |path: &str, text: &str| {
        let files = files.map(|(known, old)| (known, if known == path { format!("{old}{text}") } else { old.into() }));
        run_unknown(&files.each_ref().map(|(path, text)| (*path, text.as_str())), &known).0
    };
    assert_eq!(changed("", ""), [false, false]);
    assert_eq!(changed("a.rego", "# text\n"), [true, false]);
    assert_eq!(changed("b.rego", "# text\n"), [false, true]);
    assert_eq!(changed("b_test.rego", "# text\n"), [false, true]);
}

#[test]
fn known_test_module_runs_again_when_a_module_it_reaches_comes_goes_or_moves() {
    let files = [("b.rego", OTHER), ("b_test.rego", OTHER_TESTS)];
    let (_, known) = run_unknown(&files, &HashSet::new());
    let ran = |files: &[(&str, &str)]| run_unknown(files, &known).0;
    assert_eq!(ran(&[files[0], files[1], ("c.rego", "package lib.other\n\nx := 1\n")]), [true]);
    assert_eq!(ran(&[files[0], files[1], ("c.rego", "package lib.unrelated\n\nx := 1\n")]), [false]);
    assert_eq!(ran(&[("moved.rego", OTHER), files[1]]), [true]);
}

fn file(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.into(), text: text.into() }
}

#[test]
fn tests_take_the_copy_of_a_library_beside_them() {
    let library = |folder: &str, value: u32| {
        file(&format!("{folder}/lib.rego"), &format!("package lib.number\n\nvalue := {value}\n"))
    };
    let test = |folder: &str, value: u32| {
        let text = format!("package {folder}_test\n\nimport data.lib.number\n\ntest_own if number.value == {value}\n");
        file(&format!("{folder}/a_test.rego"), &text)
    };
    let results = run_tests(&[library("a", 1), library("b", 2), test("a", 1), test("b", 2)], Duration::from_secs(5));
    assert!(results.len() == 2 && results.iter().all(|test| test.failure.is_none()), "{results:?}");
}

#[test]
fn json_beside_the_tests_and_below_its_folder_is_their_data() {
    let test = "package a_test\n\ntest_beside if data.mock.a == 1\n\ntest_below if data.fixtures.deep.b == 2\n\n\
        test_other if not data.mock.c\n";
    let files = [
        file("t/a_test.rego", test),
        file("t/mock_one.json", r#"{"mock": {"a": 1}}"#),
        file("fixtures/deep/x.json", r#"{"b": 2}"#),
        file("elsewhere/x.json", r#"{"mock": {"c": 3}}"#),
        file("t/broken.json", "{"),
    ];
    let results = run_tests(&files, Duration::from_secs(5));
    assert!(results.len() == 3 && results.iter().all(|test| test.failure.is_none()), "{results:?}");
}
