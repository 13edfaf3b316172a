//! OPA evaluates the arguments of a negated call outside of the negation: where an argument is undefined, so is the
//! rule. The engine evaluates them within it, where undefined becomes true. So what OPA hoists is hoisted here:
//! `not f(a.b)` becomes `h := a.b; not f(h)`.

use super::super::edit::{Edit, Piece};
use super::super::token::Token;
use super::super::walk::{self, Visitor};
use super::place::{is_alone_after_if, whole};
use regorus::unstable::{AssignOp, BoolOp, Expr, Literal, LiteralStmt, Module};
use std::collections::BTreeMap;
use std::ops::Range;

/// Names that begin so belong to this rewrite.
pub(crate) const RESERVED: &str = "__writ";

/// A wildcard that OPA calls unsafe, as a range of the text.
pub(crate) struct Unsafe(pub(crate) Range<usize>);

/// The variables that choose a part of a negated reference and occur nowhere outside of negations: unsafe, unless
/// they are rules. The engine would take any part.
pub(crate) fn unbound(module: &Module) -> Vec<(String, Range<usize>)> {
    let mut unbound = vec![];
    for rule in &module.policy {
        let mut counted = Occurrences::default();
        walk::rule(rule, &mut counted);
        for (name, range) in counted.chosen_by {
            if counted.all.get(&name) <= counted.negated.get(&name) {
                unbound.push((name, range));
            }
        }
    }
    unbound
}

/// How often each variable occurs in a rule, and how often of that within negations.
#[derive(Default)]
struct Occurrences {
    all: BTreeMap<String, usize>,
    negated: BTreeMap<String, usize>,
    chosen_by: Vec<(String, Range<usize>)>,
}

impl Visitor for Occurrences {
    fn expression(&mut self, expression: &Expr) {
        if let Expr::Var { span, .. } = expression {
            *self.all.entry(span.text().to_owned()).or_default() += 1;
        }
    }

    fn statement(&mut self, statement: &LiteralStmt) {
        let Literal::NotExpr { expr, .. } = &statement.literal else { return };
        let mut inner = Occurrences::default();
        walk::expression(expr, &mut inner);
        // What is negated within it is counted when its own statement is visited.
        for (name, count) in inner.all {
            let nested = inner.negated.get(&name).copied().unwrap_or(0);
            *self.negated.entry(name).or_default() += count.saturating_sub(nested);
        }
        let mut hoisted = Hoisted::default();
        hoisted.negated(expr);
        for variable in hoisted.chosen_by {
            let span = variable.span();
            self.chosen_by.push((span.text().to_owned(), span.start as usize..span.end as usize));
        }
    }
}

/// The edits of one pass; a negation within what was moved waits for the next one. `pass` keeps the names apart.
pub(crate) fn edits(text: &str, tokens: &[Token], module: &Module, pass: usize) -> Result<Vec<Edit>, Unsafe> {
    let mut negations = Negations { text, tokens, pass, count: 0, edits: vec![], wrong: None };
    module.policy.iter().for_each(|rule| walk::rule(rule, &mut negations));
    match negations.wrong {
        Some(range) => Err(Unsafe(range)),
        None => Ok(negations.edits),
    }
}

struct Negations<'t> {
    text: &'t str,
    tokens: &'t [Token],
    pass: usize,
    count: usize,
    edits: Vec<Edit>,
    wrong: Option<Range<usize>>,
}

impl Visitor for Negations<'_> {
    fn statement(&mut self, statement: &LiteralStmt) {
        let Literal::NotExpr { expr, .. } = &statement.literal else { return };
        let mut hoisted = Hoisted::default();
        hoisted.negated(expr);
        if let Some(wildcard) = hoisted.wildcards.first() {
            self.wrong.get_or_insert(self.whole(wildcard));
        }
        if !hoisted.terms.is_empty() {
            self.hoist(statement, &hoisted.terms);
        }
    }
}

impl Negations<'_> {
    fn hoist(&mut self, statement: &LiteralStmt, terms: &[&Expr]) {
        let start = statement.span.start as usize;
        if self.edits.last().is_some_and(|edit| edit.range.end > start) {
            return; // It lies within a term that this pass moves.
        }
        let modifiers: Vec<_> =
            statement.with_mods.iter().map(|modifier| whole(self.text, self.tokens, &modifier.span)).collect();
        let alone = is_alone_after_if(self.text, self.tokens, start);
        let mut pieces = vec![Piece::New(if alone { "{ " } else { "" }.into())];
        let mut replaced = vec![];
        for term in terms {
            self.count += 1;
            let (name, range) = (format!("{RESERVED}{}_{}", self.pass, self.count), self.whole(term));
            pieces.extend([Piece::New(format!("{name} := ")), Piece::Own(range.clone())]);
            for modifier in &modifiers {
                pieces.extend([Piece::New(" ".into()), Piece::Own(modifier.clone())]);
            }
            pieces.push(Piece::New("; ".into()));
            replaced.push(Edit::replace(range, name));
        }
        self.edits.push(Edit { range: start..start, pieces });
        self.edits.extend(replaced);
        if alone {
            self.edits.push(Edit::insert(whole(self.text, self.tokens, &statement.span).end, " }"));
        }
    }

    fn whole(&self, expr: &Expr) -> Range<usize> {
        whole(self.text, self.tokens, expr.span())
    }
}

/// What a negated expression evaluates outside of the negation, as OPA's compiler does it.
#[derive(Default)]
struct Hoisted<'e> {
    terms: Vec<&'e Expr>,
    wildcards: Vec<&'e Expr>,
    /// Variables that choose a part of a reference; something outside of the negation must bind them.
    chosen_by: Vec<&'e Expr>,
}

impl<'e> Hoisted<'e> {
    fn negated(&mut self, expr: &'e Expr) {
        match expr {
            Expr::Call { params, .. } => params.iter().for_each(|param| self.operand(param)),
            Expr::AssignExpr { op: AssignOp::ColEq, rhs, .. } => self.term(rhs),
            Expr::AssignExpr { lhs, rhs, .. } | Expr::BoolExpr { op: BoolOp::Eq, lhs, rhs, .. } => {
                self.term(lhs);
                self.term(rhs);
            }
            Expr::BoolExpr { lhs, rhs, .. } | Expr::ArithExpr { lhs, rhs, .. } | Expr::BinExpr { lhs, rhs, .. } => {
                self.operand(lhs);
                self.operand(rhs);
            }
            Expr::Membership { key, value, collection, .. } => {
                key.iter().for_each(|key| self.operand(key));
                self.operand(value);
                self.operand(collection);
            }
            Expr::UnaryExpr { expr, .. } => self.operand(expr),
            Expr::RefDot { .. } | Expr::RefBrack { .. } => self.term(expr),
            _ => {}
        }
    }

    /// The operand of a call or an operator: references move whole.
    fn operand(&mut self, expr: &'e Expr) {
        match expr {
            Expr::RefDot { .. } | Expr::RefBrack { .. } => {
                self.note_wildcards(expr);
                self.terms.push(expr);
            }
            Expr::Call { .. }
            | Expr::ArithExpr { .. }
            | Expr::BinExpr { .. }
            | Expr::BoolExpr { .. }
            | Expr::UnaryExpr { .. }
            | Expr::Membership { .. } => self.terms.push(expr),
            Expr::Array { items, .. } | Expr::Set { items, .. } => items.iter().for_each(|item| self.operand(item)),
            Expr::Object { fields, .. } => fields.iter().for_each(|(_, key, value)| {
                self.operand(key);
                self.operand(value);
            }),
            Expr::Var { span, .. } if span.text() == "_" => self.wildcards.push(expr),
            _ => {}
        }
    }

    /// A whole statement or a side of an equality: references stay, what indexes them moves.
    fn term(&mut self, expr: &'e Expr) {
        match expr {
            Expr::RefDot { refr, .. } => self.term(refr),
            Expr::RefBrack { refr, index, .. } => {
                self.term(refr);
                self.note_key(index);
                self.operand(index);
            }
            other => self.operand(other),
        }
    }

    fn note_wildcards(&mut self, reference: &'e Expr) {
        match reference {
            Expr::RefDot { refr, .. } => self.note_wildcards(refr),
            Expr::RefBrack { refr, index, .. } => {
                self.note_wildcards(refr);
                self.note_key(index);
            }
            Expr::Var { span, .. } if span.text() == "_" => self.wildcards.push(reference),
            _ => {}
        }
    }

    fn note_key(&mut self, key: &'e Expr) {
        match key {
            Expr::Var { span, .. } if span.text() != "_" => self.chosen_by.push(key),
            other => self.note_wildcards(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::load;
    use crate::SourceFile;

    fn rewritten(rule: &str) -> Result<String, String> {
        let file =
            SourceFile { path: "a.rego".into(), text: format!("package p\nimport future.keywords\n{rule}").into() };
        match load(&file, true) {
            Ok(loaded) => Ok(loaded.text.splitn(3, '\n').nth(2).unwrap().to_owned()),
            Err(found) => Err(found[0].to_string()),
        }
    }

    #[test]
    fn arguments_are_evaluated_outside_of_the_negation() {
        for (rule, expected) in [
            ("r { not f(input.a, 1) }", "r { __writ1_1 := input.a; not f(__writ1_1, 1) }"),
            ("r { not f(g(input.a)) }", "r { __writ1_1 := g(input.a); not f(__writ1_1) }"),
            ("r if not f(\"a\" in xs)", "r if { __writ1_1 := \"a\" in xs; not f(__writ1_1) }"),
            (
                "r { not f(x == \"a\") with input as \"b\" }",
                "r { __writ1_1 := x == \"a\" with input as \"b\"; not f(__writ1_1) with input as \"b\" }",
            ),
            ("r { not input.a[input.b] == 1 }", "r { __writ1_1 := input.b; not input.a[__writ1_1] == 1 }"),
            (
                "r { not f({x | not g(x.y)}) > 1 }",
                "r { __writ1_1 := f({x | __writ2_1 := x.y; not g(__writ2_1)}); not __writ1_1 > 1 }",
            ),
        ] {
            assert_eq!(rewritten(rule).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn what_has_nothing_to_evaluate_stays() {
        for rule in ["r { not f(x) }", "r { not input.a }", "r { not input.a[_] == 9 }", "r { not input.a == [1, x] }"]
        {
            if rule.contains('_') {
                assert!(rewritten(rule).unwrap_err().contains("`_` in a negation is unsafe"));
            } else {
                assert_eq!(rewritten(rule).as_deref(), Ok(rule));
            }
        }
    }
}
