//! From a template to a program, and from its constraints to policies that share it.

use super::{Compiled, CompiledPolicy, Known, Made, Wanted, origin};
use crate::catalog::Catalog;
use crate::check::{Lanes, lanes};
use crate::decision::{Dialect, PolicyInfo};
use crate::engine::Engine;
use crate::engine::load::{self, LoadedSource};
use crate::engine::module::{HeadKind, Outline};
use crate::gatekeeper::{Constraint, Embedded, Native, Template};
use crate::policy_set::program::{Program, Wants};
use crate::{Action, Diagnostic, OnError};
use std::sync::Arc;

/// Compiles every template, and adds its constraints. A template without a constraint is compiled too, so that `check`
/// says what is wrong with it.
pub(super) fn compile(
    catalog: &Catalog<'_>,
    wanted: &Wanted<'_>,
    known: &Known,
    lanes: &dyn Lanes,
    into: &mut Compiled,
) -> Vec<Diagnostic> {
    let mut findings = vec![];
    let templates = &catalog.gatekeeper.templates;
    let compile = |at: usize| {
        lanes.reading(&templates[at].path);
        let mut warnings = vec![];
        (made(&templates[at], known, &mut warnings), warnings)
    };
    for (template, (made, warnings)) in templates.iter().zip(lanes::map(lanes, templates.len(), compile)) {
        findings.extend(warnings);
        let of_kind = |constraint: &&Constraint| constraint.kind == template.kind;
        let constraints: Vec<&Constraint> = catalog.gatekeeper.constraints.iter().filter(of_kind).collect();
        match made {
            Ok(made) => {
                let mut policies: Vec<_> =
                    constraints.into_iter().map(|constraint| policy(template, constraint)).collect();
                let ignores_errors = made.origin.ignores_errors;
                policies.iter_mut().filter_map(|policy| policy.constraint.as_mut()).for_each(|constraint| {
                    constraint.ignores_errors = ignores_errors;
                });
                let on = || policies.iter().any(|policy| wanted(&policy.info));
                let at = on().then(|| into.add(made));
                policies.iter_mut().for_each(|policy| policy.program = at.filter(|_| wanted(&policy.info)));
                into.policies.extend(policies);
            }
            Err(found) => findings.extend(found.into_iter().map(|finding| template.authors(finding))),
        }
    }
    findings
}

fn policy(template: &Template, constraint: &Constraint) -> CompiledPolicy {
    let on_error = match constraint.enforcement.admission {
        Some(Action::Deny) => OnError::Deny,
        Some(Action::Warn) => OnError::Warn,
        Some(Action::Dryrun) | None => OnError::Allow,
    };
    let info = PolicyInfo {
        name: constraint.name.clone(),
        code: constraint.code.clone(),
        title: template.title.clone(),
        description: template.description.clone(),
        severity: None,
        kinds: constraint.matcher.kinds(),
        dialect: Dialect::Gatekeeper,
        on_error,
        enabled: true,
        sets: vec![],
        expand: true,
        namespaces: vec![],
        path: constraint.path.clone(),
    };
    let (parameters, code_place) = (constraint.parameters.clone(), constraint.place);
    CompiledPolicy { info: Arc::new(info), program: None, parameters, code_place, constraint: Some(constraint.clone()) }
}

fn made(template: &Template, known: &Known, findings: &mut Vec<Diagnostic>) -> Result<Made, Vec<Diagnostic>> {
    let digest = origin::of_template(template);
    match known.get(&digest) {
        Some(origin) => Ok(Made::known(origin)),
        None => Ok(Made::new(digest, program(template, findings)?, None)),
    }
}

/// What judges. Where a template has both, Gatekeeper asks CEL; where that is not evaluated here, Rego says the same.
fn program(template: &Template, findings: &mut Vec<Diagnostic>) -> Result<Program, Vec<Diagnostic>> {
    let rego = template.rego.as_deref().map(rego);
    let cel = template.native.as_ref().map(Native::compile);
    match (cel, rego) {
        // What does not load is told, whoever decides.
        (Some(_), Some(Err(wrong))) | (None, Some(Err(wrong))) => Err(wrong),
        (Some(Ok(policy)), _) => Ok(Program::Cel(policy)),
        (Some(Err(wrong)), Some(Ok(program))) => {
            findings.extend(wrong.into_iter().map(|finding| {
                let help = "The template's Rego decides instead.";
                template.authors(finding).warning_only().help(help)
            }));
            Ok(program)
        }
        (Some(Err(wrong)), None) => Err(wrong),
        (None, Some(Ok(program))) => Ok(program),
        (None, None) => Err(vec![]),
    }
}

/// The program of a module and its libraries.
fn rego(sources: &[Embedded]) -> Result<Program, Vec<Diagnostic>> {
    let (main, loaded) = load_all(sources)?;
    let findings: Vec<_> = load::check_together(&loaded).into_iter().filter(Diagnostic::is_error).collect();
    if !findings.is_empty() {
        return Err(findings);
    }
    let engine = Engine::build(loaded.iter()).map_err(|finding| vec![finding])?;
    let wants_namespace = loaded.iter().any(|source| source.text.contains("namespaceObject"));
    let reads = |name: &str| {
        let names = |source: &LoadedSource| {
            source.names_below_data().iter().any(|path| path.first().is_none_or(|first| first == name))
        };
        loaded.iter().any(names)
    };
    let wants = Wants { kubernetes: false, inventory: reads("inventory") };
    Ok(Program::rego(engine, format!("data.{}", main.package.join(".")), wants_namespace, wants))
}

/// The outline of the module that judges, and all modules ready for the engine.
fn load_all(sources: &[Embedded]) -> Result<(Outline, Vec<LoadedSource>), Vec<Diagnostic>> {
    let (mut loaded, mut findings) = (vec![], vec![]);
    for source in sources {
        match load::load(&source.file, source.v0) {
            Ok(source) => loaded.push(source),
            Err(found) => findings.extend(found),
        }
    }
    if !findings.is_empty() {
        return Err(findings);
    }
    let outlines: Vec<Outline> = loaded.iter().map(Outline::of).collect();
    let main = outlines.first().cloned().ok_or_else(Vec::new)?;
    findings.extend(check_violation(&sources[0], &main));
    for ((source, outline), loaded) in sources.iter().zip(&outlines).zip(&loaded) {
        findings.extend(check_references(source, outline, loaded));
    }
    findings
        .extend(sources.iter().zip(&outlines).skip(1).filter_map(|(source, outline)| check_library(source, outline)));
    if findings.is_empty() { Ok((main, loaded)) } else { Err(findings) }
}

/// The rule that Gatekeeper asks for.
fn check_violation(source: &Embedded, outline: &Outline) -> Option<Diagnostic> {
    let help = "Write `violation[{\"msg\": msg}] { ... }`.";
    let at =
        |(line, column), message: &str| Some(Diagnostic::error(&source.file.path, message).at(line, column).help(help));
    match outline.rules_named("violation").next() {
        None => at(outline.place, "the template has no `violation` rule"),
        Some(head) if head.kind != HeadKind::Set => at(head.place, "`violation` does not make a set"),
        Some(_) => None,
    }
}

/// Gatekeeper gives its templates nothing but their libraries and the inventory: anything else would be undefined, and
/// what depends on it would never object.
fn check_references(source: &Embedded, outline: &Outline, loaded: &LoadedSource) -> Option<Diagnostic> {
    let is_known = |path: &Vec<String>| match path.first().map(String::as_str) {
        Some("inventory" | "lib") => true,
        _ => path.starts_with(&outline.package),
    };
    let unknown = loaded.names_below_data().into_iter().find(|path| !is_known(path))?;
    let message = format!("`data.{}` is not given to templates", unknown.join("."));
    let finding = Diagnostic::error(&source.file.path, message).at(outline.place.0, outline.place.1);
    Some(finding.help("They may use `data.inventory`, and `data.lib.*` of their own `libs`."))
}

fn check_library(source: &Embedded, outline: &Outline) -> Option<Diagnostic> {
    let is_library = outline.package.first().is_some_and(|first| first == "lib");
    let finding =
        || Diagnostic::error(&source.file.path, format!("the library is in package `{}`", outline.package.join(".")));
    (!is_library).then(|| {
        finding().at(outline.place.0, outline.place.1).help("Libraries of templates are in `package lib.<name>`.")
    })
}
