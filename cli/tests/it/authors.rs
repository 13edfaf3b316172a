//! An author's day: `writ init`, `writ check`, `writ test`.

use crate::support::{home, writ, writ_with};
use std::fs;
use std::path::Path;
use writ_hub::repository::author;

/// A repository with one policy, its test, and two mistakes.
fn broken_repository(dir: &Path) {
    let policies = dir.join("policies");
    fs::create_dir_all(&policies).unwrap();
    let metadata = "# METADATA\n# title: T\n# custom:\n#   code: WR1\n#   severity: LOW\n#   kinds: [Pod]\n";
    let policy = format!("{metadata}package writ.owner\n\ndeny contains \"no owner\" if {{\n\tmsg := := 1\n}}\n");
    fs::write(policies.join("owner.rego"), policy).unwrap();
    fs::write(dir.join("fleet.yaml"), "apiVersion: writ.dev/v1\nkind: Fleet\ndenylevel: LOW\n").unwrap();
}

#[test]
fn what_init_lays_down_passes_check_and_test() {
    let home = home();
    let made = writ_with(home.path(), &["init", "policies"], &[]);
    assert_eq!(made.code, 0, "{}", made.stderr);
    let repo = home.path().join("policies");
    assert_eq!(author::plan_revert(&repo, "HEAD").unwrap().author, "Ada", "there is a first commit");

    let checked = writ(home.path(), &["check", "policies"]);
    assert_eq!((checked.code, checked.stdout.starts_with("ok: 62 policies")), (0, true), "{}", checked.stdout);
    let tested = writ(home.path(), &["test", "policies", "--filter", "policy_pdb_test"]);
    assert_eq!(tested.code, 0, "{}", tested.stdout);
    assert!(tested.stdout.contains("test result: ok.") && tested.stdout.contains("0 failed"), "{}", tested.stdout);

    let again = writ_with(home.path(), &["init", "policies"], &[]);
    assert_eq!((again.code, again.stderr.as_str()), (1, "error: policies is not empty; name a new folder\n"));
}

#[test]
fn init_without_identity_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let made = writ(dir.path(), &["init", "policies"]);
    assert_eq!(made.code, 1);
    assert!(made.stderr.starts_with("error: git does not know who you are"), "{}", made.stderr);
    assert!(!dir.path().join("policies").exists());
}

#[test]
fn check_shows_the_lines_in_question() {
    let dir = tempfile::tempdir().unwrap();
    broken_repository(dir.path());
    let checked = writ(dir.path(), &["check"]);
    assert_eq!(checked.code, 1);
    insta::assert_snapshot!(checked.stdout, @r"
    error: unknown field `denylevel`, expected one of apiVersion, kind, denyLevel, enable, disable, clusters, namespaces, breakGlass, classes, waves, urgent, expand, exemptions, sync
     --> fleet.yaml:3:1
      |
    3 | denylevel: LOW
      | ^
      |
      = help: Correct the YAML; field names are listed in docs/POLICIES.md.

    error: expected an expression here
      --> policies/owner.rego:10:9
       |
    10 |     msg := := 1
       |            ^
       |
       = help: Something is missing here: a value, a name or a call.

    error: 2 errors; the hub would record such a commit and not serve it
    ");
}

#[test]
fn check_speaks_to_programs_too() {
    let dir = tempfile::tempdir().unwrap();
    broken_repository(dir.path());
    let json = writ(dir.path(), &["check", "--format", "json"]);
    let found: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((json.code, &found["ok"], &found["errors"]), (1, &false.into(), &2.into()));
    let github = writ(dir.path(), &["check", "--format", "github"]);
    assert!(github.stdout.contains("::error file=policies/owner.rego,line=10,col=9::"), "{}", github.stdout);
}

#[test]
fn failing_test_is_told_with_its_place() {
    let home = home();
    writ_with(home.path(), &["init", "policies"], &[]);
    let test = "package writ.wrong_test\n\ntest_sum if 1 + 1 == 3\n";
    fs::write(home.path().join("policies/policies/wrong_test.rego"), test).unwrap();
    let tested = writ(home.path(), &["test", "policies", "--filter", "wrong_test"]);
    assert_eq!(tested.code, 1);
    assert!(tested.stdout.contains("test writ.wrong_test.test_sum ... FAILED"), "{}", tested.stdout);
    assert!(tested.stdout.contains("at policies/wrong_test.rego:3 ----"), "{}", tested.stdout);
}

#[test]
fn policy_that_never_ends_is_a_diagnostic() {
    let home = home();
    writ_with(home.path(), &["init", "policies"], &[]);
    let test = "package writ.endless_test\n\ntest_endless if {\n\tsome a in numbers.range(1, 9000)\n\tsome b in numbers.range(1, 9000)\n\ta * b == -1\n}\n";
    fs::write(home.path().join("policies/policies/endless_test.rego"), test).unwrap();
    // Its tests come first, and take of the time that is to run out here.
    fs::remove_dir_all(home.path().join("policies/library")).unwrap();
    let tested = writ(home.path(), &["test", "policies", "--filter", "endless", "--timeout", "20s"]);
    assert_eq!(tested.code, 1, "{}", tested.stdout);
    assert!(tested.stdout.contains("endless"), "{}", tested.stdout);
}

/// A repository whose one policy has a branch that no test reaches.
fn half_tested(dir: &Path) {
    let metadata = "# METADATA\n# title: T\n# custom:\n#   code: WR1\n#   severity: LOW\n#   kinds: [Pod]\n";
    let policy = format!(
        "{metadata}package writ.owner\n\ndeny contains \"no owner\" if {{\n\tnot input.owner\n\ttext\n}}\n\ntext if {{\n\tinput.text\n\tinput.text != \"\"\n}}\n"
    );
    fs::write(dir.join("owner.rego"), policy).unwrap();
    let test = "package writ.owner_test\n\nimport data.writ.owner.deny\n\ntest_owner_passes if count(deny) == 0 with input as {\"owner\": \"a\"}\n\n\
                todo_test_later if false\n";
    fs::write(dir.join("owner_test.rego"), test).unwrap();
}

#[test]
fn coverage_names_the_lines_that_no_test_reaches() {
    let dir = tempfile::tempdir().unwrap();
    half_tested(dir.path());
    let tested = writ(dir.path(), &["test", "--coverage", "--lcov", "lcov.info"]);
    assert_eq!(tested.code, 0, "{}{}", tested.stdout, tested.stderr);
    assert!(tested.stdout.contains("todo_test_later ... skipped"), "{}", tested.stdout);
    assert!(tested.stdout.contains(" %  owner.rego  not covered: 9, 11, 15-16"), "{}", tested.stdout);
    let lcov = fs::read_to_string(dir.path().join("lcov.info")).unwrap();
    assert!(lcov.starts_with("SF:owner.rego\n") && lcov.contains("DA:16,0\n") && lcov.contains("DA:10,1\n"), "{lcov}");
    assert_eq!(writ(dir.path(), &["test", "--threshold", "99"]).code, 1);
    assert_eq!(writ(dir.path(), &["test", "--threshold", "10%"]).code, 0);
}

#[test]
fn tests_are_chosen_by_pattern_and_told_in_every_format() {
    let home = home();
    writ_with(home.path(), &["init", "policies"], &[]);
    let tested = writ(home.path(), &["test", "policies", "--run", r"pdb_test\.test_.*range_fails$", "-o", "json"]);
    let found: serde_json::Value = serde_json::from_str(&tested.stdout).unwrap();
    let names: Vec<&str> =
        found["tests"].as_array().unwrap().iter().map(|test| test["name"].as_str().unwrap()).collect();
    assert!(
        !names.is_empty() && names.iter().all(|name| name.contains("pdb_test.test_") && name.ends_with("range_fails")),
        "{names:?}"
    );
    let junit = writ(home.path(), &["test", "policies", "-o", "junit"]).stdout;
    assert!(junit.contains("<testsuite name=\"writ.test\"") && junit.contains("failures=\"0\""), "{junit}");
    assert!(writ(home.path(), &["test", "policies", "-o", "tap"]).stdout.contains("\nok 1 - policies/"));
}
