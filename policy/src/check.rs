//! The author's check, the very code that hub and agent run before a policy decides anything.

mod classes;
mod exemptions;
mod fleet;
mod inventory;
pub(crate) mod lanes;
mod module;
mod teams;

use crate::catalog::{Catalog, Module};
use crate::decision::PolicyInfo;
use crate::policy_set::compile::{Compiled, CompiledPolicy, Known, Wanted, compile};
use crate::unit_test::{TestModule, run_catalog};
use crate::{Diagnostic, Digest, Fleet, SourceFile};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::time::Duration;

use fleet::Declared;
pub use lanes::{InTurn, Lanes};
pub use module::{CheckedModule, CheckedPolicy};

/// What is to be examined.
#[derive(Debug, Clone, Copy)]
pub struct Examination<'a> {
    /// The files, with all that they depend on.
    pub files: &'a [SourceFile],
    /// Policies of the same repository in files that were examined before.
    pub others: &'a [CheckedPolicy],
    /// The longest that a unit test may take.
    pub per_test: Duration,
    /// Test modules whose results are known.
    pub known: &'a HashSet<Digest>,
    /// Unix milliseconds, which exemptions are held against.
    pub now: i64,
}

/// What was found.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Examined {
    /// The check of the files.
    pub report: CheckReport,
    /// Their unit tests; none when the check found an error.
    pub tests: Vec<TestModule>,
    /// Every Rego file that loaded.
    pub modules: Vec<CheckedModule>,
}

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
    check_and_compile(files, &|_| true, &[], &Known::default()).0
}

/// The check and, when it finds no error, the unit tests but for those whose results are known; the files are loaded
/// once.
pub fn examine(asked: &Examination<'_>, lanes: &dyn Lanes) -> Examined {
    let catalog = Catalog::read(asked.files, lanes);
    let (mut report, compiled) = compile_catalog(&catalog, &|_| true, asked.others, &Known::default(), lanes);
    report.diagnostics.extend(exemptions::check_time(&report.fleet.exemptions, asked.now));
    sort(&mut report.diagnostics);
    let tests = if report.is_ok() { run_catalog(&catalog, asked.per_test, asked.known, lanes) } else { vec![] };
    let by_path: HashMap<&str, &CompiledPolicy> =
        compiled.policies.iter().map(|policy| (policy.info.path.as_str(), policy)).collect();
    let checked = |module: &Module<'_>| {
        let policy = by_path
            .get(module.file.path.as_str())
            .map(|policy| CheckedPolicy { info: policy.info.as_ref().clone(), parameters: policy.parameters.clone() });
        CheckedModule::of(module, policy)
    };
    let modules = catalog.modules.iter().map(checked).collect();
    Examined { report, tests, modules }
}

/// The report, and what compiled on the way: the policies that are wanted, but for programs that are known.
pub(crate) fn check_and_compile(
    files: &[SourceFile],
    wanted: &Wanted<'_>,
    others: &[CheckedPolicy],
    known: &Known,
) -> (CheckReport, Compiled) {
    compile_catalog(&Catalog::read(files, &InTurn), wanted, others, known, &InTurn)
}

fn compile_catalog(
    catalog: &Catalog<'_>,
    wanted: &Wanted<'_>,
    others: &[CheckedPolicy],
    known: &Known,
    lanes: &dyn Lanes,
) -> (CheckReport, Compiled) {
    let (compiled, findings) = compile(catalog, wanted, known, lanes);
    let own = compiled.policies.iter().map(|policy| Declared { info: &policy.info, parameters: &policy.parameters });
    let others = others.iter().map(|policy| Declared { info: &policy.info, parameters: &policy.parameters });
    let policies: Vec<Declared<'_>> = own.chain(others).collect();
    let mut diagnostics = catalog.diagnostics.clone();
    diagnostics.extend(findings);
    let names = fleet::Names { policies: &policies, are_all: !classes::is_part(catalog, &policies) };
    diagnostics.extend(catalog.fleet_file.into_iter().flat_map(|file| fleet::check(file, &catalog.fleet, names)));
    diagnostics.extend(inventory::check(&catalog.fleet, &compiled));
    diagnostics.extend(exemptions::check(&catalog.fleet, &policies));
    diagnostics.extend(teams::check(catalog, &policies));
    diagnostics.extend(classes::check(catalog));
    sort(&mut diagnostics);
    let infos = compiled.policies.iter().map(|policy| policy.info.as_ref().clone()).collect();
    (CheckReport { diagnostics, policies: infos, fleet: catalog.fleet.clone() }, compiled)
}

fn sort(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by(|a, b| (&a.path, a.line, a.column, &a.message).cmp(&(&b.path, b.line, b.column, &b.message)));
    diagnostics.dedup();
}
