//! A function's argument that stands twice (`f(x, x)`) must be the same both times. The engine takes the last one.

use super::super::LoadedSource;
use super::super::walk::{self, Visitor};
use crate::Diagnostic;
use regorus::unstable::{Expr, Rule, RuleHead, Span};
use std::collections::BTreeSet;

/// One finding per name that stands again.
pub(super) fn check(sources: &[LoadedSource]) -> Vec<Diagnostic> {
    let mut findings = vec![];
    for source in sources {
        for rule in &source.module().policy {
            let Rule::Spec { head: RuleHead::Func { args, .. }, .. } = rule.as_ref() else { continue };
            let mut variables = Variables::default();
            args.iter().for_each(|argument| walk::expression(argument, &mut variables));
            findings.extend(variables.again.iter().map(|span| {
                let range = span.start as usize..span.end as usize;
                source
                    .diagnostic(range, format!("the argument `{}` stands twice", span.text()))
                    .help("Give each its own name and compare them in the body.")
            }));
        }
    }
    findings
}

#[derive(Default)]
struct Variables {
    seen: BTreeSet<String>,
    again: Vec<Span>,
}

impl Visitor for Variables {
    fn expression(&mut self, expression: &Expr) {
        let Expr::Var { span, .. } = expression else { return };
        if span.text() != "_" && !self.seen.insert(span.text().to_owned()) {
            self.again.push(span.clone());
        }
    }
}
