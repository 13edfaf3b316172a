//! The check as one JSON object.

use super::Checked;
use serde::Serialize;
use writ_policy::{Diagnostic, PolicyInfo};

#[derive(Serialize)]
struct Shown<'a> {
    ok: bool,
    errors: usize,
    warnings: usize,
    policies: &'a [PolicyInfo],
    diagnostics: &'a [Diagnostic],
}

pub(super) fn render(checked: &Checked) -> serde_json::Result<String> {
    serde_json::to_string_pretty(&Shown {
        ok: checked.is_ok(),
        errors: checked.errors(),
        warnings: checked.warnings(),
        policies: &checked.report.check.policies,
        diagnostics: &checked.diagnostics,
    })
}
