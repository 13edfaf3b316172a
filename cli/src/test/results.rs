//! Tests as results, for the formats that all commands share.

use super::{Tested, short_name};
use crate::check::path;
use crate::output::{Entry, Group, Place, Results, Status};
use std::collections::BTreeMap;
use std::path::Path;
use writ_policy::unit_test::TestResult;

pub(super) fn of(tested: &Tested<'_>, dir: &Path) -> Results {
    let mut groups: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    for test in &tested.tests {
        groups.entry(path(dir, &test.path)).or_default().push(entry(test));
    }
    let group = |(file, entries)| Group { file, namespace: "test".to_owned(), entries };
    Results { groups: groups.into_iter().map(group).collect(), ..Results::default() }
}

fn entry(test: &TestResult) -> Entry {
    let status = match (&test.failure, test.skipped) {
        (Some(_), _) => Status::Failed,
        (None, true) => Status::Skipped,
        (None, false) => Status::Passed,
    };
    Entry {
        name: short_name(&test.name).to_owned(),
        rule: "test".to_owned(),
        place: Place { file: None, line: test.line, column: 0 },
        micros: Some(test.micros),
        ..Entry::new(status, test.failure.clone().unwrap_or_default())
    }
}
