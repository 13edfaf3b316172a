//! The variables of one definition: which have a value at a place, in which slot, and who may give them one.

use super::{Fit, Unfit};
use crate::engine::load::walk::{self, Visitor};
use regorus::unstable::{AssignOp, Expr, Literal, LiteralStmt, Query};
use std::collections::{BTreeMap, BTreeSet};

/// A body, or a comprehension within it.
#[derive(Default)]
struct Level {
    /// The slots of what has a value.
    bound: BTreeMap<String, usize>,
    /// Every variable that occurs here and not in a query within.
    mentions: BTreeSet<String>,
    /// What `:=`, `some` and `every` make its own.
    declared: BTreeSet<String>,
    /// Whether nothing may be given a value, as within a negation.
    frozen: bool,
}

#[derive(Default)]
pub(super) struct Scope {
    levels: Vec<Level>,
    slots: usize,
}

/// What was bound at a point to which the planner may come back.
pub(super) struct Mark(BTreeMap<String, usize>);

impl Scope {
    /// The arguments of a function stand around its bodies.
    pub(super) fn new(arguments: usize) -> Self {
        Self { levels: vec![Level::default()], slots: arguments }
    }

    /// How many slots there are.
    pub(super) fn slots(&self) -> usize {
        self.slots
    }

    /// A new slot.
    pub(super) fn slot(&mut self) -> usize {
        self.slots += 1;
        self.slots - 1
    }

    /// Begins a query, whose results are these terms.
    pub(super) fn enter(&mut self, query: Option<&Query>, results: &[&Expr], own: &[&str]) -> Fit<()> {
        let mut seen = Seen::default();
        let mut declared: BTreeSet<String> = own.iter().map(|name| (*name).to_owned()).collect();
        results.iter().for_each(|result| walk::expression(result, &mut seen));
        for statement in query.into_iter().flat_map(|query| &query.stmts) {
            walk::statement(statement, &mut seen);
            declare(statement, &mut declared);
        }
        let is_known = |name: &String| {
            self.levels.iter().any(|level| {
                level.bound.contains_key(name) || level.mentions.contains(name) || level.declared.contains(name)
            })
        };
        // The engine lets an inner variable take the value of an outer one.
        if declared.iter().any(is_known) || declared.iter().any(|name| matches!(name.as_str(), "input" | "data")) {
            return Err(Unfit::Never);
        }
        self.levels.push(Level { bound: BTreeMap::new(), mentions: seen.names, declared, frozen: false });
        Ok(())
    }

    /// Ends the query.
    pub(super) fn leave(&mut self) {
        self.levels.pop();
    }

    /// The slot of a variable that has a value.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.levels.iter().rev().find_map(|level| level.bound.get(name).copied())
    }

    /// Whether the name is declared to be a variable here.
    pub(super) fn is_declared(&self, name: &str) -> bool {
        self.levels.iter().any(|level| level.declared.contains(name))
    }

    /// A slot for a variable that gets its value here.
    pub(super) fn bind(&mut self, name: &str) -> Fit<usize> {
        let Some((last, outer)) = self.levels.split_last_mut() else { return Err(Unfit::Never) };
        if last.frozen {
            return Err(Unfit::NotYet);
        }
        let is_shared = |level: &Level| level.mentions.contains(name) || level.declared.contains(name);
        if !last.declared.contains(name) && outer.iter().any(is_shared) {
            return Err(Unfit::NotYet);
        }
        self.slots += 1;
        last.bound.insert(name.to_owned(), self.slots - 1);
        Ok(self.slots - 1)
    }

    /// A wildcard gets a value here.
    pub(super) fn check_wildcard(&self) -> Fit<()> {
        if self.levels.last().is_some_and(|level| level.frozen) { Err(Unfit::Never) } else { Ok(()) }
    }

    /// Makes a variable of an argument that is already in a slot.
    pub(super) fn name_argument(&mut self, name: &str, slot: usize) -> Fit<()> {
        let level = &mut self.levels[0];
        let is_new = level.bound.insert(name.to_owned(), slot).is_none();
        if is_new && !matches!(name, "input" | "data") { Ok(()) } else { Err(Unfit::Never) }
    }

    /// From now on, and until it is told otherwise, nothing gets a value. What it was told before.
    pub(super) fn freeze(&mut self, frozen: bool) -> bool {
        let level = self.levels.last_mut().expect("there is always the level of the arguments");
        std::mem::replace(&mut level.frozen, frozen)
    }

    pub(super) fn mark(&self) -> Mark {
        Mark(self.levels.last().map(|level| level.bound.clone()).unwrap_or_default())
    }

    pub(super) fn restore(&mut self, mark: Mark, depth: usize) {
        self.levels.truncate(depth);
        if let Some(level) = self.levels.last_mut() {
            level.bound = mark.0;
            level.frozen = false;
        }
    }

    pub(super) fn depth(&self) -> usize {
        self.levels.len()
    }
}

/// The variables outside of inner queries.
#[derive(Default)]
struct Seen {
    depth: usize,
    names: BTreeSet<String>,
}

impl Visitor for Seen {
    fn expression(&mut self, expression: &Expr) {
        let mut root = expression;
        while let Expr::RefDot { refr, .. } | Expr::RefBrack { refr, .. } = root {
            root = refr;
        }
        if let Expr::Var { span, .. } = root
            && self.depth == 0
            && span.text() != "_"
        {
            self.names.insert(span.text().to_owned());
        }
    }

    fn enter(&mut self, _: &Query) {
        self.depth += 1;
    }

    fn leave(&mut self, _: &Query) {
        self.depth -= 1;
    }
}

/// The names that a statement makes its query's own.
fn declare(statement: &LiteralStmt, names: &mut BTreeSet<String>) {
    match &statement.literal {
        Literal::SomeVars { vars, .. } => names.extend(vars.iter().map(|name| name.text().to_owned())),
        Literal::SomeIn { key, value, .. } => {
            key.iter().chain([value]).for_each(|term| variables(term, names));
        }
        Literal::Expr { expr, .. } => {
            if let Expr::AssignExpr { op: AssignOp::ColEq, lhs, .. } = expr.as_ref() {
                variables(lhs, names);
            }
        }
        Literal::NotExpr { .. } | Literal::Every { .. } => {}
    }
}

/// The variables of a pattern.
fn variables(pattern: &Expr, names: &mut BTreeSet<String>) {
    match pattern {
        Expr::Var { span, .. } if span.text() != "_" => drop(names.insert(span.text().to_owned())),
        Expr::Array { items, .. } => items.iter().for_each(|item| variables(item, names)),
        Expr::Object { fields, .. } => fields.iter().for_each(|(_, _, value)| variables(value, names)),
        _ => {}
    }
}
