//! `print` is for the author at the keyboard. As OPA does where nobody looks, a statement that prints is left out: it
//! would hold and write out what it is given, however large.

use super::super::edit::Edit;
use super::super::token::Token;
use super::super::walk::{self, Visitor};
use super::place::whole;
use regorus::unstable::{Expr, Literal, LiteralStmt, Module};

/// `true` in place of each such statement.
pub(crate) fn edits(text: &str, tokens: &[Token], module: &Module) -> Vec<Edit> {
    let mut prints = Prints { text, tokens, edits: vec![] };
    module.policy.iter().for_each(|rule| walk::rule(rule, &mut prints));
    prints.edits
}

struct Prints<'t> {
    text: &'t str,
    tokens: &'t [Token],
    edits: Vec<Edit>,
}

impl Visitor for Prints<'_> {
    fn statement(&mut self, statement: &LiteralStmt) {
        let Literal::Expr { expr, .. } = &statement.literal else { return };
        if let Expr::Call { fcn, span, .. } = expr.as_ref()
            && fcn.span().text() == "print"
        {
            self.edits.push(Edit::replace(whole(self.text, self.tokens, span), "true"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::load;
    use crate::SourceFile;

    #[test]
    fn printing_is_left_out() {
        let text = "package p\nr if { print(input.a, [1]); input.b }";
        let loaded = load(&SourceFile { path: "a.rego".into(), text: text.into() }, false).unwrap();
        assert_eq!(loaded.text, "package p\nr if { true; input.b }");
    }
}
