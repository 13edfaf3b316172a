//! Every folder of `tests/cases`: a small repository, perhaps a review, and what must come of them in `expected.txt`.
//! `settings.json` stands in for the cluster's settings, `namespaces/NAME.json` for what the cluster knows. When a
//! case differs, what came is written below the target folder, to be looked at and copied.

use crate::files;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use writ_policy::{Budget, Decided, Inventory, PolicySet, Settings, answer};

struct Known(BTreeMap<String, Arc<str>>);

impl Inventory for Known {
    fn namespace(&self, name: &str) -> Option<Arc<str>> {
        self.0.get(name).cloned()
    }
}

#[test]
fn cases_end_as_expected() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut folders: Vec<_> = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let mut differing = vec![];
    for folder in &folders {
        let name = folder.file_name().unwrap().to_str().unwrap();
        let actual = outcome(folder);
        if std::fs::read_to_string(folder.join("expected.txt")).unwrap_or_default() != actual {
            let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.txt"));
            std::fs::write(&copy, &actual).unwrap();
            differing.push(format!("{name} gave (see {}):\n{actual}", copy.display()));
        }
    }
    assert!(folders.len() > 5, "the cases were not found");
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

fn outcome(folder: &Path) -> String {
    let mut files = files::read(folder);
    files.retain(|file| !file.path.ends_with(".json"));
    let read = |name: &str| std::fs::read(folder.join(name)).ok();
    let settings: Settings =
        read("settings.json").map_or_else(Settings::default, |text| serde_json::from_slice(&text).unwrap());
    let (mut policies, report) = PolicySet::load(&files, &settings);
    let mut said = String::new();
    for finding in &report.diagnostics {
        writeln!(said, "{finding}").unwrap();
        finding.help.iter().for_each(|help| writeln!(said, "    {help}").unwrap());
    }
    if let Some(review) = read("review.json").filter(|_| report.is_ok()) {
        match policies.decide(&review, &namespaces(folder), &Budget::default(), 0) {
            Ok(decided) => describe(&mut said, &decided),
            Err(error) => writeln!(said, "{error}").unwrap(),
        }
    }
    said
}

fn describe(said: &mut String, decided: &Decided) {
    let Decided { facts, decision } = decided;
    writeln!(said, "{} {} {}/{} of {}", facts.operation, facts.kind, facts.namespace, facts.name, facts.workload)
        .unwrap();
    for result in &decision.results {
        let action = result.action().map_or("none", |action| action.as_str());
        writeln!(said, "{} {action}: {:?}", result.policy.code, result.outcome).unwrap();
    }
    let answer = serde_json::from_slice(&answer(facts, decision, Some("abc"))).unwrap();
    writeln!(said, "{:#}", sorted(answer)).unwrap();
}

/// Built with the whole workspace, serde_json keeps the order of keys; alone it sorts them.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let map: BTreeMap<_, _> = map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            Value::Object(map.into_iter().collect())
        }
        other => other,
    }
}

fn namespaces(folder: &Path) -> Known {
    let Ok(entries) = std::fs::read_dir(folder.join("namespaces")) else { return Known(BTreeMap::new()) };
    let read = |path: std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, std::fs::read_to_string(path).unwrap().into())
    };
    Known(entries.map(|entry| read(entry.unwrap().path())).collect())
}
