//! JSON files as the data of unit tests, where `opa test` has them: those of the tests' own folder at the top of `data`, and
//! all files of the repository below the path of their folder.

use crate::SourceFile;
use crate::catalog::Module;
use crate::engine::Value;

/// The files whose data these modules can read, and what `data` is with them; `None` when there are none.
pub(super) struct TestData<'a> {
    pub files: Vec<&'a SourceFile>,
    data: serde_json::Value,
}

impl<'a> TestData<'a> {
    /// What the tests of `module`, which reaches `modules`, can see of `files`.
    pub(super) fn find(files: &'a [SourceFile], module: &Module<'_>, modules: &[&Module<'_>]) -> Self {
        let mut found = Self { files: vec![], data: serde_json::Value::Object(serde_json::Map::new()) };
        let own = folder(&module.file.path);
        for file in files.iter().filter(|file| file.path.ends_with(".json")) {
            let below: Vec<&str> = folder(&file.path).split('/').filter(|part| !part.is_empty()).collect();
            let reads = |path: &[&str]| modules.iter().any(|module| module.reads(path) && !path.is_empty());
            let is_own = folder(&file.path) == own;
            if !is_own && !reads(&below) {
                continue;
            }
            let Ok(value @ serde_json::Value::Object(_)) = serde_json::from_str(&file.text) else { continue };
            let keys: Vec<&str> = value.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
            if is_own && keys.iter().any(|key| reads(&[key])) {
                merge(&mut found.data, value.clone());
                found.files.push(file);
            } else if reads(&below) {
                merge(&mut found.data, nested(&below, value));
                found.files.push(file);
            }
        }
        found
    }

    /// `data` beside the modules, if there is any.
    pub(super) fn value(&self) -> Option<Value> {
        (!self.files.is_empty()).then(|| Value::from(self.data.clone()))
    }
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn nested(path: &[&str], value: serde_json::Value) -> serde_json::Value {
    path.iter().rev().fold(value, |value, key| serde_json::json!({ *key: value }))
}

/// Objects become one; of anything else the later file's counts.
fn merge(into: &mut serde_json::Value, value: serde_json::Value) {
    match (into, value) {
        (serde_json::Value::Object(into), serde_json::Value::Object(fields)) => {
            for (key, value) in fields {
                merge(into.entry(key).or_insert(serde_json::Value::Null), value);
            }
        }
        (into, value) => *into = value,
    }
}
