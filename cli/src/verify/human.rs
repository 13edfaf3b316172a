//! What came of suites, for people: a line per suite, what failed with what was said instead, and one line that counts.

use super::{Verified, name};
use crate::check::count;
use crate::terminal;
use std::fmt::Write;
use std::time::Duration;
use writ_policy::suite::{CaseEnd, CaseResult};

pub(super) fn render(verified: &[Verified], took: Duration) -> String {
    let mut text = String::new();
    for suite in verified {
        let end = if suite.is_ok() { terminal::green("ok") } else { terminal::red("FAILED") };
        let _ = writeln!(text, "suite {} ... {end} ({})", suite.file, count(suite.cases(), "case", "cases"));
        for finding in &suite.findings {
            let help = finding.help.as_ref().map(|help| format!(" {help}")).unwrap_or_default();
            let _ = writeln!(text, "  {finding}.{help}");
        }
        for result in &suite.results {
            if let CaseEnd::Failed(reason) = &result.end {
                let place = format!("{}:{}", suite.file, result.line);
                let _ = writeln!(text, "  {} at {place}\n    {}", name(result), reason.replace('\n', "\n    "));
            }
        }
    }
    text + "\n" + &summary(verified, took)
}

fn summary(verified: &[Verified], took: Duration) -> String {
    let all = || verified.iter().flat_map(|suite| &suite.results);
    let number = |wanted: fn(&CaseEnd) -> bool| all().filter(|result| wanted(&result.end)).count();
    let failed = number(|end| matches!(end, CaseEnd::Failed(_)));
    let unreadable = verified.iter().filter(|suite| !suite.findings.is_empty()).count();
    let is_ok = failed + unreadable == 0;
    let end = if is_ok { terminal::green("ok") } else { terminal::red("FAILED") };
    let mut text = format!(
        "result: {end}. {}: {} passed; {failed} failed; {} skipped; {} held",
        count(verified.iter().map(Verified::cases).sum(), "case", "cases"),
        number(|end| *end == CaseEnd::Passed),
        number(|end| *end == CaseEnd::Skipped),
        count(all().map(|result| result.held).sum(), "assertion", "assertions"),
    );
    if unreadable > 0 {
        let _ = write!(text, "; {} not read", count(unreadable, "suite", "suites"));
    }
    let _ = write!(text, "; finished in {:.2}s", took.as_secs_f64());
    text
}

impl Verified {
    fn is_ok(&self) -> bool {
        let is_bad = |result: &CaseResult| matches!(result.end, CaseEnd::Failed(_));
        self.findings.is_empty() && !self.results.iter().any(is_bad)
    }

    fn cases(&self) -> usize {
        self.results.len()
    }
}
