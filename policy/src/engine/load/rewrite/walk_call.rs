//! `walk` has many results, one after the other. The engine gives them to a last argument (`walk(x, [path, value])`)
//! and gives none at all to `[path, value] := walk(x)`, so a call within a statement is written before it:
//! `walk(x, w); [path, value] := w`.

use super::super::edit::{Edit, Piece};
use super::super::token::Token;
use super::super::walk::{self, Visitor};
use super::negation::RESERVED;
use super::place::{is_alone_after_if, whole};
use regorus::unstable::{Expr, Literal, LiteralStmt, Module, Query, Span};
use std::ops::Range;

/// The edits for calls in statements that are not negated.
pub(crate) fn edits(text: &str, tokens: &[Token], module: &Module) -> Vec<Edit> {
    let mut calls = Calls { text, tokens, count: 0, edits: vec![] };
    module.policy.iter().for_each(|rule| walk::rule(rule, &mut calls));
    calls.edits
}

/// The first call that stands where its results cannot be followed.
pub(crate) fn lost(module: &Module) -> Option<Range<usize>> {
    let mut found = Found::default();
    module.policy.iter().for_each(|rule| walk::rule(rule, &mut found));
    found.all.first().map(|(span, _)| span.start as usize..span.end as usize)
}

struct Calls<'t> {
    text: &'t str,
    tokens: &'t [Token],
    count: usize,
    edits: Vec<Edit>,
}

impl Visitor for Calls<'_> {
    fn statement(&mut self, statement: &LiteralStmt) {
        let mut found = Found::default();
        match &statement.literal {
            Literal::Expr { expr, .. } => walk::expression(expr, &mut found),
            Literal::SomeIn { collection, .. } => walk::expression(collection, &mut found),
            Literal::Every { domain, .. } => walk::expression(domain, &mut found),
            Literal::NotExpr { .. } | Literal::SomeVars { .. } => {}
        }
        if !found.here.is_empty() {
            self.write_before(statement, &found.here);
        }
    }
}

impl Calls<'_> {
    fn write_before(&mut self, statement: &LiteralStmt, calls: &[(Span, Span)]) {
        let range = whole(self.text, self.tokens, &statement.span);
        let alone = is_alone_after_if(self.text, self.tokens, range.start);
        let mut pieces = vec![Piece::New(if alone { "{ " } else { "" }.into())];
        let mut replaced = vec![];
        for (call, argument) in calls {
            self.count += 1;
            let name = format!("{RESERVED}_walk{}", self.count);
            pieces.extend([
                Piece::New("walk(".into()),
                Piece::Own(whole(self.text, self.tokens, argument)),
                Piece::New(format!(", {name})")),
            ]);
            for modifier in &statement.with_mods {
                pieces.extend([Piece::New(" ".into()), Piece::Own(whole(self.text, self.tokens, &modifier.span))]);
            }
            pieces.push(Piece::New("; ".into()));
            replaced.push(Edit::replace(whole(self.text, self.tokens, call), name));
        }
        self.edits.push(Edit { range: range.start..range.start, pieces });
        self.edits.extend(replaced);
        if alone {
            self.edits.push(Edit::insert(range.end, " }"));
        }
    }
}

/// The calls with one argument: the range of each and of its argument.
#[derive(Default)]
struct Found {
    depth: usize,
    /// Outside of comprehensions, whose statements come by themselves.
    here: Vec<(Span, Span)>,
    all: Vec<(Span, Span)>,
}

impl Visitor for Found {
    fn expression(&mut self, expression: &Expr) {
        let Expr::Call { span, fcn, params, .. } = expression else { return };
        let [argument] = params.as_slice() else { return };
        if fcn.span().text() != "walk" {
            return;
        }
        let found = (span.clone(), argument.span().clone());
        self.all.push(found.clone());
        if self.depth == 0 {
            self.here.push(found);
        }
    }

    fn enter(&mut self, _: &Query) {
        self.depth += 1;
    }

    fn leave(&mut self, _: &Query) {
        self.depth -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::load;
    use crate::SourceFile;

    #[test]
    fn calls_are_written_before_their_statements() {
        for (rule, expected) in [
            (
                "r contains v if [_, v] := walk(input.a)",
                "r contains v if { walk(input.a, __writ_walk1); [_, v] := __writ_walk1 }",
            ),
            (
                "r := [v | [_, v] := walk(x[\"a\"]) with input as 1]",
                "r := [v | walk(x[\"a\"], __writ_walk1) with input as 1; [_, v] := __writ_walk1 with input as 1]",
            ),
            ("r if { walk(input, [p, v]) }", "r if { walk(input, [p, v]) }"),
        ] {
            let file = SourceFile { path: "a.rego".into(), text: format!("package p\n{rule}").into() };
            let loaded = load(&file, false).unwrap();
            assert_eq!(loaded.text.split_once('\n').unwrap().1, expected);
        }
    }

    #[test]
    fn calls_elsewhere_are_refused() {
        for rule in ["r := walk(input)", "r if not walk(input)", "r := [walk(input) | true]"] {
            let file = SourceFile { path: "a.rego".into(), text: format!("package p\n{rule}").into() };
            let found = load(&file, false).unwrap_err();
            assert!(found[0].to_string().contains("`walk` has many results"), "{}", found[0]);
        }
    }
}
