//! Every expression and statement of a rule, outermost first. What to make of them is the checks' business.

use regorus::unstable::{Expr, Literal, LiteralStmt, Query, Rule, RuleBody, RuleHead};

/// Looks at parts of a rule. Each method is called before the parts within are visited.
pub(crate) trait Visitor {
    /// A statement of a body or a comprehension.
    fn statement(&mut self, _statement: &LiteralStmt) {}
    /// An expression, wherever it stands.
    fn expression(&mut self, _expression: &Expr) {}
    /// A body or comprehension begins.
    fn enter(&mut self, _query: &Query) {}
    /// It ends.
    fn leave(&mut self, _query: &Query) {}
}

/// Visits a whole rule: head, bodies, comprehensions within.
pub(crate) fn rule(rule: &Rule, visitor: &mut impl Visitor) {
    match rule {
        Rule::Default { value, .. } => expression(value, visitor),
        Rule::Spec { head, bodies, .. } => {
            // The head's terms may name variables of the first body, so it is visited within it.
            match bodies.split_first() {
                Some((first, others)) => {
                    visitor.enter(&first.query);
                    rule_head(head, visitor);
                    body(first, visitor);
                    visitor.leave(&first.query);
                    others.iter().for_each(|other| else_body(other, visitor));
                }
                None => rule_head(head, visitor),
            }
        }
    }
}

fn else_body(other: &RuleBody, visitor: &mut impl Visitor) {
    visitor.enter(&other.query);
    body(other, visitor);
    visitor.leave(&other.query);
}

fn body(body: &RuleBody, visitor: &mut impl Visitor) {
    if let Some(assign) = &body.assign {
        expression(&assign.value, visitor);
    }
    statements(&body.query, visitor);
}

fn rule_head(head: &RuleHead, visitor: &mut impl Visitor) {
    match head {
        RuleHead::Compr { refr, assign, .. } => {
            head_keys(refr, visitor);
            assign.iter().for_each(|assign| expression(&assign.value, visitor));
        }
        RuleHead::Func { args, assign, .. } => {
            args.iter().for_each(|arg| expression(arg, visitor));
            assign.iter().for_each(|assign| expression(&assign.value, visitor));
        }
        RuleHead::Set { refr, key, .. } => {
            head_keys(refr, visitor);
            key.iter().for_each(|key| expression(key, visitor));
        }
    }
}

/// The keys in a rule's name (`p[x][y]`); the name itself is no reference.
fn head_keys(name: &Expr, visitor: &mut impl Visitor) {
    match name {
        Expr::RefDot { refr, .. } => head_keys(refr, visitor),
        Expr::RefBrack { refr, index, .. } => {
            head_keys(refr, visitor);
            expression(index, visitor);
        }
        _ => {}
    }
}

fn query(inner: &Query, visitor: &mut impl Visitor) {
    visitor.enter(inner);
    statements(inner, visitor);
    visitor.leave(inner);
}

fn statements(inner: &Query, visitor: &mut impl Visitor) {
    inner.stmts.iter().for_each(|stmt| statement(stmt, visitor));
}

/// Visits a statement and all within it.
pub(crate) fn statement(stmt: &LiteralStmt, visitor: &mut impl Visitor) {
    visitor.statement(stmt);
    literal(&stmt.literal, visitor);
    for modifier in &stmt.with_mods {
        expression(&modifier.r#as, visitor);
    }
}

fn literal(literal: &Literal, visitor: &mut impl Visitor) {
    match literal {
        Literal::SomeVars { .. } => {}
        Literal::SomeIn { key, value, collection, .. } => {
            key.iter().for_each(|key| expression(key, visitor));
            expression(value, visitor);
            expression(collection, visitor);
        }
        Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => expression(expr, visitor),
        Literal::Every { domain, query: inner, .. } => {
            expression(domain, visitor);
            query(inner, visitor);
        }
    }
}

/// Visits an expression and all within it.
pub(crate) fn expression(expr: &Expr, visitor: &mut impl Visitor) {
    visitor.expression(expr);
    match expr {
        Expr::Array { items, .. } | Expr::Set { items, .. } => items.iter().for_each(|item| expression(item, visitor)),
        Expr::Object { fields, .. } => fields.iter().for_each(|(_, key, value)| {
            expression(key, visitor);
            expression(value, visitor);
        }),
        Expr::ArrayCompr { term, query: inner, .. } | Expr::SetCompr { term, query: inner, .. } => {
            comprehension(&[term], inner, visitor);
        }
        Expr::ObjectCompr { key, value, query: inner, .. } => comprehension(&[key, value], inner, visitor),
        Expr::Call { params, .. } => params.iter().for_each(|param| expression(param, visitor)),
        Expr::UnaryExpr { expr, .. } => expression(expr, visitor),
        Expr::RefDot { .. } | Expr::RefBrack { .. } => within_reference(expr, visitor),
        Expr::BinExpr { lhs, rhs, .. }
        | Expr::BoolExpr { lhs, rhs, .. }
        | Expr::ArithExpr { lhs, rhs, .. }
        | Expr::AssignExpr { lhs, rhs, .. } => {
            expression(lhs, visitor);
            expression(rhs, visitor);
        }
        Expr::Membership { key, value, collection, .. } => {
            key.iter().for_each(|key| expression(key, visitor));
            expression(value, visitor);
            expression(collection, visitor);
        }
        Expr::String { .. }
        | Expr::RawString { .. }
        | Expr::Number { .. }
        | Expr::Bool { .. }
        | Expr::Null { .. }
        | Expr::Var { .. } => {}
    }
}

/// The keys of a reference and what it begins with, unless that is a name: a name is part of the reference.
fn within_reference(reference: &Expr, visitor: &mut impl Visitor) {
    match reference {
        Expr::RefDot { refr, .. } => within_reference(refr, visitor),
        Expr::RefBrack { refr, index, .. } => {
            within_reference(refr, visitor);
            expression(index, visitor);
        }
        Expr::Var { .. } => {}
        root => expression(root, visitor),
    }
}

fn comprehension(terms: &[&regorus::unstable::Ref<Expr>], inner: &Query, visitor: &mut impl Visitor) {
    visitor.enter(inner);
    terms.iter().for_each(|term| expression(term, visitor));
    statements(inner, visitor);
    visitor.leave(inner);
}
