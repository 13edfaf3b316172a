//! What a name means at a place: a local variable, an import, a rule of the package, or a document.

use super::super::walk::Visitor;
use super::symbols::{Name, Symbols, fixed_parts};
use regorus::unstable::{AssignOp, Expr, Literal, LiteralStmt, Query, Rule, RuleHead};
use std::collections::{BTreeMap, BTreeSet};

/// The module's names and the local variables around the place that a walk has reached.
pub(super) struct Scope<'s> {
    pub(super) package: &'s [String],
    pub(super) imports: &'s BTreeMap<String, Name>,
    locals: Vec<BTreeSet<String>>,
}

impl<'s> Scope<'s> {
    /// The scope of a rule before its first body.
    pub(super) fn of(rule: &Rule, package: &'s [String], imports: &'s BTreeMap<String, Name>) -> Self {
        let mut arguments = BTreeSet::new();
        match rule {
            Rule::Spec { head: RuleHead::Func { args, .. }, .. } => {
                args.iter().for_each(|arg| variables(arg, &mut arguments));
            }
            Rule::Default { args, .. } => args.iter().for_each(|arg| variables(arg, &mut arguments)),
            Rule::Spec { .. } => {}
        }
        Self { package, imports, locals: vec![arguments] }
    }

    /// Whether the name is a variable here.
    pub(super) fn is_local(&self, name: &str) -> bool {
        self.locals.iter().any(|names| names.contains(name))
    }

    /// The full name (`data...` or `input...`) of a reference, or nothing when it begins with a local variable.
    pub(super) fn resolve(&self, reference: &Expr, symbols: &Symbols) -> Option<Name> {
        let parts = fixed_parts(reference);
        let (first, rest) = parts.split_first()?;
        if self.is_local(first) {
            return None;
        }
        let mut own = self.package.to_vec();
        own.push(first.clone());
        if symbols.reached(&own).next().is_some() {
            own.extend_from_slice(rest);
            return Some(own);
        }
        match self.imports.get(first) {
            Some(target) => Some(target.iter().chain(rest).cloned().collect()),
            None => matches!(first.as_str(), "data" | "input").then_some(parts),
        }
    }

    /// To be called by a visitor's `enter`.
    pub(super) fn enter(&mut self, query: &Query) {
        let mut names = BTreeSet::new();
        query.stmts.iter().for_each(|statement| declared(statement, &mut names));
        self.locals.push(names);
    }

    /// To be called by a visitor's `leave`.
    pub(super) fn leave(&mut self) {
        self.locals.pop();
    }
}

/// The names that a statement declares for its whole body.
fn declared(statement: &LiteralStmt, names: &mut BTreeSet<String>) {
    match &statement.literal {
        Literal::SomeVars { vars, .. } => names.extend(vars.iter().map(|name| name.text().to_owned())),
        Literal::SomeIn { key, value, .. } => {
            key.iter().for_each(|key| variables(key, names));
            variables(value, names);
        }
        Literal::Every { key, value, .. } => {
            names.extend(key.iter().chain([value]).map(|name| name.text().to_owned()));
        }
        Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => {
            if let Expr::AssignExpr { op: AssignOp::ColEq, lhs, .. } = expr.as_ref() {
                variables(lhs, names);
            }
        }
    }
}

/// The variables of a pattern.
pub(super) fn variables(pattern: &Expr, names: &mut BTreeSet<String>) {
    match pattern {
        Expr::Var { span, .. } => drop(names.insert(span.text().to_owned())),
        Expr::Array { items, .. } => items.iter().for_each(|item| variables(item, names)),
        Expr::Object { fields, .. } => fields.iter().for_each(|(_, _, value)| variables(value, names)),
        _ => {}
    }
}

/// A walk that follows the scope and tells an inner function of every expression.
pub(super) struct Scoped<'s, F> {
    pub(super) scope: Scope<'s>,
    pub(super) seen: F,
}

impl<F: FnMut(&Scope<'_>, &Expr)> Visitor for Scoped<'_, F> {
    fn expression(&mut self, expression: &Expr) {
        (self.seen)(&self.scope, expression);
    }

    fn enter(&mut self, query: &Query) {
        self.scope.enter(query);
    }

    fn leave(&mut self, _: &Query) {
        self.scope.leave();
    }
}
