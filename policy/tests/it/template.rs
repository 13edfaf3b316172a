//! The policies that `writ init` lays down pass the check and their own tests.

use crate::files::template;
use std::time::Duration;
use writ_policy::{check, unit_test::run_tests};

#[test]
fn template_passes_the_check() {
    let report = check(&template());
    let findings: Vec<String> = report.diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(findings, Vec::<String>::new());
    let on = report.policies.iter().filter(|policy| policy.enabled);
    let codes: Vec<&str> = on.map(|policy| policy.code.as_str()).collect();
    let expected = ["MT1001", "MT1002", "MT1003", "MT1004", "MT1005", "MT1006", "MT1007", "MT1008", "MT1009", "MT1010"];
    assert_eq!(codes[..10], expected);
    assert_eq!(codes[10..], ["MT2001", "MT2002"]);
}

#[test]
fn template_passes_its_own_tests() {
    let results = run_tests(&template(), Duration::from_secs(5));
    let failed: Vec<_> = results.iter().filter(|result| result.failure.is_some()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(results.len() > 24, "only {} tests ran", results.len());
}
