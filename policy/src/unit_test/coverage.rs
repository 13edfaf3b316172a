//! Which lines of the policies their unit tests reach.

use super::{TestData, is_test, run};
use crate::SourceFile;
use crate::catalog::{Catalog, Module, Role};
use crate::check::InTurn;
use crate::engine::Engine;
use crate::engine::coverage::Lines;
use crate::engine::module::Head;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The lines of one file that hold expressions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileCoverage {
    /// Path within the repository.
    pub path: String,
    /// Lines that a test evaluated.
    pub covered: BTreeSet<u32>,
    /// Lines that none did.
    pub not_covered: BTreeSet<u32>,
}

impl FileCoverage {
    /// In percent; a file without expressions is covered.
    pub fn percent(&self) -> f64 {
        percent(self.covered.len(), self.not_covered.len())
    }
}

/// Of all files together, in percent.
pub fn total(files: &[FileCoverage]) -> f64 {
    let sum = |lines: fn(&FileCoverage) -> usize| files.iter().map(lines).sum();
    percent(sum(|file| file.covered.len()), sum(|file| file.not_covered.len()))
}

fn percent(covered: usize, not_covered: usize) -> f64 {
    match covered + not_covered {
        0 => 100.0,
        all => covered as f64 * 100.0 / all as f64,
    }
}

/// Runs all unit tests once more and says which lines of policies and libraries they evaluate, sorted by path. A file
/// that no test reaches counts with the lines of its rules.
pub fn coverage(files: &[SourceFile], per_test: Duration) -> Vec<FileCoverage> {
    let catalog = Catalog::read(files, &InTurn);
    let mut found: BTreeMap<String, Lines> = BTreeMap::new();
    for module in catalog.modules.iter().filter(|module| module.role == Role::Test) {
        cover(&catalog, module, per_test, &mut found);
    }
    let judged = catalog.modules.iter().filter(|module| module.role != Role::Test);
    judged.map(|module| of_module(module, found.remove(&module.file.path))).collect()
}

fn cover(catalog: &Catalog<'_>, module: &Module<'_>, per_test: Duration, found: &mut BTreeMap<String, Lines>) {
    let modules = catalog.closure(module);
    let data = TestData::find(catalog.files, module, &modules).value();
    let Ok(mut engine) = Engine::build(modules.iter().map(|module| &module.source)) else { return };
    engine.count_lines();
    let mut seen = BTreeSet::new();
    for head in module.outline.rules.iter().filter(|head| is_run(head) && seen.insert(&head.name)) {
        // Whether it passes was told already; an engine that errs forgets its count, so each test is asked for its own.
        let _ = run(&mut engine, data.as_ref(), &format!("{}.{}", module.data_path(), head.name), per_test);
        for (path, lines) in engine.lines(modules.iter().map(|module| &module.source)) {
            let all = found.entry(path).or_default();
            all.covered.extend(lines.covered);
            all.not_covered.extend(lines.not_covered);
        }
    }
}

fn is_run(head: &Head) -> bool {
    is_test(head) && head.name.starts_with("test_")
}

fn of_module(module: &Module<'_>, lines: Option<Lines>) -> FileCoverage {
    let untouched =
        || Lines { not_covered: module.outline.rules.iter().map(|head| head.place.0).collect(), ..Lines::default() };
    let Lines { covered, not_covered } = lines.unwrap_or_else(untouched);
    let not_covered = not_covered.difference(&covered).copied().collect();
    FileCoverage { path: module.file.path.clone(), covered, not_covered }
}
