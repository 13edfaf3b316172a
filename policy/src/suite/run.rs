//! A suite's tests, run: the template and the constraint are compiled once per test, and each case is one review.

use super::assertion::Said;
use super::objects::{Cluster, objects};
use super::review::review;
use super::{Case, CaseEnd, CaseResult, Filter, Suite, Test};
use crate::source::checked_path;
use crate::{Budget, Outcome, PolicySet, Settings, SourceFile};
use std::time::Instant;

/// Reads one file by its path below the root; the error is for people.
pub type Files<'a> = &'a dyn Fn(&str) -> Result<SourceFile, String>;

/// How the cases are judged.
#[derive(Debug, Clone, Copy)]
pub struct Conditions {
    /// What each may cost.
    pub budget: Budget,
    /// Unix milliseconds: what policies see as the time.
    pub now: i64,
    /// By the interpreter alone, not by plans where both agree.
    pub interpreted: bool,
}

/// Runs what the filter selects.
pub fn run(suite: &Suite, files: Files<'_>, filter: &Filter, conditions: &Conditions) -> Vec<CaseResult> {
    let run = Run { suite, files, filter, conditions };
    suite.tests.iter().filter(|test| filter.selects(test)).flat_map(|test| run.test(test)).collect()
}

struct Run<'a> {
    suite: &'a Suite,
    files: Files<'a>,
    filter: &'a Filter,
    conditions: &'a Conditions,
}

/// How a case ended, and how many of its assertions held.
type Ended = (CaseEnd, usize);

impl Run<'_> {
    fn test(&self, test: &Test) -> Vec<CaseResult> {
        let whole = |(end, held): Ended, since: Instant| vec![result(test, None, (end, held), since)];
        let started = Instant::now();
        if self.suite.skip || test.skip {
            return whole((CaseEnd::Skipped, 0), started);
        }
        if test.invalid {
            return whole((self.is_refused(test), 0), started);
        }
        if !test.expansion.is_empty() {
            let reason =
                "`expansion` is not supported: Writ expands workloads by itself, and has no ExpansionTemplates";
            return whole((CaseEnd::Failed(reason.to_owned()), 0), started);
        }
        let mut policies = match self.load(test) {
            Ok(policies) => policies,
            Err(reason) => return whole((CaseEnd::Failed(reason), 0), started),
        };
        if test.cases.is_empty() {
            return whole((CaseEnd::Passed, 0), started);
        }
        let selected = test.cases.iter().enumerate();
        let selected = selected.filter(|(_, case)| self.filter.selects_case(&test.name, &case.name));
        selected
            .map(|(number, case)| {
                let started = Instant::now();
                let ended = self.case(case, &mut policies, number as u64 + 1);
                result(test, Some(case), ended, started)
            })
            .collect()
    }

    fn case(&self, case: &Case, policies: &mut PolicySet, version: u64) -> Ended {
        if case.skip {
            return (CaseEnd::Skipped, 0);
        }
        match self.ask(case, policies, version) {
            Ok(said) => compare(case, &said),
            Err(reason) => (CaseEnd::Failed(reason), 0),
        }
    }

    /// What the one constraint says of the case's object.
    fn ask(&self, case: &Case, policies: &mut PolicySet, version: u64) -> Result<Said, String> {
        let file = self.read(&case.object)?;
        let mut found = objects(&file)?;
        let object = found.pop().filter(|_| found.is_empty());
        let object = object.ok_or_else(|| format!("{} holds several objects; a case judges one", file.path))?;
        let mut others = vec![];
        for path in &case.inventory {
            others.extend(objects(&self.read(path)?)?);
        }
        let cluster = Cluster::new(version, &others);
        let review = review(object).map_err(|reason| format!("{}: {reason}", file.path))?;
        let decided = policies.decide(&review, &cluster, &self.conditions.budget, self.conditions.now);
        let decided = decided.map_err(|error| format!("{}: {error}", file.path))?;
        // What the object implies is not what the case is about.
        let result = decided.decision.results.iter().find(|result| !result.implied);
        Ok(match result {
            None => Said::Violations(vec![]),
            Some(result) => match &result.outcome {
                Outcome::Pass => Said::Violations(vec![]),
                Outcome::Fail(messages) => Said::Violations(messages.iter().map(|text| unframed(text)).collect()),
                Outcome::Error(_) if policies.ignores_errors(&result.policy) => Said::Violations(vec![]),
                Outcome::Error(reason) => Said::Error(reason.clone()),
            },
        })
    }

    /// The template with its one constraint, or what is wrong with them.
    fn load(&self, test: &Test) -> Result<PolicySet, String> {
        let files = self.sources(test)?;
        let (policies, report) = PolicySet::load(&files, &Settings::default());
        let errors: Vec<String> =
            report.diagnostics.iter().filter(|found| found.is_error()).map(ToString::to_string).collect();
        if !errors.is_empty() {
            return Err(errors.join("\n"));
        }
        match policies.policies() {
            [_] if self.conditions.interpreted => Ok(policies.interpreted()),
            [_] => Ok(policies),
            others => Err(format!("{} declares {} constraints; a test has one", test.constraint, others.len())),
        }
    }

    /// Whether the constraint is refused, and it alone.
    fn is_refused(&self, test: &Test) -> CaseEnd {
        let files = match self.sources(test) {
            Ok(files) => files,
            Err(reason) => return CaseEnd::Failed(reason),
        };
        let constraint = files.last().map(|file| file.path.as_str()).unwrap_or_default();
        let report = crate::check(&files);
        let mut errors = report.diagnostics.iter().filter(|found| found.is_error()).peekable();
        match errors.peek() {
            None => CaseEnd::Failed("the constraint should be invalid, and nothing is wrong with it".to_owned()),
            Some(_) => match errors.find(|found| found.path != constraint) {
                Some(other) => CaseEnd::Failed(other.to_string()),
                None => CaseEnd::Passed,
            },
        }
    }

    /// The template's file, then the constraint's when that is another one.
    fn sources(&self, test: &Test) -> Result<Vec<SourceFile>, String> {
        let mut files = vec![self.read(&test.template)?, self.read(&test.constraint)?];
        files.dedup();
        Ok(files)
    }

    fn read(&self, relative: &str) -> Result<SourceFile, String> {
        (self.files)(&joined(&self.suite.path, relative)?)
    }
}

fn result(test: &Test, case: Option<&Case>, (end, held): Ended, started: Instant) -> CaseResult {
    CaseResult {
        test: test.name.clone(),
        case: case.map(|case| case.name.clone()).unwrap_or_default(),
        line: case.map_or(test.line, |case| case.line),
        end,
        held,
        micros: started.elapsed().as_micros() as u64,
    }
}

/// Every assertion that does not hold, then what was said.
fn compare(case: &Case, said: &Said) -> Ended {
    let wrong: Vec<String> = case.assertions.iter().filter_map(|assertion| assertion.check(said).err()).collect();
    let held = case.assertions.len() - wrong.len();
    if wrong.is_empty() {
        return (CaseEnd::Passed, held);
    }
    let mut lines = wrong;
    match said {
        Said::Violations(messages) if messages.is_empty() => lines.push("nothing was said".to_owned()),
        Said::Violations(messages) => lines.extend(messages.iter().map(|message| format!("said: {message}"))),
        Said::Error(reason) => lines.push(format!("error: {reason}")),
    }
    (CaseEnd::Failed(lines.join("\n")), held)
}

/// The template's own words, which Gatekeeper's assertions are about: denials have `[constraint-name] ` before them.
fn unframed(message: &str) -> String {
    message.split_once("] ").map_or(message, |(_, words)| words).to_owned()
}

/// The path of a suite's file below the root.
fn joined(suite: &str, relative: &str) -> Result<String, String> {
    let outside = || format!("`{relative}` is outside of the folder that is verified");
    let mut parts: Vec<&str> = suite.split('/').collect();
    parts.pop();
    if relative.starts_with('/') {
        return Err(outside());
    }
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop().ok_or_else(outside)?),
            part => parts.push(part),
        }
    }
    checked_path(&parts.join("/")).map_err(|finding| finding.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_suite_and_stay_below_the_root() {
        assert_eq!(joined("a/b/suite.yaml", "../c/./d.yaml").unwrap(), "a/c/d.yaml");
        assert_eq!(joined("suite.yaml", "d.yaml").unwrap(), "d.yaml");
        for relative in ["/etc/passwd", "../../../x.yaml", ""] {
            assert!(joined("a/b/suite.yaml", relative).is_err() || relative.is_empty(), "{relative}");
        }
        assert!(joined("suite.yaml", "../x.yaml").is_err());
    }
}
