//! Tests and coverage as one JSON object.

use super::Tested;
use serde::Serialize;
use writ_policy::unit_test::TestResult;
use writ_policy::unit_test::coverage::FileCoverage;

#[derive(Serialize)]
struct Shown<'a> {
    ok: bool,
    passed: usize,
    failed: usize,
    skipped: usize,
    filtered: usize,
    tests: &'a [&'a TestResult],
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<ShownCoverage<'a>>,
}

#[derive(Serialize)]
struct ShownCoverage<'a> {
    percent: f64,
    files: &'a [FileCoverage],
}

pub(super) fn render(tested: &Tested<'_>) -> serde_json::Result<String> {
    let (failed, skipped) = (tested.failed(), tested.skipped());
    serde_json::to_string_pretty(&Shown {
        ok: failed == 0,
        passed: tested.tests.len() - failed - skipped,
        failed,
        skipped,
        filtered: tested.filtered,
        tests: &tested.tests,
        coverage: tested.coverage.as_ref().map(|found| ShownCoverage { percent: found.percent(), files: &found.files }),
    })
}
