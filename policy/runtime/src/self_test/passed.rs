//! What passed last, so that the self-test of a commit costs what the commit changes: a test module whose results can
//! be no other is not run again. Kept in this process only; a run that finds an error leaves it as it was.

use super::{Examined, SelfTestReport};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use writ_policy::unit_test::{TestModule, TestResult};
use writ_policy::{Diagnostic, Digest};

/// The most tests that are remembered. Modules beyond it run each time.
const MOST_TESTS: usize = 65_536;

/// The results of the last run without errors. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Passed(Arc<Mutex<Arc<Known>>>);

/// Results by the digest of what they depend on.
pub(super) type Known = HashMap<Digest, Vec<TestResult>>;

impl Passed {
    /// What is known now: one run asks once, so that another run beside it changes nothing for it.
    pub(super) fn known(&self) -> Arc<Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The whole report of a run that was told what is known. Remembered in place of the last one if all is well.
    pub(super) fn complete(&self, examined: Examined, known: &Known) -> Result<SelfTestReport, Diagnostic> {
        let Examined { mut check, modules } = examined;
        let modules: Option<Vec<_>> = modules.into_iter().map(|module| whole(module, known)).collect();
        let modules = modules.ok_or_else(|| Diagnostic::error("", "the self-test left out tests that it must run"))?;
        let failed = modules.iter().flat_map(|(_, results)| results).filter_map(failed);
        check.diagnostics.extend(failed);
        let tests = modules.iter().flat_map(|(_, results)| results.clone()).collect();
        if check.is_ok() {
            let remembered = Arc::new(bounded(modules, MOST_TESTS));
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = remembered;
        }
        Ok(SelfTestReport { check, tests })
    }
}

/// The digests that a child is told.
pub(super) fn digests(known: &Known) -> HashSet<Digest> {
    known.keys().copied().collect()
}

fn whole(module: TestModule, known: &Known) -> Option<(Digest, Vec<TestResult>)> {
    let results = module.results.or_else(|| known.get(&module.digest).cloned())?;
    Some((module.digest, results))
}

fn bounded(modules: Vec<(Digest, Vec<TestResult>)>, most: usize) -> Known {
    let mut left = most;
    let mut fits = |results: &Vec<TestResult>| {
        let rest = left.checked_sub(results.len().max(1));
        left = rest.unwrap_or(left);
        rest.is_some()
    };
    modules.into_iter().filter(|(_, results)| fits(results)).collect()
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

    fn module(name: &str, tests: usize) -> (Digest, Vec<TestResult>) {
        let test = TestResult { path: name.into(), line: 1, name: name.into(), failure: None, micros: 1 };
        (Digest::of(name), vec![test; tests])
    }

    #[test]
    fn no_more_tests_are_remembered_than_the_most() {
        let known = bounded(vec![module("a", 2), module("b", 2), module("c", 1), module("d", 0)], 3);
        let mut kept: Vec<usize> = known.values().map(Vec::len).collect();
        kept.sort_unstable();
        assert_eq!(kept, [1, 2]);
    }

    #[test]
    fn module_that_is_left_out_and_not_known_is_an_error() {
        let (digest, results) = module("a", 1);
        let examined = || Examined { modules: vec![TestModule { digest, results: None }], ..Examined::default() };
        let passed = Passed::default();
        assert!(passed.complete(examined(), &Known::new()).is_err());
        assert_eq!(passed.complete(examined(), &Known::from([(digest, results)])).unwrap().tests.len(), 1);
    }
}
