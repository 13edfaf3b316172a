//! `x in xs` has no value when `xs` is undefined. The engine says that it is false, which is the same for a statement of
//! its own and another thing within one or as a rule's value: `b := "a" in input.names`. So there what it looks at is
//! evaluated before.

use super::super::edit::{Edit, Piece};
use super::super::token::Token;
use super::super::walk::{self, Visitor};
use super::negation::RESERVED;
use super::place::{is_alone_after_if, whole};
use regorus::unstable::{Expr, Literal, LiteralStmt, Module, Query, Rule, RuleHead, Span, WithModifier};

/// The edits for statements that hold such an expression.
pub(crate) fn edits(text: &str, tokens: &[Token], module: &Module) -> Vec<Edit> {
    let mut statements = Statements { text, tokens, count: 0, edits: vec![] };
    for rule in &module.policy {
        walk::rule(rule, &mut statements);
        statements.value(rule, module.rego_v1);
    }
    statements.edits
}

struct Statements<'t> {
    text: &'t str,
    tokens: &'t [Token],
    count: usize,
    edits: Vec<Edit>,
}

impl Visitor for Statements<'_> {
    fn statement(&mut self, statement: &LiteralStmt) {
        let Literal::Expr { expr, .. } = &statement.literal else { return };
        let is_whole = matches!(expr.as_ref(), Expr::Membership { .. });
        let mut looked_at = LookedAt { depth: 0, is_whole, operands: vec![] };
        walk::expression(expr, &mut looked_at);
        if !looked_at.operands.is_empty() {
            self.evaluate_before(statement, &looked_at.operands, &statement.with_mods);
        }
    }
}

impl Statements<'_> {
    /// The value of a rule's head: what it looks at becomes a statement of the body, which may have to be made.
    fn value(&mut self, rule: &Rule, is_v1: bool) {
        let Rule::Spec { head: RuleHead::Compr { assign, .. } | RuleHead::Func { assign, .. }, bodies, .. } = rule
        else {
            return;
        };
        let Some(assign) = assign else { return };
        let mut looked_at = LookedAt { depth: 0, is_whole: false, operands: vec![] };
        walk::expression(&assign.value, &mut looked_at);
        if looked_at.operands.is_empty() {
            return;
        }
        match bodies.first().map(|body| body.query.stmts.first()) {
            Some(Some(statement)) => self.evaluate_before(statement, &looked_at.operands, &[]),
            Some(None) => {}
            None => {
                let end = whole(self.text, self.tokens, assign.value.span()).end;
                let mut pieces = vec![Piece::New(if is_v1 { " if { " } else { " { " }.into())];
                for operand in &looked_at.operands {
                    let (name, operand) = self.named(operand);
                    pieces.extend([Piece::New(format!("{name} := ")), Piece::Own(operand), Piece::New("; ".into())]);
                }
                pieces.push(Piece::New("true }".into()));
                self.edits.push(Edit { range: end..end, pieces });
            }
        }
    }

    /// A name of its own for what is looked at, in whose place it stands from now on.
    fn named(&mut self, operand: &Span) -> (String, std::ops::Range<usize>) {
        self.count += 1;
        let (name, operand) = (format!("{RESERVED}_in{}", self.count), whole(self.text, self.tokens, operand));
        self.edits.push(Edit::replace(operand.clone(), name.clone()));
        (name, operand)
    }

    fn evaluate_before(&mut self, statement: &LiteralStmt, operands: &[Span], modifiers: &[WithModifier]) {
        let range = whole(self.text, self.tokens, &statement.span);
        let alone = is_alone_after_if(self.text, self.tokens, range.start);
        let mut pieces = vec![Piece::New(if alone { "{ " } else { "" }.into())];
        for operand in operands {
            let (name, operand) = self.named(operand);
            pieces.extend([Piece::New(format!("{name} := ")), Piece::Own(operand)]);
            for modifier in modifiers {
                pieces.extend([Piece::New(" ".into()), Piece::Own(whole(self.text, self.tokens, &modifier.span))]);
            }
            pieces.push(Piece::New("; ".into()));
        }
        self.edits.push(Edit { range: range.start..range.start, pieces });
        if alone {
            self.edits.push(Edit::insert(range.end, " }"));
        }
    }
}

/// The references that expressions with `in` look at, outside of comprehensions.
struct LookedAt {
    depth: usize,
    is_whole: bool,
    operands: Vec<Span>,
}

impl Visitor for LookedAt {
    fn expression(&mut self, expression: &Expr) {
        let Expr::Membership { value, collection, .. } = expression else { return };
        if self.depth > 0 || std::mem::take(&mut self.is_whole) {
            return;
        }
        let references = [value, collection].into_iter().filter(|operand| is_reference(operand));
        self.operands.extend(references.map(|operand| operand.span().clone()));
    }

    fn enter(&mut self, _: &Query) {
        self.depth += 1;
    }

    fn leave(&mut self, _: &Query) {
        self.depth -= 1;
    }
}

/// A reference whose keys are constant: others have many values.
fn is_reference(operand: &Expr) -> bool {
    match operand {
        Expr::RefDot { refr, .. } => matches!(refr.as_ref(), Expr::Var { .. }) || is_reference(refr),
        Expr::RefBrack { refr, index, .. } => {
            let constant = matches!(index.as_ref(), Expr::String { .. } | Expr::RawString { .. } | Expr::Number { .. });
            constant && (matches!(refr.as_ref(), Expr::Var { .. }) || is_reference(refr))
        }
        _ => false,
    }
}
