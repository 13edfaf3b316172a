//! A statement may name a term for the result of a call as one more argument: `net.cidr_merge(xs, ys)` is
//! `ys = net.cidr_merge(xs)`. The engine knows this of its own builtins only, so it is written out for Writ's.

use super::super::edit::{Edit, Piece};
use super::super::token::Token;
use super::super::walk::{self, Visitor};
use crate::engine::builtins;
use regorus::unstable::{Expr, Literal, LiteralStmt, Module};

/// The statements that have such an argument.
pub(crate) fn edits(text: &str, tokens: &[Token], module: &Module) -> Vec<Edit> {
    let mut outputs = Outputs { text, tokens, edits: vec![] };
    module.policy.iter().for_each(|rule| walk::rule(rule, &mut outputs));
    outputs.edits
}

struct Outputs<'t> {
    text: &'t str,
    tokens: &'t [Token],
    edits: Vec<Edit>,
}

impl Visitor for Outputs<'_> {
    fn statement(&mut self, statement: &LiteralStmt) {
        let Literal::Expr { expr, .. } = &statement.literal else { return };
        let Expr::Call { fcn, params, .. } = expr.as_ref() else { return };
        if builtins::arity_unknown_to_engine(fcn.span().text()).is_some_and(|arity| params.len() == arity + 1) {
            self.edits.extend(self.write_out(fcn.span().start as usize).into_iter().flatten());
        }
    }
}

impl Outputs<'_> {
    /// The last argument moves before the call that begins at a byte.
    fn write_out(&self, start: usize) -> Option<[Edit; 2]> {
        let first = self.tokens.partition_point(|token| token.range.start < start);
        let (mut depth, mut commas) = (0_usize, vec![]);
        for (at, token) in self.tokens.iter().enumerate().skip(first) {
            match token.text(self.text) {
                "(" | "[" | "{" => depth += 1,
                "," if depth == 1 => commas.push(at),
                ")" | "]" | "}" if depth > 1 => depth -= 1,
                ")" => return self.moved(start, &commas, at),
                _ => {}
            }
        }
        None
    }

    fn moved(&self, start: usize, commas: &[usize], closing: usize) -> Option<[Edit; 2]> {
        let (last, before) = commas.split_last()?;
        let is_trailing = last + 1 == closing;
        let (comma, end) = if is_trailing { (before.last()?, *last) } else { (last, closing) };
        let (comma, end) = (self.tokens[*comma].range.clone(), self.tokens[end].range.start);
        let pieces = vec![Piece::Own(comma.end..end), Piece::New(" = ".into())];
        let removed = Edit { range: comma.start..self.tokens[closing].range.start, pieces: vec![] };
        Some([Edit { range: start..start, pieces }, removed])
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::load;
    use crate::SourceFile;

    #[test]
    fn the_last_argument_becomes_the_left_side() {
        for (rule, expected) in [
            ("r { net.cidr_merge([\"a\", \"b\"], x) }", "r {  x = net.cidr_merge([\"a\", \"b\"]) }"),
            ("r { net.cidr_merge([\"a\"], x,) }", "r {  x = net.cidr_merge([\"a\"]) }"),
            ("r { net.cidr_merge([\"a\", \"b\"]) }", "r { net.cidr_merge([\"a\", \"b\"]) }"),
            ("r { count([1, 2], x) }", "r { count([1, 2], x) }"),
        ] {
            let file = SourceFile { path: "a.rego".into(), text: format!("package p\n{rule}").into() };
            let loaded = load(&file, true).unwrap();
            assert_eq!(loaded.text.split_once('\n').unwrap().1, expected);
        }
    }
}
