//! `writ test`: the unit tests of policies, told as cargo tells its own.

use crate::arguments::Test;
use crate::check::{self, Checked};
use crate::exit::{DONE, FAILED, Outcome};
use crate::terminal;
use std::fmt::Write;
use std::time::Instant;
use writ_policy::Diagnostic;
use writ_policy::unit_test::TestResult;

pub(crate) async fn run(options: Test) -> Outcome {
    let started = Instant::now();
    let checked = check::check(&options.dir, options.timeout).await?;
    let broken: Vec<&Diagnostic> = checked.diagnostics.iter().filter(|found| is_load_error(&checked, found)).collect();
    if !broken.is_empty() {
        let shown = check::diagnostics(&checked, broken.iter().copied());
        terminal::say(&format!("{shown}{} the tests cannot run until this is mended", terminal::red("error:")))?;
        return Ok(FAILED);
    }
    let tests = &checked.report.tests;
    let chosen: Vec<&TestResult> = tests.iter().filter(|test| test.name.contains(&options.filter)).collect();
    let filtered = tests.len() - chosen.len();
    terminal::say(&render(&chosen, filtered, started.elapsed().as_secs_f64()))?;
    Ok(if chosen.iter().all(|test| test.failure.is_none()) { DONE } else { FAILED })
}

/// An error that is not just the failure of a test; those are told as test results.
fn is_load_error(checked: &Checked, found: &Diagnostic) -> bool {
    let is_that_test = |test: &TestResult| test.failure.is_some() && test.path == found.path && test.line == found.line;
    found.is_error() && !checked.report.tests.iter().any(is_that_test)
}

fn render(tests: &[&TestResult], filtered: usize, seconds: f64) -> String {
    let mut text = format!("running {}\n", check::count(tests.len(), "test", "tests"));
    for test in tests {
        let end = if test.failure.is_none() { terminal::green("ok") } else { terminal::red("FAILED") };
        let _ = writeln!(text, "test {} ... {end}", short_name(&test.name));
    }
    let failed: Vec<_> = tests.iter().filter_map(|test| Some((test, test.failure.as_ref()?))).collect();
    if !failed.is_empty() {
        text.push_str("\nfailures:\n");
    }
    for (test, reason) in &failed {
        let _ = writeln!(text, "\n---- {} at {}:{} ----\n{reason}", short_name(&test.name), test.path, test.line);
    }
    let end = if failed.is_empty() { terminal::green("ok") } else { terminal::red("FAILED") };
    let passed = tests.len() - failed.len();
    let _ = write!(
        text,
        "\ntest result: {end}. {passed} passed; {} failed; {filtered} filtered out; finished in {seconds:.2}s",
        failed.len()
    );
    text
}

/// `writ.policy_pdb_test.test_integer_is_denied`.
fn short_name(name: &str) -> &str {
    name.strip_prefix("data.").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(name: &str, failure: Option<&str>) -> TestResult {
        let name = format!("data.writ.a_test.{name}");
        TestResult { path: "a_test.rego".into(), line: 7, name, failure: failure.map(Into::into), micros: 5 }
    }

    #[test]
    fn results_read_like_cargos() {
        let (good, bad) = (test("test_good", None), test("test_bad", Some("it is not true")));
        insta::assert_snapshot!(render(&[&good, &bad], 3, 0.25), @r"
        running 2 tests
        test writ.a_test.test_good ... ok
        test writ.a_test.test_bad ... FAILED

        failures:

        ---- writ.a_test.test_bad at a_test.rego:7 ----
        it is not true

        test result: FAILED. 1 passed; 1 failed; 3 filtered out; finished in 0.25s
        ");
    }
}
