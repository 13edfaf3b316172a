//! What is kept of a Rego file that was checked, so that a later check of a repository that differs little need not read
//! it again: what it declares and what it depends on.

use crate::catalog::{Module, Role, overlap};
use crate::{Digest, PolicyInfo};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A Rego file as the check saw it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckedModule {
    /// Path within the repository.
    pub path: String,
    /// Of its text.
    pub digest: Digest,
    /// `["writ", "policy_pdb"]`.
    pub package: Vec<String>,
    /// The paths below `data` that it names; an empty one stands for all of `data`.
    pub references: BTreeSet<Vec<String>>,
    /// What its `with` replaces: names that no other module must define any more.
    pub replaces: BTreeSet<Vec<String>>,
    /// Whether other modules use it and it neither judges nor tests.
    pub is_library: bool,
    /// The policy that it declares.
    pub policy: Option<CheckedPolicy>,
}

/// What the check of other files needs to know of a policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckedPolicy {
    /// Who it is.
    pub info: PolicyInfo,
    /// Its parameters with their defaults.
    pub parameters: serde_json::Map<String, serde_json::Value>,
}

impl CheckedModule {
    pub(super) fn of(module: &Module<'_>, policy: Option<CheckedPolicy>) -> Self {
        Self {
            path: module.file.path.clone(),
            digest: module.digest,
            package: module.outline.package.clone(),
            references: module.references().clone(),
            replaces: module.source.replaced_names().into_iter().collect(),
            is_library: module.role == Role::Library,
            policy,
        }
    }

    /// Whether what is found in this module may be another when a module of that package comes, goes or changes: when
    /// it names a part of the package, or one of the two packages is within the other.
    pub fn depends_on(&self, package: &[String]) -> bool {
        overlap(&self.package, package) || self.references.iter().any(|path| overlap(path, package))
    }
}
