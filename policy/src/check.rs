//! The author's check, the very code that hub and agent run before a policy decides anything.

use crate::catalog::Catalog;
use crate::decision::PolicyInfo;
use crate::diagnostic::Level;
use crate::policy_set::compile::{Compiled, CompiledPolicy, compile};
use crate::unit_test::{TestModule, run_catalog};
use crate::{Diagnostic, Digest, Fleet, SourceFile};
use serde::{Deserialize, Serialize};
use serde_json::Value;
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
    check_and_compile(files).0
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
    let (report, _) = compile_catalog(&catalog, reading);
    let tests = if report.is_ok() { run_catalog(&catalog, per_test, known, reading) } else { vec![] };
    (report, tests)
}

/// The report, and what compiled on the way.
pub(crate) fn check_and_compile(files: &[SourceFile]) -> (CheckReport, Compiled) {
    compile_catalog(&Catalog::read(files, &|_| {}), &|_| {})
}

fn compile_catalog(catalog: &Catalog<'_>, reading: &dyn Fn(&str)) -> (CheckReport, Compiled) {
    let (compiled, findings) = compile(catalog, reading);
    let mut diagnostics = catalog.diagnostics.clone();
    diagnostics.extend(findings);
    diagnostics
        .extend(catalog.fleet_file.into_iter().flat_map(|file| check_fleet(file, &catalog.fleet, &compiled.policies)));
    diagnostics.sort_by(|a, b| (&a.path, a.line, a.column, &a.message).cmp(&(&b.path, b.line, b.column, &b.message)));
    diagnostics.dedup();
    let infos = compiled.policies.iter().map(|policy| policy.info.as_ref().clone()).collect();
    (CheckReport { diagnostics, policies: infos, fleet: catalog.fleet.clone() }, compiled)
}

/// Codes and parameters that the fleet names and no policy has.
fn check_fleet(file: &SourceFile, fleet: &Fleet, policies: &[CompiledPolicy]) -> Vec<Diagnostic> {
    let mut findings = vec![];
    let find = |code: &str| policies.iter().find(|policy| policy.info.code.as_str() == code);
    for rule in &fleet.clusters {
        for code in rule.actions.keys().chain(rule.parameters.keys()).filter(|code| find(code).is_none()) {
            findings.push(
                unknown(file, code, "no policy has the code").help("Correct the code, or remove it from the fleet."),
            );
        }
        for (code, parameters) in &rule.parameters {
            let Some(policy) = find(code) else { continue };
            findings.extend(parameters.iter().filter_map(|(name, value)| check_parameter(file, policy, name, value)));
        }
    }
    findings
}

fn check_parameter(file: &SourceFile, policy: &CompiledPolicy, name: &str, value: &Value) -> Option<Diagnostic> {
    let (code, place) = (&policy.info.code, &policy.info.path);
    let Some(default) = policy.parameters.get(name) else {
        let help = format!("Declare it in the metadata of {place} with its default.");
        return Some(unknown(file, name, &format!("policy {code} declares no parameter")).help(help));
    };
    let (wanted, found) = (kind_of(default), kind_of(value));
    (!default.is_null() && wanted != found).then(|| {
        let finding = unknown(file, name, &format!("policy {code} wants {wanted}, not {found}, for its parameter"));
        let help = format!("Its default in the metadata of {place} is {wanted}.");
        Diagnostic { level: Level::Error, ..finding }.help(help)
    })
}

/// A policy that is given another kind of value than it expects compares in vain, and passes.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A warning at the first place where the fleet names this word.
fn unknown(file: &SourceFile, word: &str, what: &str) -> Diagnostic {
    let finding = Diagnostic::warning(&file.path, format!("{what} `{word}`")).spanning(word.chars().count() as u32);
    let mut lines = file.text.lines().enumerate();
    match lines.find_map(|(number, line)| line.find(word).map(|start| (number, line[..start].chars().count()))) {
        Some((line, column)) => finding.at(line as u32 + 1, column as u32 + 1),
        None => finding,
    }
}
