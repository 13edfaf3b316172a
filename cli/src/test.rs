//! `writ test`: the unit tests of policies, told as cargo tells its own, and how much of the policies they reach.

mod coverage;
mod human;
mod json;
mod results;

use crate::arguments::Test;
use crate::check::{self, Checked};
use crate::exit::{DONE, FAILED, Outcome};
use crate::output::Format;
use crate::terminal;
use anyhow::Context;
use coverage::Coverage;
use std::time::Instant;
use writ_policy::Diagnostic;
use writ_policy::unit_test::TestResult;

/// The tests that were asked for, and how they ended.
#[derive(Debug)]
struct Tested<'a> {
    tests: Vec<&'a TestResult>,
    /// How many were not asked for.
    filtered: usize,
    seconds: f64,
    coverage: Option<Coverage>,
}

pub(crate) async fn run(options: Test) -> Outcome {
    let started = Instant::now();
    let pattern = options.run.as_deref().map(regex::Regex::new).transpose();
    let pattern = pattern.context("--run is not a regular expression")?;
    let checked = check::check(&options.dir, &options.limits).await?;
    let broken: Vec<&Diagnostic> = checked.diagnostics.iter().filter(|found| is_load_error(&checked, found)).collect();
    if !broken.is_empty() {
        let shown = check::diagnostics(&checked, broken.iter().copied());
        terminal::say(&format!("{shown}{} the tests cannot run until this is mended", terminal::red("error:")))?;
        return Ok(FAILED);
    }
    let all = &checked.report.tests;
    let is_chosen =
        |name: &str| name.contains(&options.filter) && pattern.as_ref().is_none_or(|run| run.is_match(name));
    let tests: Vec<&TestResult> = all.iter().filter(|test| is_chosen(&test.name)).collect();
    // The child process has shown that the tests end within their limits.
    let coverage = coverage::measure(&options, &checked.files)?;
    let filtered = all.len() - tests.len();
    let tested = Tested { tests, filtered, seconds: started.elapsed().as_secs_f64(), coverage };
    terminal::say(&render(&tested, &options)?)?;
    Ok(if tested.is_well(options.threshold) { DONE } else { FAILED })
}

fn render(tested: &Tested<'_>, options: &Test) -> anyhow::Result<String> {
    Ok(match options.format {
        Format::Human => human::render(tested, options.threshold),
        Format::Json => json::render(tested)?,
        format => results::of(tested, &options.dir).render(format)?,
    })
}

/// An error that is not just the failure of a test; those are told as test results.
fn is_load_error(checked: &Checked, found: &Diagnostic) -> bool {
    let is_that_test = |test: &TestResult| test.failure.is_some() && test.path == found.path && test.line == found.line;
    found.is_error() && !checked.report.tests.iter().any(is_that_test)
}

impl Tested<'_> {
    fn failed(&self) -> usize {
        self.tests.iter().filter(|test| test.failure.is_some()).count()
    }

    fn skipped(&self) -> usize {
        self.tests.iter().filter(|test| test.skipped).count()
    }

    fn is_well(&self, threshold: Option<f64>) -> bool {
        let covers = |least: f64| self.coverage.as_ref().is_some_and(|coverage| coverage.percent() >= least);
        self.failed() == 0 && threshold.is_none_or(covers)
    }
}

/// `writ.policy_pdb_test.test_integer_is_denied`.
fn short_name(name: &str) -> &str {
    name.strip_prefix("data.").unwrap_or(name)
}
