//! The outline of a module: its package, the heads of its rules, what it refers to. Read from the engine's own
//! syntax tree, so that it cannot differ from what is evaluated.

use super::load::LoadedSource;
use regorus::unstable::{Expr, Literal, Rule, RuleHead};

/// A module without its rule bodies.
#[derive(Debug, Clone)]
pub(crate) struct Outline {
    /// `["writ", "policy_pdb"]`.
    pub package: Vec<String>,
    /// Where the package is named.
    pub place: (u32, u32),
    /// The heads of all rules, in order.
    pub rules: Vec<Head>,
    /// Where each import names what it imports.
    pub imports: Vec<(u32, u32)>,
}

/// The head of one rule, or of one of several with one name.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    /// `deny`, or with its path `deny.pods`.
    pub name: String,
    /// What kind of rule it is.
    pub kind: HeadKind,
    /// Where it begins.
    pub place: (u32, u32),
    /// The value, when it is a complete rule without a condition: as written.
    pub value: String,
    /// The statements of the bodies that are plain expressions, as written.
    pub statements: Vec<String>,
    /// Whether another body may hold where the first one does not.
    pub has_else: bool,
}

/// What a rule makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeadKind {
    /// One value.
    Complete,
    /// A set.
    Set,
    /// A function of its arguments.
    Function,
}

impl Outline {
    /// The outline of a module.
    pub(crate) fn of(source: &LoadedSource) -> Self {
        let module = source.module();
        let span = module.package.refr.span();
        let rules = module.policy.iter().map(|rule| head(source, rule)).collect();
        let imports = module.imports.iter().map(|import| source.map.place(import.refr.span().start as usize)).collect();
        Self {
            package: path(&format!(".{}", span.text())),
            place: source.map.place(span.start as usize),
            rules,
            imports,
        }
    }

    /// The rules of this name.
    pub(crate) fn rules_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Head> {
        self.rules.iter().filter(move |head| head.name == name)
    }
}

fn head(source: &LoadedSource, rule: &Rule) -> Head {
    let (span, refr, kind, assign, bodies) = match rule {
        Rule::Default { span, refr, value, .. } => (span, refr, HeadKind::Complete, Some(value), &[][..]),
        Rule::Spec { span, head, bodies } => match head {
            RuleHead::Compr { refr, assign, .. } => {
                (span, refr, HeadKind::Complete, assign.as_ref().map(|assign| &assign.value), &bodies[..])
            }
            RuleHead::Set { refr, .. } => (span, refr, HeadKind::Set, None, &bodies[..]),
            RuleHead::Func { refr, .. } => (span, refr, HeadKind::Function, None, &bodies[..]),
        },
    };
    let statements =
        bodies.iter().flat_map(|body| body.query.stmts.iter()).filter_map(|statement| match &statement.literal {
            Literal::Expr { expr, .. } if statement.with_mods.is_empty() => Some(text(expr)),
            _ => None,
        });
    Head {
        name: text(refr),
        kind,
        place: source.map.place(span.start as usize),
        value: assign.map(|value| text(value)).unwrap_or_default(),
        statements: statements.collect(),
        has_else: bodies.len() > 1,
    }
}

fn text(expr: &Expr) -> String {
    expr.span().text().to_owned()
}

/// `.a.b["c"]` as `[a, b, c]`, up to the first part that is not constant.
pub(crate) fn path(mut rest: &str) -> Vec<String> {
    let mut path = vec![];
    loop {
        let end = |text: &str| text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        let part = if let Some(dotted) = rest.strip_prefix('.') {
            let end = end(dotted);
            let (name, after) = dotted.split_at(end);
            rest = after;
            name
        } else if let Some((name, after)) = rest.strip_prefix("[\"").and_then(|quoted| quoted.split_once("\"]")) {
            rest = after;
            name
        } else {
            return path;
        };
        path.push(part.to_owned());
    }
}
