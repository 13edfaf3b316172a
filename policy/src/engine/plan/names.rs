//! What the names of all modules stand for, read from the engine's own syntax trees.

use super::{Fit, Unfit};
use crate::engine::load::LoadedSource;
use regorus::unstable::{Expr, Module, Ref, Rule, RuleHead};
use std::collections::BTreeMap;

/// A path below `data`, or with its root.
pub(super) type Path = Vec<String>;

/// The definitions and default of one rule, with the module of each.
#[derive(Default)]
pub(super) struct Declared<'s> {
    pub(super) definitions: Vec<(usize, &'s Rule)>,
    /// Whether any of them has a name in parts, or differs from the others in kind.
    pub(super) is_odd: bool,
}

impl Declared<'_> {
    /// How many arguments each definition takes.
    pub(super) fn arity(&self) -> Option<usize> {
        let arity = |rule: &Rule| match rule {
            Rule::Spec { head: RuleHead::Func { args, .. }, .. } => Some(args.len()),
            _ => None,
        };
        let mut arities = self.definitions.iter().map(|(_, rule)| arity(rule));
        let first = arities.next()??;
        arities.all(|arity| arity == Some(first)).then_some(first)
    }
}

/// The package and imports of one module.
pub(super) struct ModuleNames {
    pub(super) package: Path,
    /// What each stands for, with its root.
    pub(super) imports: BTreeMap<String, Path>,
}

pub(super) struct Names<'s> {
    pub(super) rules: BTreeMap<Path, Declared<'s>>,
    pub(super) modules: Vec<ModuleNames>,
}

/// What a path below `data` leads to.
pub(super) enum Target {
    /// A rule, and how many parts of the path name it.
    Rule(Path, usize),
    /// A document beside the rules.
    Document,
}

impl<'s> Names<'s> {
    pub(super) fn of(sources: &[&'s LoadedSource]) -> Option<Self> {
        let mut names = Self { rules: BTreeMap::new(), modules: vec![] };
        for (at, source) in sources.iter().enumerate() {
            let module: &'s Module = source.module();
            let package = fixed(&module.package.refr)?;
            for rule in &module.policy {
                names.declare(at, &package, rule)?;
            }
            names.modules.push(ModuleNames { package, imports: imports(module) });
        }
        Some(names)
    }

    fn declare(&mut self, module: usize, package: &[String], rule: &'s Rule) -> Option<()> {
        let refr = name(rule);
        let root = root(refr)?;
        if matches!(root.as_str(), "input" | "data") {
            return None;
        }
        let declared = self.rules.entry([package, &[root]].concat()).or_default();
        declared.is_odd |= !(matches!(refr, Expr::Var { .. }) || key(rule).is_some());
        declared.definitions.push((module, rule));
        Some(())
    }

    /// What a path below `data` that is fixed as far as it goes leads to.
    pub(super) fn target(&self, path: &[String]) -> Fit<Target> {
        let packages = || self.modules.iter().map(|module| &module.package);
        for length in 1..=path.len() {
            if self.rules.contains_key(&path[..length]) {
                return Ok(Target::Rule(path[..length].to_vec(), length));
            }
        }
        let is_whole = packages().any(|package| package.starts_with(path));
        let is_within = packages().any(|package| path.starts_with(package));
        if is_whole || is_within { Err(Unfit::Never) } else { Ok(Target::Document) }
    }
}

/// The key of a rule that makes an object's fields (`p[key] = value`). A fixed text would be a name in parts.
pub(super) fn key(rule: &Rule) -> Option<&Ref<Expr>> {
    let Rule::Spec { head: RuleHead::Compr { refr, .. }, .. } = rule else { return None };
    let Expr::RefBrack { refr, index, .. } = refr.as_ref() else { return None };
    let is_named = matches!(refr.as_ref(), Expr::Var { .. });
    let is_text = matches!(index.as_ref(), Expr::String { .. } | Expr::RawString { .. });
    (is_named && !is_text).then_some(index)
}

fn name(rule: &Rule) -> &Expr {
    match rule {
        Rule::Default { refr, .. } => refr,
        Rule::Spec { head, .. } => match head {
            RuleHead::Compr { refr, .. } | RuleHead::Set { refr, .. } | RuleHead::Func { refr, .. } => refr,
        },
    }
}

fn root(mut refr: &Expr) -> Option<String> {
    loop {
        match refr {
            Expr::Var { span, .. } => return Some(span.text().to_owned()),
            Expr::RefDot { refr: within, .. } | Expr::RefBrack { refr: within, .. } => refr = within,
            _ => return None,
        }
    }
}

/// The parts of a path all of whose parts are fixed.
pub(super) fn fixed(refr: &Expr) -> Option<Path> {
    match refr {
        Expr::Var { span, .. } => Some(vec![span.text().to_owned()]),
        Expr::RefDot { refr, field, .. } => Some([fixed(refr)?, vec![field.0.text().to_owned()]].concat()),
        Expr::RefBrack { refr, index, .. } => match index.as_ref() {
            Expr::String { value, .. } => Some([fixed(refr)?, vec![value.as_string().ok()?.to_string()]].concat()),
            _ => None,
        },
        _ => None,
    }
}

fn imports(module: &Module) -> BTreeMap<String, Path> {
    let imported = module.imports.iter().filter_map(|import| {
        let path = fixed(&import.refr).filter(|path| matches!(path[0].as_str(), "data" | "input"))?;
        let name = import.r#as.as_ref().map(|name| name.text().to_owned()).or_else(|| path.last().cloned())?;
        Some((name, path))
    });
    imported.collect()
}
