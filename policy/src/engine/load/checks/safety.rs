//! Variables that nothing binds, and signs before what is no number: OPA's compiler refuses the first, the engine
//! fails at the second only when it is reached.

use super::super::{LoadedSource, walk};
use super::symbols::{Symbols, imports, package};
use crate::Diagnostic;
use regorus::unstable::Expr;

/// One finding per variable and sign.
pub(super) fn check(sources: &[LoadedSource], symbols: &Symbols) -> Vec<Diagnostic> {
    let mut diagnostics = vec![];
    for source in sources {
        let (package, imports) = (package(source.module()), imports(source.module()));
        for (name, finding) in &source.unbound {
            let rule: Vec<_> = package.iter().chain([name]).cloned().collect();
            if symbols.reached(&rule).next().is_none() && !imports.contains_key(name) {
                diagnostics.push(finding.clone());
            }
        }
        let mut signs = Signs { source, diagnostics: vec![] };
        source.module().policy.iter().for_each(|rule| walk::rule(rule, &mut signs));
        diagnostics.append(&mut signs.diagnostics);
    }
    diagnostics
}

struct Signs<'s> {
    source: &'s LoadedSource,
    diagnostics: Vec<Diagnostic>,
}

impl walk::Visitor for Signs<'_> {
    fn expression(&mut self, expression: &Expr) {
        let Expr::UnaryExpr { expr, span, .. } = expression else { return };
        if !matches!(expr.as_ref(), Expr::Number { .. }) {
            let range = span.start as usize..span.end as usize;
            let finding = self.source.diagnostic(range, "a sign can only stand before a number");
            self.diagnostics.push(finding.help("Write `0 - x`."));
        }
    }
}
