//! Numbers that the engine keeps otherwise than OPA, which would show in silence: as another text, or as another last
//! digit where they are compared.

use super::super::{LoadedSource, walk};
use crate::Diagnostic;
use crate::engine::Value;
use regorus::unstable::{ArithOp, Expr, Span};
use std::collections::BTreeSet;

/// From here on OPA prints a number with an exponent, unless it was written as a whole one.
const PRINTED_WHOLE: f64 = 1e6;

/// One finding per number, and a warning per quotient that is calculated with.
pub(super) fn check(sources: &[LoadedSource]) -> Vec<Diagnostic> {
    let mut diagnostics = vec![];
    for source in sources {
        let mut numbers = Numbers { source, calculated: BTreeSet::new(), diagnostics: vec![] };
        source.module().policy.iter().for_each(|rule| walk::rule(rule, &mut numbers));
        diagnostics.append(&mut numbers.diagnostics);
    }
    diagnostics
}

struct Numbers<'s> {
    source: &'s LoadedSource,
    /// What is only compared or calculated with: nobody sees how it is written.
    calculated: BTreeSet<u32>,
    diagnostics: Vec<Diagnostic>,
}

impl walk::Visitor for Numbers<'_> {
    fn expression(&mut self, expression: &Expr) {
        match expression {
            Expr::BoolExpr { lhs, rhs, .. } => self.calculated.extend([lhs.eidx(), rhs.eidx()]),
            Expr::ArithExpr { op, lhs, rhs, .. } => {
                self.calculated.extend([lhs.eidx(), rhs.eidx()]);
                [lhs, rhs].into_iter().for_each(|operand| self.operand(op, operand));
            }
            Expr::Number { span, value, eidx } if !self.calculated.contains(eidx) => self.written(span, value),
            _ => {}
        }
    }
}

impl Numbers<'_> {
    /// A number that others see: OPA prints a whole one with an exponent where it is large and was written as a fraction.
    fn written(&mut self, span: &Span, value: &Value) {
        let (text, kept) = (span.text(), value.to_string());
        // Tests only hold such numbers against results.
        let is_test = self.source.path.ends_with("_test.rego");
        let as_float = if let Value::Number(number) = value { number.as_f64() } else { None };
        let is_large = as_float.is_some_and(|number| number.fract() == 0.0 && number.abs() >= PRINTED_WHOLE);
        if text.contains(['.', 'e', 'E']) && is_large && !is_test {
            let message = format!("`{text}` is kept as {kept} here, and OPA would print it otherwise");
            self.find(span, message, &format!("Write `{kept}`, which is the same number to both."));
        }
    }

    /// A part of a sum or a product. Only fractions of two are exact, and OPA has more digits for all others.
    fn operand(&mut self, of: &ArithOp, operand: &Expr) {
        match operand {
            Expr::Number { span, value, .. } if !is_exact(value) => {
                let message = format!("`{}` is no exact number, and OPA calculates with more digits", span.text());
                self.find(span, message, "Calculate with whole numbers: `x * 8 / 10` for `x * 0.8`.");
            }
            Expr::ArithExpr { span, op: ArithOp::Div, .. } if !matches!(of, ArithOp::Mod) => {
                let message = "a quotient that is calculated with may differ from OPA's in its last digit";
                let finding = self.finding(span, message.into(), "Divide last: `a * 100 / b` for `a / b * 100`.");
                self.diagnostics.push(finding.warning_only());
            }
            _ => {}
        }
    }

    fn find(&mut self, span: &Span, message: String, help: &str) {
        let finding = self.finding(span, message, help);
        self.diagnostics.push(finding);
    }

    fn finding(&self, span: &Span, message: String, help: &str) -> Diagnostic {
        let range = span.start as usize..span.end as usize;
        self.source.diagnostic(range, message).help(help)
    }
}

/// Whether the number is what its author wrote, and not the nearest to it.
fn is_exact(value: &Value) -> bool {
    let Value::Number(number) = value else { return true };
    number.is_integer() || number.as_f64().is_some_and(|number| (number * f64::from(1 << 20)).fract() == 0.0)
}
