//! References to `data` that nothing here can fill: most often a package or a rule that is misspelt. Warnings only,
//! for data may also come from outside.

use super::super::{LoadedSource, walk};
use super::scope::{Scope, Scoped};
use super::symbols::{Name, Symbols, fixed_parts, imports, package};
use crate::{Diagnostic, Level};
use regorus::unstable::{Expr, LiteralStmt, Span};

/// What callers put under `data`: replicated objects in MagTape's and in Gatekeeper's form.
const FILLED_FROM_OUTSIDE: [&str; 2] = ["kubernetes", "inventory"];

/// One warning per import and reference that leads nowhere.
pub(super) fn check(sources: &[LoadedSource], symbols: &Symbols) -> Vec<Diagnostic> {
    let replaced: Vec<Name> = sources.iter().flat_map(replaced_names).collect();
    let leads_nowhere = |name: &Name| is_nowhere(name, symbols) && !replaced.iter().any(|known| related(known, name));
    let mut diagnostics = vec![];
    for source in sources {
        let (package, imports) = (package(source.module()), imports(source.module()));
        for import in &source.module().imports {
            let name = fixed_parts(&import.refr);
            if leads_nowhere(&name) {
                diagnostics.push(warning(source, import.refr.span(), &name));
            }
        }
        for rule in &source.module().policy {
            let seen = |scope: &Scope<'_>, expression: &Expr| {
                let is_reference = matches!(expression, Expr::RefDot { .. } | Expr::RefBrack { .. });
                let parts = fixed_parts(expression);
                if is_reference && parts.first().is_some_and(|first| first == "data") && !scope.is_local("data") {
                    diagnostics.extend(leads_nowhere(&parts).then(|| warning(source, expression.span(), &parts)));
                }
            };
            walk::rule(rule, &mut Scoped { scope: Scope::of(rule, &package, &imports), seen });
        }
    }
    diagnostics
}

fn is_nowhere(name: &Name, symbols: &Symbols) -> bool {
    let is_data = name.len() > 1 && name[0] == "data";
    let outside = is_data && FILLED_FROM_OUTSIDE.contains(&name[1].as_str());
    let in_package = symbols.packages.iter().any(|package| package.starts_with(name));
    is_data && !outside && !in_package && symbols.reached(name).next().is_none()
}

fn related(a: &Name, b: &Name) -> bool {
    a.starts_with(b) || b.starts_with(a)
}

/// The targets of `with`: tests fill what nothing else does.
pub(crate) fn replaced_names(source: &LoadedSource) -> Vec<Name> {
    struct Targets(Vec<Name>);
    impl walk::Visitor for Targets {
        fn statement(&mut self, statement: &LiteralStmt) {
            self.0.extend(statement.with_mods.iter().map(|modifier| fixed_parts(&modifier.refr)));
        }
    }
    let mut targets = Targets(vec![]);
    source.module().policy.iter().for_each(|rule| walk::rule(rule, &mut targets));
    targets.0
}

fn warning(source: &LoadedSource, span: &Span, name: &Name) -> Diagnostic {
    let finding = source.diagnostic(
        span.start as usize..span.end as usize,
        format!("nothing defines `{}`, so it is undefined", name.join(".")),
    );
    Diagnostic { level: Level::Warning, ..finding }.help("Check the spelling of the package and the rule.")
}
