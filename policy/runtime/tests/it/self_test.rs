//! What a policy does to the process that first loads it is a finding, whatever it does.

use crate::{file, policy};
use std::time::Duration;
use writ_policy::SourceFile;
use writ_runtime::SelfTest;

const PASSING: &str = "package writ.short_names_test\n\nimport data.writ.short_names\n\n\
    test_short_name_passes if count(short_names.deny) == 0 with input as {\"review\": {\"object\": {\"metadata\": {\"name\": \"a\"}}}}\n";

fn child() -> SelfTest {
    let program = Some(env!("CARGO_BIN_EXE_writ-self-test").into());
    SelfTest { program, timeout: Duration::from_secs(60), memory: 2 << 30 }
}

async fn findings(test: SelfTest, files: &[SourceFile]) -> Vec<String> {
    test.run(files).await.check.diagnostics.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn sound_policy_passes_in_a_child_and_in_this_process() {
    let files = [policy(), file("policy_test.rego", PASSING)];
    for test in [child(), SelfTest { program: None, ..child() }] {
        let report = test.run(&files).await;
        assert!(report.check.is_ok(), "{:?}", report.check.diagnostics);
        assert_eq!((report.check.policies.len(), report.tests.len()), (1, 1));
    }
}

#[tokio::test]
async fn failed_test_is_an_error_at_its_line() {
    let files = [policy(), file("policy_test.rego", &PASSING.replace("== 0", "== 7"))];
    let expected = "policy_test.rego:5:1: error: `test_short_name_passes` failed: \
        the test is undefined: one of its statements is false or undefined";
    assert_eq!(findings(child(), &files).await, [expected]);
}

#[tokio::test]
async fn child_that_takes_too_long_is_killed_and_told() {
    let test = SelfTest { timeout: Duration::from_micros(1), ..child() };
    let findings = findings(test, &[policy()]).await;
    assert!(findings[0].contains("took longer than"), "{findings:?}");
}

#[tokio::test]
async fn child_without_enough_memory_is_told() {
    let test = SelfTest { memory: 1 << 20, ..child() };
    let files: Vec<SourceFile> = (0..400).map(|number| file(&format!("{number}.rego"), &PASSING.repeat(40))).collect();
    let report = test.run(&files).await;
    assert!(!report.check.is_ok());
}

#[tokio::test]
async fn program_that_is_no_child_is_told() {
    for program in ["/bin/false", "/nonexistent/writ"] {
        let findings = findings(SelfTest { program: Some(program.into()), ..child() }, &[policy()]).await;
        assert!(findings[0].contains("the self-test"), "{findings:?}");
    }
}
