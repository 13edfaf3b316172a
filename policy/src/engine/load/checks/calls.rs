//! Every call names a function that exists, with as many arguments as it takes.

use super::super::{LoadedSource, walk};
use super::scope::{Scope, Scoped};
use super::symbols::{Symbols, fixed_parts, imports, package};
use crate::Diagnostic;
use crate::engine::builtins::{self, Availability};
use regorus::unstable::{Expr, Literal, LiteralStmt, Ref};

/// One finding per call that cannot work.
pub(super) fn check(sources: &[LoadedSource], symbols: &Symbols) -> Vec<Diagnostic> {
    let mut diagnostics = vec![];
    for source in sources {
        let (package, imports) = (package(source.module()), imports(source.module()));
        for rule in &source.module().policy {
            let mut statements = Statements::default();
            walk::rule(rule, &mut statements);
            let seen = |scope: &Scope<'_>, expression: &Expr| {
                if let Expr::Call { fcn, params, .. } = expression {
                    let call = Call { source, fcn, given: params.len(), output: statements.has(expression) };
                    diagnostics.extend(call.finding(scope, symbols));
                }
            };
            walk::rule(rule, &mut Scoped { scope: Scope::of(rule, &package, &imports), seen });
        }
    }
    diagnostics
}

/// The calls that are whole statements: only these may name a variable for the result as one more argument.
#[derive(Default)]
struct Statements(Vec<u32>);

impl Statements {
    fn has(&self, call: &Expr) -> bool {
        self.0.contains(&call.eidx())
    }
}

impl walk::Visitor for Statements {
    fn statement(&mut self, statement: &LiteralStmt) {
        if let Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } = &statement.literal
            && matches!(expr.as_ref(), Expr::Call { .. })
        {
            self.0.push(expr.eidx());
        }
    }
}

struct Call<'c> {
    source: &'c LoadedSource,
    fcn: &'c Ref<Expr>,
    given: usize,
    output: bool,
}

impl Call<'_> {
    fn finding(&self, scope: &Scope<'_>, symbols: &Symbols) -> Option<Diagnostic> {
        let name = scope.resolve(self.fcn, symbols);
        match name.as_ref().and_then(|name| symbols.rules.get(name)) {
            Some(Some(arity)) => return self.arity_finding(*arity, self.output),
            Some(None) => return Some(self.is_a_rule()),
            None => {}
        }
        match builtins::availability(&fixed_parts(self.fcn).join("."), self.source.v0) {
            Some(Availability::Here { arity, takes_output }) => self.arity_finding(arity, self.output && takes_output),
            Some(Availability::Variadic) => None,
            Some(Availability::Refused { reason, help }) => {
                Some(self.at_name(format!("`{}` cannot be used: {reason}", self.shown())).help(help))
            }
            None => Some(self.unknown(scope, symbols)),
        }
    }

    fn shown(&self) -> &str {
        self.fcn.span().text()
    }

    fn at_name(&self, message: String) -> Diagnostic {
        let span = self.fcn.span();
        self.source.diagnostic(span.start as usize..span.end as usize, message)
    }

    fn arity_finding(&self, arity: usize, output: bool) -> Option<Diagnostic> {
        let fits = self.given == arity || (output && self.given == arity + 1);
        let (arguments, given) = (plural(arity), self.given);
        (!fits).then(|| self.at_name(format!("`{}` takes {arguments}, not {given}", self.shown())))
    }

    fn is_a_rule(&self) -> Diagnostic {
        self.at_name(format!("`{}` is a rule, not a function", self.shown())).help("Refer to it without parentheses.")
    }

    fn unknown(&self, scope: &Scope<'_>, symbols: &Symbols) -> Diagnostic {
        let finding = self.at_name(format!("there is no function `{}`", self.shown()));
        match nearest(self.shown(), &self.candidates(scope, symbols)) {
            Some(name) => finding.help(format!("Did you mean `{name}`?")),
            None => finding.help("Define it in this package, import the package that has it, or use a builtin."),
        }
    }

    /// The functions as they would be called from here, and the builtins.
    fn candidates(&self, scope: &Scope<'_>, symbols: &Symbols) -> Vec<String> {
        let mut names: Vec<String> = builtins::names(self.source.v0);
        for (name, _) in symbols.rules.iter().filter(|(_, arity)| arity.is_some()) {
            if let Some(own) = name.strip_prefix(scope.package) {
                names.push(own.join("."));
            }
            for (alias, target) in scope.imports {
                if let Some(rest) = name.strip_prefix(target.as_slice()).filter(|rest| !rest.is_empty()) {
                    names.push(format!("{alias}.{}", rest.join(".")));
                }
            }
            names.push(name.join("."));
        }
        names
    }
}

fn plural(count: usize) -> String {
    format!("{count} argument{}", if count == 1 { "" } else { "s" })
}

/// The candidate with the fewest changed letters, when they are few.
fn nearest(name: &str, candidates: &[String]) -> Option<String> {
    let limit = (name.len() / 3).clamp(1, 3);
    let distances = candidates.iter().filter(|candidate| candidate.len().abs_diff(name.len()) <= limit);
    distances
        .map(|candidate| (distance(name.as_bytes(), candidate.as_bytes()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate.clone())
}

/// Levenshtein's distance.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, right) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(left != right);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
