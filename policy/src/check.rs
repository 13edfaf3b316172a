//! The author's check, the very code that hub and agent run before a policy decides anything.

mod fleet;

use crate::catalog::Catalog;
use crate::decision::PolicyInfo;
use crate::policy_set::compile::{Compiled, compile};
use crate::unit_test::{TestModule, run_catalog};
use crate::{Diagnostic, Digest, Fleet, SourceFile};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::time::Duration;

/// What a set of files is worth.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct CheckReport {
    /// Everything found, sorted by path, line and column.
    pub diagnostics: Vec<Diagnostic>,
    /// The policies that loaded, sorted by code.
    pub policies: Vec<PolicyInfo>,
    /// The fleet of `fleet.yaml`, or the default one.
    pub fleet: Fleet,
}

impl CheckReport {
    /// Whether the files may be served.
    pub fn is_ok(&self) -> bool {
        !self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// Checks all files together: names, metadata, fleet, and every policy through the load pipeline. Compiles, but does
/// not run unit tests (see [`crate::unit_test`]). Never fails: what is wrong is in the report.
pub fn check(files: &[SourceFile]) -> CheckReport {
    check_and_compile(files, &|_| true).0
}

/// The check and, when it finds no error, the unit tests but for those whose results are known; the files are loaded
/// once. `reading` is told the path of each file before it is touched, so that a process that dies of a file can be
/// explained.
pub fn check_and_test(
    files: &[SourceFile],
    per_test: Duration,
    known: &HashSet<Digest>,
    reading: &dyn Fn(&str),
) -> (CheckReport, Vec<TestModule>) {
    let catalog = Catalog::read(files, reading);
    let (report, _) = compile_catalog(&catalog, &|_| true, reading);
    let tests = if report.is_ok() { run_catalog(&catalog, per_test, known, reading) } else { vec![] };
    (report, tests)
}

/// The report, and what compiled on the way: the policies that are wanted.
pub(crate) fn check_and_compile(files: &[SourceFile], wanted: &dyn Fn(&PolicyInfo) -> bool) -> (CheckReport, Compiled) {
    compile_catalog(&Catalog::read(files, &|_| {}), wanted, &|_| {})
}

fn compile_catalog(
    catalog: &Catalog<'_>,
    wanted: &dyn Fn(&PolicyInfo) -> bool,
    reading: &dyn Fn(&str),
) -> (CheckReport, Compiled) {
    let (compiled, findings) = compile(catalog, wanted, reading);
    let mut diagnostics = catalog.diagnostics.clone();
    diagnostics.extend(findings);
    diagnostics
        .extend(catalog.fleet_file.into_iter().flat_map(|file| fleet::check(file, &catalog.fleet, &compiled.policies)));
    diagnostics.sort_by(|a, b| (&a.path, a.line, a.column, &a.message).cmp(&(&b.path, b.line, b.column, &b.message)));
    diagnostics.dedup();
    let infos = compiled.policies.iter().map(|policy| policy.info.as_ref().clone()).collect();
    (CheckReport { diagnostics, policies: infos, fleet: catalog.fleet.clone() }, compiled)
}
