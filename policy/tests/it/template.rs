//! The policies that `writ init` lays down pass the check and their own tests.

use std::time::Duration;
use writ_policy::{SourceFile, check, unit_test::run_tests};

fn files() -> Vec<SourceFile> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies-repo-template");
    let mut folders = vec![root.clone()];
    let mut files = vec![];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let relative = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                folders.push(path);
            } else if writ_policy::source::is_relevant(&relative) {
                files.push(SourceFile::new(&relative, &std::fs::read(&path).unwrap()).unwrap());
            }
        }
    }
    files
}

#[test]
fn template_passes_the_check() {
    let report = check(&files());
    let findings: Vec<String> = report.diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(findings, Vec::<String>::new());
    let codes: Vec<&str> = report.policies.iter().map(|policy| policy.code.as_str()).collect();
    let expected = ["MT1001", "MT1002", "MT1003", "MT1004", "MT1005", "MT1006", "MT1007", "MT1008", "MT1009", "MT1010"];
    assert_eq!(codes[..10], expected);
    assert_eq!(codes[10..], ["MT2001", "MT2002"]);
}

#[test]
fn template_passes_its_own_tests() {
    let results = run_tests(&files(), Duration::from_secs(5));
    let failed: Vec<_> = results.iter().filter(|result| result.failure.is_some()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(results.len() > 24, "only {} tests ran", results.len());
}
