//! What the fleet says of policies, held against the policies there are.

use crate::decision::Dialect;
use crate::diagnostic::Level;
use crate::{Diagnostic, Fleet, PolicyInfo, SourceFile};
use serde_json::Value;

/// A policy as the fleet may name it.
pub(super) struct Declared<'a> {
    pub info: &'a PolicyInfo,
    pub parameters: &'a serde_json::Map<String, Value>,
}

/// The policies that the fleet may name.
#[derive(Clone, Copy)]
pub(super) struct Names<'a> {
    pub policies: &'a [Declared<'a>],
    /// Whether there are no others: a class of clusters is served a part.
    pub are_all: bool,
}

/// Codes and parameters that the fleet names and no policy has.
pub(super) fn check(file: &SourceFile, fleet: &Fleet, names: Names<'_>) -> Vec<Diagnostic> {
    let Names { policies, are_all } = names;
    let mut findings = vec![];
    let find = |code: &str| policies.iter().find(|policy| policy.info.code.as_str() == code);
    for rule in &fleet.clusters {
        for (code, stands, field) in constraints(rule.actions.keys(), rule.parameters.keys()) {
            let Some(constraint) = find(code).filter(|policy| policy.info.dialect == Dialect::Gatekeeper) else {
                continue;
            };
            let what = format!("`{field}` of the fleet do not reach constraints, whose own stand:");
            let help = format!("Write `{stands}` in {}; an exemption can lift it for a time.", constraint.info.path);
            findings.push(named_after(file, field, code, &what).help(help));
        }
        let named = rule.actions.keys().chain(rule.parameters.keys());
        for code in named.filter(|code| are_all && find(code).is_none()) {
            findings.push(
                unknown(file, code, "no policy has the code").help("Correct the code, or remove it from the fleet."),
            );
        }
        for (code, parameters) in &rule.parameters {
            let Some(policy) = find(code).filter(|policy| policy.info.dialect != Dialect::Gatekeeper) else { continue };
            findings.extend(parameters.iter().filter_map(|(name, value)| check_parameter(file, policy, name, value)));
        }
    }
    let rules = fleet.clusters.iter().map(|rule| (&rule.enable, &rule.disable));
    for (enable, disable) in rules.chain([(&fleet.enable, &fleet.disable)]) {
        findings.extend(check_switches(file, enable, disable, names));
    }
    findings
}

/// Codes, what stands in a constraint instead of the fleet's word, and where the fleet names them.
fn constraints<'a>(
    actions: impl Iterator<Item = &'a String>,
    parameters: impl Iterator<Item = &'a String>,
) -> impl Iterator<Item = (&'a String, &'static str, &'static str)> {
    let actions = actions.map(|code| (code, "spec.enforcementAction", "actions"));
    actions.chain(parameters.map(|code| (code, "spec.parameters", "parameters")))
}

/// A policy that somebody believes to be on and that nobody has would pass everything, so that is an error.
fn check_switches(file: &SourceFile, enable: &[String], disable: &[String], names: Names<'_>) -> Vec<Diagnostic> {
    let mut findings = vec![];
    let is_known = |name: &String| {
        !names.are_all
            || names.policies.iter().any(|policy| policy.info.code.as_str() == name || policy.info.sets.contains(name))
    };
    let help = "Correct it: a policy is named by its code, a set as the metadata of its policies has it in `sets`.";
    for name in enable.iter().filter(|name| !is_known(name)) {
        let finding = unknown(file, name, "no policy has the code or the set");
        findings.push(Diagnostic { level: Level::Error, ..finding }.help(help));
    }
    for name in disable.iter().filter(|name| !is_known(name)) {
        findings.push(unknown(file, name, "no policy has the code or the set").help(help));
    }
    for name in disable.iter().filter(|name| enable.contains(name)) {
        let finding = unknown(file, name, "one rule both enables and disables");
        findings.push(Diagnostic { level: Level::Error, ..finding }.help("Keep one of the two."));
    }
    findings
}

fn check_parameter(file: &SourceFile, policy: &Declared<'_>, name: &str, value: &Value) -> Option<Diagnostic> {
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
    named_after(file, "", word, what)
}

/// A warning at the first place where the fleet names this word from this field on.
fn named_after(file: &SourceFile, field: &str, word: &str, what: &str) -> Diagnostic {
    let finding = Diagnostic::warning(&file.path, format!("{what} `{word}`")).spanning(word.chars().count() as u32);
    let mut lines = file.text.lines().enumerate().skip_while(|(_, line)| !line.contains(field));
    match lines.find_map(|(number, line)| line.find(word).map(|start| (number, line[..start].chars().count()))) {
        Some((line, column)) => finding.at(line as u32 + 1, column as u32 + 1),
        None => finding,
    }
}
