//! Tests and coverage for people.

use super::{Tested, short_name};
use crate::{check, terminal};
use std::fmt::Write;
use writ_policy::unit_test::TestResult;

pub(super) fn render(tested: &Tested<'_>, threshold: Option<f64>) -> String {
    let mut text = format!("running {}\n", check::count(tested.tests.len(), "test", "tests"));
    for test in &tested.tests {
        let _ = writeln!(text, "test {} ... {}", short_name(&test.name), end(test));
    }
    let failed: Vec<_> = tested.tests.iter().filter_map(|test| Some((test, test.failure.as_ref()?))).collect();
    if !failed.is_empty() {
        text.push_str("\nfailures:\n");
    }
    for (test, reason) in &failed {
        let _ = writeln!(text, "\n---- {} at {}:{} ----\n{reason}", short_name(&test.name), test.path, test.line);
    }
    if let Some(coverage) = &tested.coverage {
        let _ = write!(text, "\n{}", coverage.render(threshold));
    }
    text.push('\n');
    text + &summary(tested)
}

fn end(test: &TestResult) -> String {
    match (&test.failure, test.skipped) {
        (Some(_), _) => terminal::red("FAILED"),
        (None, true) => terminal::yellow("skipped"),
        (None, false) => terminal::green("ok"),
    }
}

fn summary(tested: &Tested<'_>) -> String {
    let (failed, skipped) = (tested.failed(), tested.skipped());
    let end = if failed == 0 { terminal::green("ok") } else { terminal::red("FAILED") };
    let passed = tested.tests.len() - failed - skipped;
    let skipped = if skipped > 0 { format!("; {skipped} skipped") } else { String::new() };
    format!(
        "test result: {end}. {passed} passed; {failed} failed{skipped}; {} filtered out; finished in {:.2}s",
        tested.filtered, tested.seconds
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(name: &str, failure: Option<&str>, skipped: bool) -> TestResult {
        let name = format!("data.writ.a_test.{name}");
        TestResult { path: "a_test.rego".into(), line: 7, name, failure: failure.map(Into::into), micros: 5, skipped }
    }

    #[test]
    fn results_read_like_cargos() {
        let (good, bad) = (test("test_good", None, false), test("test_bad", Some("it is not true"), false));
        let todo = test("todo_test_later", None, true);
        let tested = Tested { tests: vec![&good, &bad, &todo], filtered: 3, seconds: 0.25, coverage: None };
        insta::assert_snapshot!(render(&tested, None), @r"
        running 3 tests
        test writ.a_test.test_good ... ok
        test writ.a_test.test_bad ... FAILED
        test writ.a_test.todo_test_later ... skipped

        failures:

        ---- writ.a_test.test_bad at a_test.rego:7 ----
        it is not true

        test result: FAILED. 1 passed; 1 failed; 1 skipped; 3 filtered out; finished in 0.25s
        ");
    }
}
