//! What OPA's compiler refuses and the engine notices late, silently or by overflowing its stack.

mod calls;
mod recursion;
mod references;
mod scope;
mod symbols;

use super::LoadedSource;
use crate::Diagnostic;
use symbols::Symbols;

/// All findings across the modules of one engine, in the order of their places.
pub(crate) fn check(sources: &[LoadedSource]) -> Vec<Diagnostic> {
    let symbols = Symbols::of(sources);
    let mut diagnostics = calls::check(sources, &symbols);
    diagnostics.extend(recursion::check(sources, &symbols));
    diagnostics.extend(references::check(sources, &symbols));
    diagnostics.sort_by(|a, b| (&a.path, a.line, a.column, &a.message).cmp(&(&b.path, b.line, b.column, &b.message)));
    diagnostics.dedup();
    diagnostics
}
