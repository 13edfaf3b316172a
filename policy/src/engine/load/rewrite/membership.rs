//! `x in xs` has no value when `xs` is undefined. The engine says that it is false, which is the same for a statement of
//! its own and another thing within one: `b := "a" in input.names`. So there what it looks at is evaluated before.

use super::super::edit::{Edit, Piece};
use super::super::token::Token;
use super::super::walk::{self, Visitor};
use super::negation::RESERVED;
use super::place::{is_alone_after_if, whole};
use regorus::unstable::{Expr, Literal, LiteralStmt, Module, Query, Span};

/// The edits for statements that hold such an expression.
pub(crate) fn edits(text: &str, tokens: &[Token], module: &Module) -> Vec<Edit> {
    let mut statements = Statements { text, tokens, count: 0, edits: vec![] };
    module.policy.iter().for_each(|rule| walk::rule(rule, &mut statements));
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
            self.evaluate_before(statement, &looked_at.operands);
        }
    }
}

impl Statements<'_> {
    fn evaluate_before(&mut self, statement: &LiteralStmt, operands: &[Span]) {
        let range = whole(self.text, self.tokens, &statement.span);
        let alone = is_alone_after_if(self.text, self.tokens, range.start);
        let mut pieces = vec![Piece::New(if alone { "{ " } else { "" }.into())];
        for operand in operands {
            self.count += 1;
            let (name, operand) = (format!("{RESERVED}_in{}", self.count), whole(self.text, self.tokens, operand));
            pieces.extend([Piece::New(format!("{name} := ")), Piece::Own(operand.clone())]);
            for modifier in &statement.with_mods {
                pieces.extend([Piece::New(" ".into()), Piece::Own(whole(self.text, self.tokens, &modifier.span))]);
            }
            pieces.push(Piece::New("; ".into()));
            self.edits.push(Edit::replace(operand, name));
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
