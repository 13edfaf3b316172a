//! What the author's check says of files of unit tests beside policies; deciding leaves them out.

use writ_policy::{SourceFile, check};

const HEAD: &str = "# METADATA\n# title: A policy\n# custom: {code: WR1, severity: HIGH, kinds: [Pod]}\n";

fn found(files: &[(&str, String)]) -> Vec<String> {
    let file = |(path, text): &(&str, String)| SourceFile { path: (*path).into(), text: text.as_str().into() };
    let files: Vec<SourceFile> = files.iter().map(file).collect();
    check(&files).diagnostics.iter().map(ToString::to_string).collect()
}

#[test]
fn policy_in_a_file_of_tests_is_told() {
    let text = format!("{HEAD}package writ.load_test\n\ndeny contains \"no\" if true\n");
    let expected = "load_test.rego:6:1: error: `deny` is in a file of unit tests, which judges nothing";
    assert_eq!(found(&[("load_test.rego", text)]), [expected]);
}

#[test]
fn policy_that_leans_on_its_tests_is_told() {
    let policy = format!("{HEAD}package writ.names\n\ndeny contains \"no\" if is_long(input)\n");
    let tests = "package writ.names\n\nis_long(_) := true\n\ntest_long if is_long(1)\n".to_owned();
    let found = found(&[("names.rego", policy), ("names_test.rego", tests)]);
    assert_eq!(found, ["names.rego:6:23: error: there is no function `is_long`"]);
}
