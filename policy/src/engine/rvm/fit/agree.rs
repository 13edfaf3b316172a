//! Functions and complete rules with several definitions. Where two of them have different values, Rego has a conflict
//! and the machine no value; so each becomes a rule of its own, and one more says that they agree.

use super::Change;
use super::look::{Look, Parts, is_constant};
use super::packages::Packages;
use crate::engine::load::LoadedSource;
use regorus::unstable::{Expr, Literal, Rule, RuleAssign, RuleBody, RuleHead};
use std::collections::BTreeMap;

/// The builtin whose place the comparison of values takes: one that the machine knows and that takes one argument. A
/// policy that calls it itself is not fit.
pub(in crate::engine::rvm) const AGREE: &str = "uuid.parse";

/// Rules with several definitions, by package and name.
pub(super) struct Several<'a> {
    groups: BTreeMap<(String, String), Vec<Definition<'a>>>,
}

#[derive(Clone, Copy)]
struct Definition<'a> {
    source: &'a LoadedSource,
    rule: &'a Rule,
    name: &'a Expr,
    args: &'a [regorus::unstable::Ref<Expr>],
    assign: Option<&'a RuleAssign>,
    bodies: &'a [RuleBody],
}

/// The definitions of one rule.
pub(super) struct Group<'g, 'a> {
    definitions: &'g [Definition<'a>],
}

impl<'a> Several<'a> {
    pub(super) fn of(sources: &[&'a LoadedSource]) -> Self {
        let mut groups: BTreeMap<_, Vec<Definition<'a>>> = BTreeMap::new();
        for source in sources {
            let package = source.module().package.refr.span().text().to_owned();
            for definition in source.module().policy.iter().filter_map(|rule| Definition::of(source, rule)) {
                groups.entry((package.clone(), definition.name.span().text().to_owned())).or_default().push(definition);
            }
        }
        groups.retain(|_, definitions| definitions.len() > 1 && !never_conflict(definitions));
        Self { groups }
    }

    /// The rules whose first definition is in this source.
    pub(super) fn of_source<'g>(&'g self, source: &'g LoadedSource) -> impl Iterator<Item = Group<'g, 'a>> {
        let groups = self.groups.values().filter(move |group| group[0].source.path == source.path);
        groups.map(|definitions| Group { definitions })
    }
}

impl<'a> Definition<'a> {
    fn of(source: &'a LoadedSource, rule: &'a Rule) -> Option<Self> {
        let Rule::Spec { head, bodies, .. } = rule else { return None };
        match head {
            RuleHead::Func { refr, args, assign, .. } => {
                Some(Self { source, rule, name: refr, args, assign: assign.as_ref(), bodies })
            }
            RuleHead::Compr { refr, assign, .. } => {
                Some(Self { source, rule, name: refr, args: &[], assign: assign.as_ref(), bodies })
            }
            RuleHead::Set { .. } => None,
        }
    }

    /// The one value that it can have, as written.
    fn constant(&self) -> Option<&str> {
        let text = |assign: &'a RuleAssign| is_constant(&assign.value).then(|| assign.value.span().text());
        let first = self.assign.map_or(Some("true"), text)?;
        self.bodies.iter().skip(1).all(|body| body.assign.is_none()).then_some(first)
    }

    /// Statements that hold whenever it has a value, as written, and whether they are negated.
    fn conditions(&self) -> Vec<(bool, &'a str)> {
        let [body] = self.bodies else { return vec![] };
        let condition = |literal: &'a Literal| match literal {
            Literal::Expr { expr, .. } => Some((true, expr.span().text())),
            Literal::NotExpr { expr, .. } => Some((false, expr.span().text())),
            _ => None,
        };
        body.query.stmts.iter().filter_map(|statement| condition(&statement.literal)).collect()
    }
}

/// Whether two of the definitions can never have different values for the same arguments.
fn never_conflict(definitions: &[Definition<'_>]) -> bool {
    let values: Vec<Option<&str>> = definitions.iter().map(Definition::constant).collect();
    if values.iter().all(|value| value.is_some() && *value == values[0]) {
        return true;
    }
    let pairs =
        definitions.iter().enumerate().flat_map(|(at, one)| definitions[at + 1..].iter().map(move |two| (one, two)));
    pairs.into_iter().all(|(one, two)| exclude(one, two))
}

/// Whether at most one of the two can have a value: by a constant argument, or by a statement that the other negates.
fn exclude(one: &Definition<'_>, two: &Definition<'_>) -> bool {
    let texts = |definition: &Definition<'_>| {
        definition.args.iter().map(|arg| arg.span().text().to_owned()).collect::<Vec<_>>()
    };
    let constants = one.args.iter().zip(two.args).any(|(one, two)| match (one.as_ref(), two.as_ref()) {
        (Expr::String { value: one, .. }, Expr::String { value: two, .. }) => one != two,
        _ => false,
    });
    // The same words mean the same only where the arguments have the same names, and no other name is bound.
    let plain = |text: &str| {
        one.args.iter().all(|arg| matches!(arg.as_ref(), Expr::Var { .. })) && {
            let mut words =
                text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '.').filter(|word| !word.is_empty());
            words.clone().count() == 2
                && words.next().is_some_and(|word| word.starts_with("is_"))
                && words.next().is_some_and(|word| texts(one).iter().any(|arg| arg == word))
        }
    };
    let negated = || {
        let others = two.conditions();
        one.conditions().iter().any(|(holds, text)| plain(text) && others.contains(&(!holds, text)))
    };
    constants || (texts(one) == texts(two) && negated())
}

impl Group<'_, '_> {
    /// Names of their own for the definitions, and the rule that says that they agree.
    pub(super) fn split(&self, v0: bool, packages: &Packages<'_>) -> Option<(Vec<Change>, String)> {
        let source = self.definitions[0].source;
        let name = self.definitions[0].name.span().text();
        let arity = self.definitions[0].args.len();
        let mut changes = vec![];
        for (at, definition) in self.definitions.iter().enumerate() {
            if definition.source.path != source.path || definition.args.len() != arity {
                return None;
            }
            changes.extend(definition.listed(&own(at, name), v0, packages)?);
        }
        let args: Vec<String> = (0..arity).map(|at| format!("__writ_arg{at}")).collect();
        let args = if arity == 0 { String::new() } else { format!("({})", args.join(", ")) };
        let values: Vec<String> = (0..self.definitions.len()).map(|at| own(at, name) + &args).collect();
        let (values, keyword) = (values.join(", "), if v0 { "" } else { " if" });
        let rule = format!(
            "{name}{args} = __writ_value{keyword} {{ __writ_value := {AGREE}([{values}]); __writ_value == __writ_value }}\n"
        );
        Some((changes, rule))
    }
}

fn own(at: usize, name: &str) -> String {
    format!("__writ_{at}_{name}")
}

impl Definition<'_> {
    /// The definition under another name, with a list of its value, which is empty where it has none.
    fn listed(&self, name: &str, v0: bool, packages: &Packages<'_>) -> Option<Vec<Change>> {
        let is_var = |term: &Expr| matches!(term, Expr::Var { .. });
        if !is_var(self.name) || !self.args.iter().all(|arg| is_var(arg)) {
            return None;
        }
        // `else` is lost after a loop that found nothing.
        let [body] = self.bodies else { return None };
        if Look::at(self.rule, packages).has_loops() {
            return None;
        }
        let (span, value) = (self.name.span(), &self.assign?.value);
        let otherwise = if v0 { " else = [] { true }" } else { " else := [] if { true }" };
        let mut changes =
            vec![Change::Name(span.start, span.end, name.into()), Change::After(body.query.span.end, otherwise.into())];
        changes.extend(listed_value(value, body, &self.source.text)?);
        Some(changes)
    }
}

/// The value in a list. What may have no value is looked at in the body, where that leads to the empty list.
fn listed_value(value: &Expr, body: &RuleBody, source: &str) -> Option<Vec<Change>> {
    let span = value.span();
    if is_constant(value) || matches!(value, Expr::Var { .. }) {
        return Some(vec![Change::Before(span.start, "[".into()), Change::After(span.end, "]".into())]);
    }
    let at = |at: usize| source.as_bytes().get(at).is_some_and(|byte| matches!(byte, b'"' | b'`'));
    let is_quoted = at((span.start as usize).wrapping_sub(1)) || at(span.end as usize);
    let is_simple = matches!(value, Expr::Call { .. } | Expr::ArithExpr { .. } | Expr::RefDot { .. });
    let has_braces = body.query.span.text().starts_with('{');
    let is_fit = has_braces && is_simple && !is_quoted && !Parts::of(value).repeats;
    // Last, because a statement before it may err.
    let last = body.query.stmts.last().filter(|_| is_fit)?;
    let text = format!("; __writ_listed := {}; __writ_listed == __writ_listed", span.text());
    Some(vec![Change::Name(span.start, span.end, "[__writ_listed]".into()), Change::After(last.span.end, text)])
}
