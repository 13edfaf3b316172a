//! Unit tests of policies: `test_*` rules of `*_test.rego`, as OPA runs them.

use crate::SourceFile;
use crate::catalog::{Catalog, Module, Role};
use crate::engine::module::{Head, HeadKind};
use crate::engine::{Engine, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// One test and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestResult {
    /// File that declares the test.
    pub path: String,
    /// Line of the rule, from 1.
    pub line: u32,
    /// `data.writ.policy_pdb_test.test_integer_is_denied`.
    pub name: String,
    /// `None` when it passed, else why not.
    pub failure: Option<String>,
    /// Microseconds.
    pub micros: u64,
}

/// Runs every `test_*` rule of the files' `*_test.rego`, each within the limit. Rules named `todo_test_*` are skipped,
/// as OPA does. Files that do not load have no results: the check says why.
pub fn run_tests(files: &[SourceFile], per_test: Duration) -> Vec<TestResult> {
    run_catalog(&Catalog::read(files, &|_| {}), per_test, &|_| {})
}

/// Runs the tests of files that are loaded; `reading` is told the path of each before its tests run.
pub(crate) fn run_catalog(catalog: &Catalog<'_>, per_test: Duration, reading: &dyn Fn(&str)) -> Vec<TestResult> {
    let tests = catalog.modules.iter().filter(|module| module.role == Role::Test);
    let run = |module: &Module<'_>| {
        reading(&module.file.path);
        run_module(catalog, module, per_test)
    };
    tests.flat_map(run).collect()
}

fn run_module(catalog: &Catalog<'_>, module: &Module<'_>, per_test: Duration) -> Vec<TestResult> {
    let modules = catalog.closure(module);
    let mut engine = Engine::build(modules.iter().map(|module| &module.source));
    let mut seen = BTreeSet::new();
    let tests = module.outline.rules.iter().filter(|head| is_test(head) && seen.insert(head.name.clone()));
    tests
        .map(|head| {
            let name = format!("{}.{}", module.data_path(), head.name);
            let started = Instant::now();
            let failure = match &mut engine {
                Ok(engine) => run(engine, &name, per_test),
                Err(finding) => Some(finding.to_string()),
            };
            let micros = started.elapsed().as_micros() as u64;
            TestResult { path: module.file.path.clone(), line: head.place.0, name, failure, micros }
        })
        .collect()
}

fn is_test(head: &Head) -> bool {
    head.kind == HeadKind::Complete && head.name.starts_with("test_")
}

fn run(engine: &mut Engine, name: &str, limit: Duration) -> Option<String> {
    engine.set_input(Value::Undefined);
    match engine.eval(name, limit) {
        Ok(Value::Undefined) => Some("the test is undefined: one of its statements is false or undefined".into()),
        Ok(Value::Bool(false)) => Some("the test is false".into()),
        Ok(_) => None,
        Err(error) => Some(error.to_string()),
    }
}
