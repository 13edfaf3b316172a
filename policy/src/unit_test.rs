//! Unit tests of policies: `test_*` rules of `*_test.rego`, as OPA runs them.

pub mod coverage;
mod data;

use crate::catalog::{Catalog, Module, Role};
use crate::check::{InTurn, Lanes, lanes};
use crate::engine::module::{Head, HeadKind};
use crate::engine::{Engine, Value};
use crate::{Digest, SourceFile};
use data::TestData;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashSet};
use std::fmt::Write;
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
    /// Whether it is only meant to be written (`todo_test_*`), and was not run.
    #[serde(default)]
    pub skipped: bool,
}

/// The tests of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestModule {
    /// The file.
    pub path: String,
    /// Of all that the results depend on: tests see neither clock nor chance, so equal digests mean equal results.
    pub digest: Digest,
    /// In the order of the file; `None` when they were known and not run again.
    pub results: Option<Vec<TestResult>>,
}

/// Runs every `test_*` rule of the files' `*_test.rego`, each within the limit. Rules named `todo_test_*` are skipped,
/// as OPA does, and said to be. Files that do not load have no results: the check says why.
pub fn run_tests(files: &[SourceFile], per_test: Duration) -> Vec<TestResult> {
    let tests = run_catalog(&Catalog::read(files, &InTurn), per_test, &HashSet::new(), &InTurn);
    tests.into_iter().filter_map(|module| module.results).flatten().collect()
}

/// Runs the tests of files that are loaded, but for the modules whose results are known.
pub(crate) fn run_catalog(
    catalog: &Catalog<'_>,
    per_test: Duration,
    known: &HashSet<Digest>,
    lanes: &dyn Lanes,
) -> Vec<TestModule> {
    let tests: Vec<&Module<'_>> = catalog.modules.iter().filter(|module| module.role == Role::Test).collect();
    lanes::map(lanes, tests.len(), |at| {
        let module = tests[at];
        let modules = catalog.closure(module);
        let data = TestData::find(catalog.files, module, &modules);
        let digest = digest(&modules, &data, per_test);
        let results = (!known.contains(&digest)).then(|| {
            lanes.reading(&module.file.path);
            run_module(module, &modules, &data, per_test)
        });
        TestModule { path: module.file.path.clone(), digest, results }
    })
}

/// Of all that the results depend on. Paths count: they decide which Rego is read, and results name them. The module
/// under test is the first. Another version of the engine may judge otherwise; YAML files are not given to tests.
fn digest(modules: &[&Module<'_>], data: &TestData<'_>, per_test: Duration) -> Digest {
    let mut text = format!("writ {} {per_test:?}", env!("CARGO_PKG_VERSION"));
    for module in modules {
        // Quoted, so that no two lists read alike.
        let _ = write!(text, "\n{} {:?}", module.digest, module.file.path);
    }
    for file in &data.files {
        let _ = write!(text, "\n{} {:?}", file.digest(), file.path);
    }
    Digest::of(text)
}

/// Runs the tests of a module with all that it can reach.
fn run_module(
    module: &Module<'_>,
    modules: &[&Module<'_>],
    data: &TestData<'_>,
    per_test: Duration,
) -> Vec<TestResult> {
    let mut engine = Engine::build(modules.iter().map(|module| &module.source));
    let data = data.value();
    let mut seen = BTreeSet::new();
    let tests = module.outline.rules.iter().filter(|head| is_test(head) && seen.insert(head.name.clone()));
    tests
        .map(|head| {
            let name = format!("{}.{}", module.data_path(), head.name);
            let started = Instant::now();
            let skipped = head.name.starts_with("todo_");
            let failure = match &mut engine {
                Ok(_) if skipped => None,
                Ok(engine) => run(engine, data.as_ref(), &name, per_test),
                Err(finding) => Some(finding.to_string()),
            };
            let micros = started.elapsed().as_micros() as u64;
            TestResult { path: module.file.path.clone(), line: head.place.0, name, failure, micros, skipped }
        })
        .collect()
}

fn is_test(head: &Head) -> bool {
    let name = head.name.strip_prefix("todo_").unwrap_or(&head.name);
    head.kind == HeadKind::Complete && name.starts_with("test_")
}

fn run(engine: &mut Engine, data: Option<&Value>, name: &str, limit: Duration) -> Option<String> {
    engine.set_input(Value::Undefined);
    // Given anew for each test, because an engine forgets it when one errs.
    let given = data.map_or(Ok(()), |data| engine.set_data(data.clone()));
    match given.and_then(|()| engine.eval(name, limit)) {
        Ok(Value::Undefined) => Some("the test is undefined: one of its statements is false or undefined".into()),
        Ok(Value::Bool(false)) => Some("the test is false".into()),
        Ok(_) => None,
        Err(error) => Some(error.to_string()),
    }
}
