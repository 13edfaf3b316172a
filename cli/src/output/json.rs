//! One JSON list with an object per file and namespace, in Conftest's shape, so that its readers read it too.

use super::{Entry, Group, Place, Results, Status};
use serde::Serialize;
use serde_json::{Map, Value};

#[derive(Serialize)]
struct Shown<'a> {
    filename: &'a str,
    namespace: &'a str,
    successes: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    skipped: Vec<ShownEntry<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<ShownEntry<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failures: Vec<ShownEntry<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exceptions: Vec<ShownEntry<'a>>,
}

#[derive(Serialize)]
struct ShownEntry<'a> {
    msg: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    loc: Option<Location<'a>>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    metadata: &'a Map<String, Value>,
}

#[derive(Serialize)]
struct Location<'a> {
    file: &'a str,
    line: u32,
}

pub(super) fn render(results: &Results) -> serde_json::Result<String> {
    serde_json::to_string_pretty(&results.groups.iter().map(shown).collect::<Vec<_>>())
}

fn shown(group: &Group) -> Shown<'_> {
    let entries = |status| group.with(status).map(|entry| shown_entry(group, entry)).collect();
    Shown {
        filename: if group.file == "-" { "" } else { &group.file },
        namespace: &group.namespace,
        successes: group.count(Status::Passed),
        skipped: entries(Status::Skipped),
        warnings: entries(Status::Warned),
        failures: entries(Status::Failed),
        exceptions: entries(Status::Exempted),
    }
}

fn shown_entry<'a>(group: &'a Group, entry: &'a Entry) -> ShownEntry<'a> {
    let known = entry.place != Place::default();
    let loc = known.then(|| Location { file: group.file_of(entry), line: entry.place.line });
    ShownEntry { msg: &entry.message, loc, metadata: &entry.metadata }
}

#[cfg(test)]
mod tests {
    #[test]
    fn shape_is_conftests() {
        let text = super::render(&super::super::samples::results()).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&value[0]["filename"], &value[0]["successes"]), (&"a,b.yaml".into(), &1.into()));
        assert_eq!(value[0]["failures"][0]["loc"], serde_json::json!({"file": "a,b.yaml", "line": 3}));
        assert_eq!(value[0]["exceptions"][0], serde_json::json!({"msg": "legacy"}));
        assert!(value[1].get("failures").is_none());
    }
}
