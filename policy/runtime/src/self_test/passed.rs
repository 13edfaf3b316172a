//! What passed last, so that the self-test of a commit costs what the commit changes: a test module whose results can
//! be no other is not run again, and Rego in which nothing new can be found is not read again. Kept in this process
//! only; a run that finds an error leaves it as it was.

use super::SelfTestReport;
use super::plan::{Clean, Plan};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use writ_policy::check::Examined;
use writ_policy::unit_test::{TestModule, TestResult};
use writ_policy::{CheckReport, Diagnostic, Digest};

/// The most tests that are remembered. Modules beyond it run each time.
const MOST_TESTS: usize = 65_536;

/// What is known of the last run without errors. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Passed(Arc<Mutex<Arc<Known>>>);

/// The last run without errors.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Results by the digest of what they depend on.
    results: HashMap<Digest, Vec<TestResult>>,
    /// The test modules by path.
    tests: BTreeMap<String, Digest>,
    /// The Rego files, when nothing at all was found.
    pub(super) clean: Clean,
    /// Of what their tests were given as data.
    pub(super) data: Option<Digest>,
}

/// A test module with its results.
struct Tested {
    path: String,
    digest: Digest,
    results: Vec<TestResult>,
}

impl Known {
    /// The test modules that need not run.
    pub(super) fn digests(&self) -> HashSet<Digest> {
        self.results.keys().copied().collect()
    }

    fn whole(&self, module: TestModule) -> Option<Tested> {
        let TestModule { path, digest, results } = module;
        let results = results.or_else(|| self.results.get(&digest).cloned())?;
        Some(Tested { path, digest, results })
    }

    /// The test module of this path, which is as it was.
    fn tested(&self, path: &str) -> Option<Option<Tested>> {
        let Some(digest) = self.tests.get(path).copied() else { return Some(None) };
        let results = self.results.get(&digest)?.clone();
        Some(Some(Tested { path: path.to_owned(), digest, results }))
    }
}

impl Passed {
    /// What is known now: one run asks once, so that another run beside it changes nothing for it.
    pub(super) fn known(&self) -> Arc<Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The whole report of a run over all files that was told what is known. Remembered in place of the last one if
    /// all is well.
    pub(super) fn complete(
        &self,
        examined: Examined,
        known: &Known,
        data: Digest,
    ) -> Result<SelfTestReport, Diagnostic> {
        let tested: Option<Vec<_>> = examined.tests.into_iter().map(|module| known.whole(module)).collect();
        let tested = tested.ok_or_else(|| Diagnostic::error("", "the self-test left out tests that it must run"))?;
        let clean = examined.modules.into_iter().map(|module| (module.path.clone(), Arc::new(module)));
        Ok(self.report(examined.report, tested, clean.collect(), Some(data)))
    }

    /// The report of all files from a part of them, if the part stands for the whole.
    pub(super) fn complete_part(&self, plan: Plan, examined: Examined, known: &Known) -> Option<SelfTestReport> {
        if !plan.holds(&examined) {
            return None;
        }
        let Examined { report: mut check, tests, modules } = examined;
        let own: Option<Vec<_>> = tests.into_iter().map(|module| known.whole(module)).collect();
        let rest: Option<Vec<_>> = plan.rest.keys().map(|path| known.tested(path)).collect();
        let mut tested: Vec<Tested> = own?.into_iter().chain(rest?.into_iter().flatten()).collect();
        tested.sort_by(|a, b| a.path.cmp(&b.path));
        check.policies.extend(plan.others.into_iter().map(|policy| policy.info));
        check.policies.sort_by(|a, b| a.code.cmp(&b.code));
        let mut clean = plan.rest;
        clean.extend(modules.into_iter().map(|module| (module.path.clone(), Arc::new(module))));
        Some(self.report(check, tested, clean, known.data))
    }

    fn report(
        &self,
        mut check: CheckReport,
        tested: Vec<Tested>,
        clean: Clean,
        data: Option<Digest>,
    ) -> SelfTestReport {
        check.diagnostics.extend(tested.iter().flat_map(|module| &module.results).filter_map(failed));
        let tests = tested.iter().flat_map(|module| module.results.clone()).collect();
        if check.is_ok() {
            let clean = if check.diagnostics.is_empty() { clean } else { Clean::new() };
            let remembered = Arc::new(Known { data, ..remembered(tested, clean, MOST_TESTS) });
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = remembered;
        }
        SelfTestReport { check, tests, exhausted: false }
    }
}

/// As much as may be remembered. Files whose tests are too many to keep are read again each time.
fn remembered(tested: Vec<Tested>, mut clean: Clean, most: usize) -> Known {
    let mut known = Known::default();
    let mut left = most;
    for Tested { path, digest, results } in tested {
        match left.checked_sub(results.len().max(1)) {
            Some(rest) => {
                left = rest;
                known.tests.insert(path, digest);
                known.results.insert(digest, results);
            }
            None => drop(clean.remove(&path)),
        }
    }
    known.clean = clean;
    known
}

fn failed(test: &TestResult) -> Option<Diagnostic> {
    let reason = test.failure.as_ref()?;
    let name = test.name.rsplit('.').next().unwrap_or(&test.name);
    let finding = Diagnostic::error(&test.path, format!("`{name}` failed: {reason}")).at(test.line, 1);
    Some(
        finding
            .spanning(name.chars().count() as u32)
            .help("Run `writ test` to see it; correct the policy or its test."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(name: &str, tests: usize) -> Tested {
        let test =
            TestResult { path: name.into(), line: 1, name: name.into(), failure: None, micros: 1, skipped: false };
        Tested { path: name.into(), digest: Digest::of(name), results: vec![test; tests] }
    }

    #[test]
    fn no_more_tests_are_remembered_than_the_most() {
        let tested = vec![module("a", 2), module("b", 2), module("c", 1), module("d", 0)];
        let known = remembered(tested, Clean::new(), 3);
        assert_eq!(known.tests.keys().collect::<Vec<_>>(), ["a", "c"]);
        assert_eq!(known.results.len(), 2);
    }

    #[test]
    fn module_that_is_left_out_and_not_known_is_an_error() {
        let Tested { path, digest, results } = module("a", 1);
        let tests = vec![TestModule { path: path.clone(), digest, results: None }];
        let examined = || Examined { tests: tests.clone(), ..Examined::default() };
        let passed = Passed::default();
        assert!(passed.complete(examined(), &Known::default(), digest).is_err());
        let known = remembered(vec![Tested { path, digest, results }], Clean::new(), 3);
        assert_eq!(passed.complete(examined(), &known, digest).unwrap().tests.len(), 1);
    }
}
