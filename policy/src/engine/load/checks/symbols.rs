//! The names that the modules of one engine declare: packages, rules, functions, imports.

use super::super::LoadedSource;
use regorus::unstable::{Expr, Module, Rule, RuleHead};
use std::collections::{BTreeMap, BTreeSet};

/// A name in parts: `["data", "lib", "helpers", "is_true"]`.
pub(super) type Name = Vec<String>;

/// All names of the modules.
pub(super) struct Symbols {
    /// Packages.
    pub(super) packages: BTreeSet<Name>,
    /// Rules and functions, up to the first part that is not fixed; the number of arguments when it is a function.
    pub(super) rules: BTreeMap<Name, Option<usize>>,
}

impl Symbols {
    pub(super) fn of(sources: &[LoadedSource]) -> Self {
        let mut symbols = Self { packages: BTreeSet::new(), rules: BTreeMap::new() };
        for source in sources {
            let package = package(source.module());
            for rule in &source.module().policy {
                let arity = arity(rule);
                let known = symbols.rules.entry(rule_name(&package, rule)).or_insert(arity);
                *known = known.or(arity);
            }
            symbols.packages.insert(package);
        }
        symbols
    }

    /// The rules that a reference with this fixed beginning may reach: those it names a part of, and those above it.
    pub(super) fn reached<'s>(&'s self, name: &'s [String]) -> impl Iterator<Item = &'s Name> {
        let within = self.rules.range(name.to_vec()..).map(|(rule, _)| rule).take_while(|rule| rule.starts_with(name));
        let above = (1..name.len()).filter_map(|length| Some(self.rules.get_key_value(&name[..length])?.0));
        within.chain(above)
    }
}

/// `data` and the parts of the module's package.
pub(super) fn package(module: &Module) -> Name {
    let mut name = vec!["data".to_owned()];
    name.extend(fixed_parts(&module.package.refr));
    name
}

/// The rule's full name, up to the first part that is not fixed.
pub(super) fn rule_name(package: &[String], rule: &Rule) -> Name {
    let refr = match rule {
        Rule::Default { refr, .. } => refr,
        Rule::Spec {
            head: RuleHead::Compr { refr, .. } | RuleHead::Set { refr, .. } | RuleHead::Func { refr, .. },
            ..
        } => refr,
    };
    package.iter().cloned().chain(fixed_parts(refr)).collect()
}

fn arity(rule: &Rule) -> Option<usize> {
    match rule {
        Rule::Spec { head: RuleHead::Func { args, .. }, .. } => Some(args.len()),
        Rule::Default { args, .. } if !args.is_empty() => Some(args.len()),
        _ => None,
    }
}

/// The beginning of a reference that is the same for every evaluation: `a.b["c"][x].d` has `a`, `b`, `c`.
pub(super) fn fixed_parts(refr: &Expr) -> Name {
    let mut parts = vec![];
    collect(refr, &mut parts);
    parts
}

/// False when a part is not fixed, and nothing is collected after it.
fn collect(refr: &Expr, parts: &mut Name) -> bool {
    match refr {
        Expr::Var { span, .. } => {
            parts.push(span.text().to_owned());
            true
        }
        Expr::RefDot { refr, field, .. } => {
            let fixed = collect(refr, parts);
            if fixed {
                parts.push(field.0.text().to_owned());
            }
            fixed
        }
        Expr::RefBrack { refr, index, .. } => {
            let fixed = collect(refr, parts);
            match index.as_ref() {
                Expr::String { value, .. } | Expr::RawString { value, .. } if fixed => {
                    parts.extend(value.as_string().ok().map(ToString::to_string));
                    true
                }
                _ => false,
            }
        }
        _ => false,
    }
}

/// The module's imports by the name they are known as.
pub(super) fn imports(module: &Module) -> BTreeMap<String, Name> {
    let mut imports = BTreeMap::new();
    for import in &module.imports {
        let target = fixed_parts(&import.refr);
        let alias = import.r#as.as_ref().map(|alias| alias.text().to_owned()).or_else(|| target.last().cloned());
        if let Some(alias) = alias
            && matches!(target.first().map(String::as_str), Some("data" | "input"))
        {
            imports.insert(alias, target);
        }
    }
    imports
}
