//! Which rules of a package object, and how often: Conftest counts a rule once for each of its bodies.

use crate::Diagnostic;
use crate::engine::load::LoadedSource;
use crate::engine::module::{Head, HeadKind, Outline};

/// A package and its rules that object.
#[derive(Debug, Clone)]
pub(super) struct Package {
    /// `main.gke`.
    pub name: String,
    /// `data.main.gke`.
    pub path: String,
    pub rules: Vec<Rule>,
    pub has_exceptions: bool,
}

/// A rule that objects.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    /// `deny_root`.
    pub name: String,
    /// How often it is declared.
    pub bodies: usize,
}

impl Rule {
    pub(super) fn is_warning(&self) -> bool {
        self.name.starts_with("warn")
    }

    /// What exceptions call it: `root`, nothing for `deny`.
    pub(super) fn short_name(&self) -> &str {
        if matches!(self.name.as_str(), "deny" | "violation" | "warn") {
            return "";
        }
        let prefixes = ["violation_", "deny_", "warn_"];
        prefixes.iter().fold(self.name.as_str(), |name, prefix| name.strip_prefix(prefix).unwrap_or(name))
    }
}

/// `deny`, `violation` or `warn`, with parts after underscores.
fn is_judging(name: &str) -> bool {
    let rest = ["deny", "violation", "warn"].iter().find_map(|word| name.strip_prefix(word));
    rest.is_some_and(|rest| {
        let mut parts = rest.split('_');
        parts.next() == Some("")
            && parts.all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric()))
    })
}

/// All packages in the order of the modules, with the rules of all their modules.
pub(super) fn packages(sources: &[LoadedSource]) -> Vec<Package> {
    let mut packages: Vec<Package> = vec![];
    for outline in sources.iter().map(Outline::of) {
        let name = outline.package.join(".");
        let position = packages.iter().position(|package| package.name == name).unwrap_or_else(|| {
            let path = data_path(&outline.package);
            packages.push(Package { name, path, rules: vec![], has_exceptions: false });
            packages.len() - 1
        });
        add(&mut packages[position], &outline);
    }
    packages
}

fn add(package: &mut Package, outline: &Outline) {
    package.has_exceptions |= outline.rules_named("exception").next().is_some();
    for head in outline.rules.iter().filter(|head| is_judging(&head.name) && head.kind != HeadKind::Function) {
        match package.rules.iter_mut().find(|rule| rule.name == head.name) {
            Some(rule) => rule.bodies += 1,
            None => package.rules.push(Rule { name: head.name.clone(), bodies: 1 }),
        }
    }
}

/// `data.main`, or `data["my-package"]` for what is no identifier.
fn data_path(package: &[String]) -> String {
    let is_name = |part: &str| part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let parts = package.iter().map(|part| if is_name(part) { format!(".{part}") } else { format!("[{part:?}]") });
    format!("data{}", parts.collect::<String>())
}

/// Whether a module objects to anything.
pub(super) fn objects(source: &LoadedSource) -> bool {
    Outline::of(source).rules.iter().any(|head| is_judging(&head.name))
}

/// Rules that look as if they objected and never do.
pub(super) fn check(source: &LoadedSource) -> Vec<Diagnostic> {
    Outline::of(source).rules.iter().filter_map(|head| never_objects(source, head)).collect()
}

/// `deny[msg] if { ... }` makes an object of truths in Rego v1, of which no message would be read.
fn never_objects(source: &LoadedSource, head: &Head) -> Option<Diagnostic> {
    let end = head.name.find(['[', '.']).filter(|_| head.kind == HeadKind::Complete)?;
    let name = head.name.get(..end).filter(|name| is_judging(name) && !source.v0)?;
    let message = format!("`{name}[...]` uses `if` without `contains`, so that it makes no set of messages");
    let help = format!("Write `{name} contains msg if {{ ... }}`.");
    let width = head.name.chars().count() as u32;
    Some(Diagnostic::error(&source.path, message).at(head.place.0, head.place.1).spanning(width).help(help))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_conftests() {
        for name in ["deny", "violation", "warn", "deny_a", "warn_a_b2"] {
            assert!(is_judging(name), "{name}");
        }
        for name in ["denied", "deny_", "deny__a", "is_deny", "warning", "deny-a"] {
            assert!(!is_judging(name), "{name}");
        }
        let short = |name: &str| Rule { name: name.into(), bodies: 1 }.short_name().to_owned();
        assert_eq!([short("deny"), short("warn_a_b"), short("violation_deny_x")], ["", "a_b", "x"]);
    }
}
