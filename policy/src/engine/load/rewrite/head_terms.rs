//! What a rule's head refers to is part of its body to OPA: `deny contains c.image if some c in cs` passes over the one
//! without an image. The engine forgets the others, too, so the term moves: `deny contains h if { some c in cs; h := c.image }`.

use super::super::edit::{Edit, Piece};
use super::super::token::Token;
use super::super::walk::{self, Visitor};
use super::negation::RESERVED;
use super::place::{is_alone_after_if, whole};
use regorus::unstable::{Expr, Module, Query, Rule, RuleBody, RuleHead};

/// The edits for all rules that have a body.
pub(crate) fn edits(text: &str, tokens: &[Token], module: &Module) -> Vec<Edit> {
    let mut heads = Heads { text, tokens, count: 0, edits: vec![] };
    for rule in &module.policy {
        if let Rule::Spec { head, bodies, .. } = rule.as_ref() {
            heads.rule(head, bodies);
        }
    }
    heads.edits
}

struct Heads<'t> {
    text: &'t str,
    tokens: &'t [Token],
    count: usize,
    edits: Vec<Edit>,
}

impl Heads<'_> {
    fn rule(&mut self, head: &RuleHead, bodies: &[RuleBody]) {
        let Some((first, others)) = bodies.split_first() else { return };
        let mut terms = vec![];
        match head {
            RuleHead::Compr { refr, assign, .. } => {
                keys(refr, &mut terms);
                terms.extend(assign.as_ref().map(|assign| assign.value.as_ref()));
            }
            RuleHead::Func { assign, .. } => terms.extend(assign.as_ref().map(|assign| assign.value.as_ref())),
            RuleHead::Set { refr, key, .. } => {
                keys(refr, &mut terms);
                terms.extend(key.as_deref());
            }
        }
        self.move_into(&first.query, &terms);
        for body in others {
            let terms: Vec<_> = body.assign.as_ref().map(|assign| assign.value.as_ref()).into_iter().collect();
            self.move_into(&body.query, &terms);
        }
    }

    fn move_into(&mut self, body: &Query, terms: &[&Expr]) {
        let (Some(first), Some(last)) = (body.stmts.first(), body.stmts.last()) else { return };
        let terms: Vec<_> = terms.iter().filter(|term| may_be_undefined(term)).collect();
        let (start, end) =
            (whole(self.text, self.tokens, &first.span).start, whole(self.text, self.tokens, &last.span).end);
        // A rule without a body has one that stands nowhere.
        if terms.is_empty() || start >= end {
            return;
        }
        let alone = is_alone_after_if(self.text, self.tokens, start);
        let mut pieces = vec![];
        for term in terms {
            self.count += 1;
            let (name, range) = (format!("{RESERVED}_head{}", self.count), whole(self.text, self.tokens, term.span()));
            pieces.extend([Piece::New(format!("; {name} := ")), Piece::Own(range.clone())]);
            self.edits.push(Edit::replace(range, name));
        }
        if alone {
            pieces.push(Piece::New(" }".into()));
            self.edits.push(Edit::insert(start, "{ "));
        }
        self.edits.push(Edit { range: end..end, pieces });
    }
}

/// The keys in a rule's name: `p[x][y]`.
fn keys<'e>(name: &'e Expr, terms: &mut Vec<&'e Expr>) {
    match name {
        Expr::RefDot { refr, .. } => keys(refr, terms),
        Expr::RefBrack { refr, index, .. } => {
            keys(refr, terms);
            terms.push(index);
        }
        _ => {}
    }
}

/// Whether a reference, a call or an operator is in it, outside of comprehensions.
fn may_be_undefined(term: &Expr) -> bool {
    let mut fallible = Fallible { depth: 0, found: false };
    walk::expression(term, &mut fallible);
    fallible.found
}

struct Fallible {
    depth: usize,
    found: bool,
}

impl Visitor for Fallible {
    fn expression(&mut self, expression: &Expr) {
        let never_fails = matches!(
            expression,
            Expr::String { .. }
                | Expr::RawString { .. }
                | Expr::Number { .. }
                | Expr::Bool { .. }
                | Expr::Null { .. }
                | Expr::Var { .. }
                | Expr::Array { .. }
                | Expr::Set { .. }
                | Expr::Object { .. }
                | Expr::ArrayCompr { .. }
                | Expr::SetCompr { .. }
                | Expr::ObjectCompr { .. }
        );
        self.found |= self.depth == 0 && !never_fails;
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
    fn what_may_be_undefined_moves_into_the_body() {
        for (v0, rule, expected) in [
            (
                false,
                "r contains c.image if some c in input.cs",
                "r contains __writ_head1 if { some c in input.cs; __writ_head1 := c.image }",
            ),
            (
                false,
                "r[c.name] := {\"a\": c.x} if {\n  some c in input.cs # all\n}",
                "r[__writ_head1] := __writ_head2 if {\n  some c in input.cs; __writ_head1 := c.name; __writ_head2 := {\"a\": c.x} # all\n}",
            ),
            (
                false,
                "r := 1 if { input.a } else := input.b if { input.c }",
                "r := 1 if { input.a } else := __writ_head1 if { input.c; __writ_head1 := input.b }",
            ),
            (true, "r[x.y] { x := input.a }", "r[__writ_head1] { x := input.a; __writ_head1 := x.y }"),
            (
                true,
                "r[{\"msg\": m, \"a\": {\"b\": m.b}}] { m := input.a }",
                "r[__writ_head1] { m := input.a; __writ_head1 := {\"msg\": m, \"a\": {\"b\": m.b}} }",
            ),
            (true, "r[{\"msg\": m}] { m := input.a }", "r[{\"msg\": m}] { m := input.a }"),
            (true, "r = input.a", "r = input.a"),
        ] {
            let file = SourceFile { path: "a.rego".into(), text: format!("package p\n{rule}").into() };
            let loaded = load(&file, v0).unwrap();
            assert_eq!(loaded.text.split_once('\n').unwrap().1, expected);
        }
    }
}
