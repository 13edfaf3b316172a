//! Classes of clusters that are served a part of the files: the part must have all that it needs. A name that leads
//! nowhere is undefined, and a policy that hangs on it would pass in silence.

use super::fleet::Declared;
use crate::Diagnostic;
use crate::catalog::{Catalog, Module, Role};
use crate::fleet::Class;

pub(super) fn check(catalog: &Catalog<'_>) -> Vec<Diagnostic> {
    let classes = catalog.fleet.classes.iter();
    classes.flat_map(|class| lacks(catalog, class).into_iter().chain(is_idle(catalog, class))).collect()
}

/// Whether these files are what a class is served: names of the fleet may be about what is not.
pub(super) fn is_part(catalog: &Catalog<'_>, policies: &[Declared<'_>]) -> bool {
    let is_all = |class: &Class| {
        catalog.files.iter().all(|file| class.serves(file))
            && policies.iter().all(|policy| class.has(&policy.info.path))
    };
    catalog.fleet.classes.iter().any(is_all)
}

/// What the policies and libraries of the part need and the part has not.
fn lacks(catalog: &Catalog<'_>, class: &Class) -> Vec<Diagnostic> {
    let is_served = |module: &&Module<'_>| class.has(&module.file.path);
    let served = catalog.modules.iter().filter(is_served).filter(|module| module.role != Role::Test);
    let first_missing = |module: &Module<'_>| {
        let needed = catalog.closure(module).into_iter().find(|needed| !is_served(needed))?;
        let message = format!("clusters of class `{}` are served this, and not {}", class.name, needed.file.path);
        let help = "This needs that file: add it to `paths` of the class (fleet.yaml, `classes`).";
        Some(module.diagnostic(module.outline.place, message).help(help))
    };
    served.filter_map(first_missing).collect()
}

fn is_idle(catalog: &Catalog<'_>, class: &Class) -> Option<Diagnostic> {
    let file = catalog.fleet_file?;
    if catalog.files.iter().any(|file| class.has(&file.path)) {
        return None;
    }
    let message = format!("no file is at one of the `paths` of class `{}`", class.name);
    let help = "`*` stands for any text, `/` too: `common/*` is all below that folder.";
    Some(Diagnostic::warning(&file.path, message).help(help))
}
