//! What a set of files declares: its modules by role, its fleet, and what is wrong with either. Nothing is evaluated
//! here; `policy_set` compiles what the catalog lists.

use crate::check::Lanes;
use crate::check::lanes;
use crate::decision::Dialect;
use crate::engine::load::{self, LoadedSource};
use crate::engine::module::{Head, HeadKind, Outline};
use crate::gatekeeper::Gatekeeper;
use crate::metadata::Metadata;
use crate::team::{self, Team};
use crate::{Diagnostic, Digest, Fleet, Level, SourceFile, document};
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

/// Everything that the files hold, sorted by path.
pub(crate) struct Catalog<'a> {
    pub files: &'a [SourceFile],
    pub modules: Vec<Module<'a>>,
    pub gatekeeper: Gatekeeper,
    pub teams: Vec<Arc<Team>>,
    pub fleet: Fleet,
    /// The file that holds the fleet.
    pub fleet_file: Option<&'a SourceFile>,
    pub diagnostics: Vec<Diagnostic>,
}

/// One Rego file.
pub(crate) struct Module<'a> {
    pub file: &'a SourceFile,
    /// Of its text.
    pub digest: Digest,
    pub source: LoadedSource,
    pub outline: Outline,
    pub role: Role,
    /// Whose it is, when not the platform's.
    pub team: Option<Arc<Team>>,
    /// Paths below `data` that the text names; an empty path stands for all of `data`.
    references: BTreeSet<Vec<String>>,
    /// Where the modules stand that it needs, once that was asked.
    needed: OnceLock<Vec<usize>>,
}

/// What a module is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It judges reviews.
    Policy(Dialect),
    /// Others use it.
    Library,
    /// It tests others.
    Test,
}

impl<'a> Catalog<'a> {
    /// Reads all files together. A file that does not load is a finding and left out.
    pub(crate) fn read(files: &'a [SourceFile], lanes: &dyn Lanes) -> Self {
        let (mut documents, mut diagnostics) = document::read(files);
        let (teams, findings) = team::read(&documents);
        diagnostics.extend(findings);
        diagnostics.extend(team::refuse_documents(&teams, &mut documents));
        let (fleet, findings) = document::fleet(&documents);
        diagnostics.extend(findings);
        let (exemptions, findings) = document::exemptions(&documents);
        diagnostics.extend(findings);
        let (gatekeeper, findings) = Gatekeeper::read(&documents);
        diagnostics.extend(findings);
        let mut modules = vec![];
        let rego: Vec<&SourceFile> = files.iter().filter(|file| file.is_rego()).collect();
        let read = |at: usize| {
            lanes.reading(&rego[at].path);
            Module::read(rego[at])
        };
        for (file, module) in rego.iter().zip(lanes::map(lanes, rego.len(), read)) {
            match module {
                Ok(mut module) => {
                    module.team = team::of(&teams, &file.path).cloned();
                    diagnostics.extend(team::check_package(&teams, &module));
                    diagnostics.extend(team::check_use(&teams, &module));
                    modules.push(module);
                }
                Err(findings) => diagnostics.extend(findings),
            }
        }
        modules.sort_by(|a, b| a.file.path.cmp(&b.file.path));
        diagnostics.extend(check_together(&modules).into_iter().filter(|found| !may_be_data(files, found)));
        let (fleet_file, mut fleet) = fleet.map_or((None, Fleet::default()), |(file, fleet)| (Some(file), fleet));
        fleet.exemptions = exemptions;
        fleet.sync.extend(gatekeeper.sync.iter().cloned());
        Self { files, modules, gatekeeper, teams, fleet, fleet_file, diagnostics }
    }

    /// The modules that judge reviews.
    pub(crate) fn policies(&self) -> impl Iterator<Item = (&Module<'a>, Dialect)> {
        self.modules.iter().filter_map(|module| match module.role {
            Role::Policy(dialect) => Some((module, dialect)),
            _ => None,
        })
    }

    /// The module and all that it needs, directly or not. Tests may use policies and each other; policies use
    /// neither tests nor, by accident, policies that they do not name. Of a package that several folders hold a copy of,
    /// tests take the one beside them, as `opa test FOLDER` would. What is a team's is used by the team alone.
    pub(crate) fn closure<'b>(&'b self, module: &'b Module<'a>) -> Vec<&'b Module<'a>> {
        let with_tests = module.role == Role::Test;
        let is_own = |other: &Module<'_>| other.team.is_none() || other.team == module.team;
        let allowed = |other: &Module<'_>| is_own(other) && (with_tests || other.role != Role::Test);
        let mut included = vec![module];
        let mut next = 0;
        while let Some(current) = included.get(next).copied() {
            next += 1;
            let is_shadowed =
                |other: &Module<'_>| with_tests && !other.is_beside(module) && self.has_beside(module, other);
            let needed = self.needed(current).iter().map(|at| &self.modules[*at]);
            for other in needed.filter(|other| allowed(other) && !is_shadowed(other)) {
                if !included.iter().any(|module| std::ptr::eq(*module, other)) {
                    included.push(other);
                }
            }
        }
        included
    }

    /// The positions of the modules that one needs itself, found once.
    fn needed<'m>(&self, module: &'m Module<'_>) -> &'m [usize] {
        let find = || {
            let needed = self.modules.iter().enumerate().filter(|(_, other)| module.needs(other));
            needed.map(|(at, _)| at).collect()
        };
        module.needed.get_or_init(find)
    }

    /// Whether the folder of `module` holds the package of `other` too.
    fn has_beside(&self, module: &Module<'_>, other: &Module<'_>) -> bool {
        let is_copy = |third: &Module<'_>| {
            third.outline.package == other.outline.package && (third.role == Role::Test) == (other.role == Role::Test)
        };
        self.modules.iter().any(|third| third.is_beside(module) && is_copy(third))
    }
}

impl<'a> Module<'a> {
    fn read(file: &'a SourceFile) -> Result<Self, Vec<Diagnostic>> {
        let package = package_of(&file.text);
        let is_magtape = package.starts_with("kubernetes.admission.");
        let is_writ = package.starts_with("writ.");
        let (source, outline) = match (is_magtape, is_writ) {
            (true, _) => parse(file, true)?,
            (_, true) => parse(file, false)?,
            // A library says no version: new Rego is tried first, and its findings are the ones to show.
            _ => parse(file, false).or_else(|findings| parse(file, true).map_err(|_| findings))?,
        };
        let references = source.names_below_data();
        let role = role(file, &outline)?;
        Ok(Self { file, digest: file.digest(), source, outline, role, team: None, references, needed: OnceLock::new() })
    }

    /// `data.writ.policy_pdb`, or `data.writ["policy-pdb"]` for what is no identifier.
    pub(crate) fn data_path(&self) -> String {
        let is_name = |part: &str| part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let parts = self.outline.package.iter().map(|part| match is_name(part) {
            true => format!(".{part}"),
            false => format!("[\"{part}\"]"),
        });
        format!("data{}", parts.collect::<String>())
    }

    /// A finding at a place of the author's text.
    pub(crate) fn diagnostic(&self, (line, column): (u32, u32), message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(&self.file.path, message).at(line, column)
    }

    /// Whether the text names this path below `data`, or something above or below it.
    pub(crate) fn reads(&self, below: &[&str]) -> bool {
        self.references.iter().any(|path| overlap(path, below))
    }

    /// Whether both are in one folder.
    fn is_beside(&self, other: &Module<'_>) -> bool {
        fn folder<'p>(module: &'p Module<'_>) -> Option<&'p str> {
            module.file.path.rsplit_once('/').map(|(folder, _)| folder)
        }
        folder(self) == folder(other)
    }

    /// Paths below `data` that the text names; an empty path stands for all of `data`.
    pub(crate) fn references(&self) -> &BTreeSet<Vec<String>> {
        &self.references
    }

    fn needs(&self, other: &Module<'_>) -> bool {
        let package = &other.outline.package;
        *package == self.outline.package || self.references.iter().any(|path| overlap(path, package))
    }
}

/// Whether two paths below `data` name the same, or one names a part of the other.
pub(crate) fn overlap<A: PartialEq<B>, B>(one: &[A], other: &[B]) -> bool {
    one.iter().zip(other).all(|(a, b)| a == b)
}

/// Whether a warning is about what JSON beside a test may define.
fn may_be_data(files: &[SourceFile], found: &Diagnostic) -> bool {
    let folder = |path: &str| path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    let is_test = |file: &&SourceFile| file.path == found.path && file.is_test();
    let has_data =
        || files.iter().any(|file| file.path.ends_with(".json") && folder(&file.path) == folder(&found.path));
    !found.is_error() && files.iter().any(|file| is_test(&file)) && has_data()
}

/// What can only be seen across files: of all together, and of those that decide without the tests beside them.
fn check_together(modules: &[Module<'_>]) -> Vec<Diagnostic> {
    let check = |with_tests: bool| {
        let chosen = modules.iter().filter(|module| with_tests || module.role != Role::Test);
        load::check_together(&chosen.map(|module| module.source.clone()).collect::<Vec<_>>())
    };
    let has_tests = modules.iter().any(|module| module.role == Role::Test);
    let mut findings = check(true);
    if has_tests {
        // What tests replace is known only with them; a warning without them says nothing.
        findings.extend(check(false).into_iter().filter(Diagnostic::is_error));
    }
    findings.iter_mut().filter(|found| is_policys_import(modules, found)).for_each(|found| found.level = Level::Error);
    findings
}

/// A policy imports what the repository has or the cluster fills in. An import of anything else is undefined for ever, and
/// the rules that ask it never apply.
fn is_policys_import(modules: &[Module<'_>], found: &Diagnostic) -> bool {
    let mut policies = modules.iter().filter(|module| matches!(module.role, Role::Policy(_)));
    let is_import = |module: &Module<'_>| module.outline.imports.contains(&(found.line, found.column));
    policies.any(|module| module.file.path == found.path && is_import(module))
}

fn parse(file: &SourceFile, v0: bool) -> Result<(LoadedSource, Outline), Vec<Diagnostic>> {
    let source = load::load(file, v0)?;
    let outline = Outline::of(&source);
    Ok((source, outline))
}

fn role(file: &SourceFile, outline: &Outline) -> Result<Role, Vec<Diagnostic>> {
    let package: Vec<&str> = outline.package.iter().map(String::as_str).collect();
    let is_test = package.last().is_some_and(|last| last.ends_with("_test"));
    let by_package = match package.as_slice() {
        ["kubernetes", "admission", _, ..] | ["writ", ..] if is_test && !file.is_test() => {
            let message = "unit tests are outside of a `*_test.rego` file";
            let help = "Rename the file so that it ends in `_test.rego`.";
            return Err(vec![Diagnostic::error(&file.path, message).help(help)]);
        }
        ["writ", "lib", ..] => Role::Library,
        ["kubernetes", "admission", _, ..] => Role::Policy(Dialect::MagTape),
        ["writ", _, ..] => Role::Policy(Dialect::Writ),
        _ => Role::Library,
    };
    let role = if file.is_test() { Role::Test } else { by_package };
    let judges = |role| matches!(role, Role::Policy(_));
    let deny = outline.rules_named("deny").find(|rule| rule.kind == HeadKind::Set).filter(|_| !judges(role));
    match deny {
        Some(deny) if judges(by_package) || is_described_as_policy(file, outline) => {
            Err(vec![never_judges(file, deny)])
        }
        _ => Ok(role),
    }
}

/// Whether the author meant a policy, whatever the package is called.
fn is_described_as_policy(file: &SourceFile, outline: &Outline) -> bool {
    outline.rules_named("policy_metadata").next().is_some() || Metadata::parse(file).is_ok()
}

/// A policy at a place where none is looked for would pass everything.
fn never_judges(file: &SourceFile, deny: &Head) -> Diagnostic {
    let (message, help) = match file.is_test() {
        true => {
            ("`deny` is in a file of unit tests, which judges nothing", "Move it to a file not named `*_test.rego`.")
        }
        false => (
            "the policy is in a package of which nothing is judged",
            "Policies are in `package writ.<name>` (not `writ.lib`) or `package kubernetes.admission.<name>`.",
        ),
    };
    Diagnostic::error(&file.path, message).at(deny.place.0, deny.place.1).spanning(4).help(help)
}

/// The package as written, found without parsing because it decides which Rego is parsed.
pub(crate) fn package_of(text: &str) -> String {
    let line = text.lines().map(str::trim_start).find_map(|line| line.strip_prefix("package"));
    let package = line.unwrap_or_default().split(['#', ';']).next().unwrap_or_default();
    package.chars().filter(|c| !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_is_found_below_comments() {
        assert_eq!(package_of("# package no\n\n  package writ.a # b\n"), "writ.a");
    }
}
