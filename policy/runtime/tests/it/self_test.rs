//! What a policy does to the process that first loads it is a finding, whatever it does.

use crate::{file, policy};
use std::path::PathBuf;
use std::time::Duration;
use writ_policy::SourceFile;
use writ_policy::unit_test::TestResult;
use writ_runtime::SelfTest;

const PASSING: &str = "package writ.short_names_test\n\nimport data.writ.short_names\n\n\
    test_short_name_passes if count(short_names.deny) == 0 with input as {\"review\": {\"object\": {\"metadata\": {\"name\": \"a\"}}}}\n";

const MINUTE: Duration = Duration::from_secs(60);
const MEMORY: u64 = 2 << 30;

fn program() -> Option<PathBuf> {
    Some(env!("CARGO_BIN_EXE_writ-self-test").into())
}

fn child() -> SelfTest {
    SelfTest::new(program(), MINUTE, MEMORY)
}

fn in_this_process() -> SelfTest {
    SelfTest::new(None, MINUTE, MEMORY)
}

async fn findings(test: &SelfTest, files: &[SourceFile]) -> Vec<String> {
    test.run(files).await.unwrap().check.diagnostics.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn sound_policy_passes_in_a_child_and_in_this_process() {
    let files = [policy(), file("policy_test.rego", PASSING)];
    for test in [child(), in_this_process()] {
        let report = test.run(&files).await.unwrap();
        assert!(report.check.is_ok(), "{:?}", report.check.diagnostics);
        assert_eq!((report.check.policies.len(), report.tests.len()), (1, 1));
    }
}

#[tokio::test]
async fn failed_test_is_an_error_at_its_line() {
    let files = [policy(), file("policy_test.rego", &PASSING.replace("== 0", "== 7"))];
    let expected = "policy_test.rego:5:1: error: `test_short_name_passes` failed: \
        the test is undefined: one of its statements is false or undefined";
    assert_eq!(findings(&child(), &files).await, [expected]);
}

#[tokio::test]
async fn child_that_takes_too_long_is_killed_and_told() {
    let test = SelfTest::new(program(), Duration::from_micros(1), MEMORY);
    let findings = findings(&test, &[policy()]).await;
    assert!(findings[0].contains("took longer than"), "{findings:?}");
}

#[tokio::test]
async fn child_without_enough_memory_is_told() {
    let test = SelfTest::new(program(), MINUTE, 1 << 20);
    let files: Vec<SourceFile> = (0..400).map(|number| file(&format!("{number}.rego"), &PASSING.repeat(40))).collect();
    let report = test.run(&files).await.unwrap();
    assert!(!report.check.is_ok());
}

#[tokio::test]
async fn program_that_is_no_child_is_told() {
    let test = SelfTest::new(Some("/bin/false".into()), MINUTE, MEMORY);
    let findings = findings(&test, &[policy()]).await;
    assert!(findings[0].contains("the self-test"), "{findings:?}");
}

#[tokio::test]
async fn child_that_cannot_start_says_nothing_of_the_files() {
    let test = SelfTest::new(Some("/nonexistent/writ".into()), MINUTE, MEMORY);
    assert_eq!(test.run(&[policy()]).await.unwrap_err().to_string(), "the self-test could not start");
}

/// Two test modules: one of the policy, one of a library.
fn two_modules(limit: u32) -> [SourceFile; 4] {
    let library = format!("package lib.limits\n\nlongest := {limit}\n");
    let library_test = "package lib.limits_test\n\nimport data.lib.limits\n\n\
        test_three_is_allowed if limits.longest == 3\n\ntest_some_are_allowed if limits.longest > 0\n";
    [file("limits.rego", &library), file("limits_test.rego", library_test), policy(), file("policy_test.rego", PASSING)]
}

#[tokio::test]
async fn tests_of_unchanged_modules_keep_their_results() {
    for test in [child(), in_this_process()] {
        let first = test.run(&two_modules(3)).await.unwrap().tests;
        // How long each took is part of it, so a second run would differ.
        let again = test.clone().run(&two_modules(3)).await.unwrap().tests;
        assert_eq!((first.len(), &first), (3, &again));
    }
}

#[tokio::test]
async fn change_of_a_library_runs_its_tests_again_and_the_report_stays_whole() {
    let test = child();
    let first = test.run(&two_modules(3)).await.unwrap();
    let second = test.run(&two_modules(4)).await.unwrap();
    assert!(first.check.is_ok() && !second.check.is_ok());
    let failed = |test: &&TestResult| test.failure.is_some();
    assert_eq!((second.tests.len(), second.tests.iter().filter(failed).count()), (3, 1));
    assert_eq!(first.tests[2], second.tests[2]);
}

#[tokio::test]
async fn failure_is_never_remembered_and_takes_nothing_from_what_is() {
    let test = child();
    let first = test.run(&two_modules(3)).await.unwrap().tests;
    for _ in 0..2 {
        assert_eq!(findings(&test, &two_modules(4)).await.len(), 1);
    }
    assert_eq!(test.run(&two_modules(3)).await.unwrap().tests, first);
}
