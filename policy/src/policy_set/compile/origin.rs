//! What a program was made of. A thread that applies one bundle after another makes only those programs again that a commit
//! has changed.

use super::Said;
use crate::catalog::Module;
use crate::gatekeeper::Template;
use crate::policy_set::program::Program;
use crate::{Digest, team::Team};
use std::collections::HashMap;

/// What a program was made of, and what is asked of it before anything is judged.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    /// Of all that it was made of.
    pub digest: Digest,
    /// Whether its rules look at replicated objects.
    pub wants_inventory: bool,
    /// Whether its author passes what cannot be evaluated.
    pub ignores_errors: bool,
    /// What its policy says of itself; nothing of a template, whose constraints speak.
    said: Option<Said>,
}

/// Programs that need not be made again.
pub(crate) type Known = HashMap<Digest, Origin>;

/// A program with its origin.
pub(crate) struct Made {
    pub origin: Origin,
    /// `None` when it is a known one.
    pub program: Option<Program>,
}

impl Made {
    pub(super) fn new(digest: Digest, program: Program, said: Option<&Said>) -> Self {
        let wants_inventory = program.wants_inventory();
        let ignores_errors = matches!(&program, Program::Cel(policy) if policy.ignores_errors());
        let origin = Origin { digest, wants_inventory, ignores_errors, said: said.cloned() };
        Self { origin, program: Some(program) }
    }

    pub(super) fn known(origin: &Origin) -> Self {
        Self { origin: origin.clone(), program: None }
    }
}

/// The known program of a policy, and what that says of itself.
pub(super) fn find(known: &Known, digest: Digest) -> Option<(Made, Said)> {
    let origin = known.get(&digest)?;
    Some((Made::known(origin), origin.said.clone()?))
}

/// Of a policy and all modules that it needs; the team is part of what it says of itself.
pub(super) fn of_modules(policy: &Module<'_>, modules: &[&Module<'_>]) -> Digest {
    let team: Option<&Team> = policy.team.as_deref();
    let mut parts = format!("{team:?}");
    for module in modules {
        parts += &format!("\0{}\0{}", module.file.path, module.digest);
    }
    Digest::of(parts)
}

/// Of a template without its constraints.
pub(super) fn of_template(template: &Template) -> Digest {
    Digest::of(format!("{template:?}"))
}
