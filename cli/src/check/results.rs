//! The check as results, for the formats that all commands share: a pass per policy, a failure per error.

use super::Checked;
use crate::output::{Entry, Group, Place, Results, Status};
use std::collections::BTreeMap;
use std::path::Path;
use writ_policy::Diagnostic;

pub(super) fn of(checked: &Checked, dir: &Path) -> Results {
    let mut groups: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    for policy in &checked.report.check.policies {
        let entry = Entry { name: policy.code.as_str().to_owned(), ..Entry::passed() };
        groups.entry(path(dir, &policy.path)).or_default().push(entry);
    }
    for diagnostic in &checked.diagnostics {
        groups.entry(path(dir, &diagnostic.path)).or_default().push(entry(diagnostic));
    }
    let group = |(file, entries)| Group { file, namespace: "check".to_owned(), entries };
    Results { groups: groups.into_iter().map(group).collect(), ..Results::default() }
}

/// As seen from where the command was run, so that a pull request's files are found.
pub(crate) fn path(dir: &Path, path: &str) -> String {
    let path = dir.components().as_path().join(path);
    path.strip_prefix(".").unwrap_or(&path).to_string_lossy().into_owned()
}

fn entry(diagnostic: &Diagnostic) -> Entry {
    let (status, rule) =
        if diagnostic.is_error() { (Status::Failed, "check/error") } else { (Status::Warned, "check/warning") };
    Entry {
        rule: rule.to_owned(),
        place: Place { file: None, line: diagnostic.line, column: diagnostic.column },
        help: diagnostic.help.clone().unwrap_or_default(),
        ..Entry::new(status, diagnostic.message.as_str())
    }
}
