//! References to a whole package. The machine gives rules without a value a place in it.

use crate::engine::load::LoadedSource;
use crate::engine::module::path;
use regorus::unstable::{Expr, Import};
use std::collections::BTreeMap;

/// All packages, and what the names that one source imports stand for.
pub(super) struct Packages<'a> {
    all: &'a [Vec<String>],
    imports: BTreeMap<String, Vec<String>>,
}

impl<'a> Packages<'a> {
    /// The packages of these sources.
    pub(super) fn all(sources: &[&LoadedSource]) -> Vec<Vec<String>> {
        sources.iter().map(|source| path(&format!(".{}", source.module().package.refr.span().text()))).collect()
    }

    /// As one source names them.
    pub(super) fn seen_by(source: &LoadedSource, all: &'a [Vec<String>]) -> Self {
        Self { all, imports: source.module().imports.iter().filter_map(imported).collect() }
    }

    /// Whether a reference ends at a package, or above one.
    pub(super) fn is_whole(&self, reference: &Expr) -> bool {
        let mut named = path(&format!(".{}", reference.span().text()));
        let Some(root) = named.first().cloned() else { return false };
        let below = named.split_off(1);
        let path = match self.imports.get(&root) {
            Some(import) => [import.clone(), below].concat(),
            None if root == "data" => below,
            None => return false,
        };
        self.all.iter().any(|package| package.starts_with(&path))
    }
}

fn imported(import: &Import) -> Option<(String, Vec<String>)> {
    let mut named = path(&format!(".{}", import.refr.span().text()));
    let name = import.r#as.as_ref().map(|name| name.text().to_owned()).or_else(|| named.last().cloned())?;
    let below = named.split_off(1);
    (named[0] == "data").then_some((name, below))
}
