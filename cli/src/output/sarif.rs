//! SARIF 2.1.0: one run, a rule for each that objected, a result for each objection. Exempted results are there and
//! suppressed, as the format has it.

use super::{Entry, Group, Results, Status};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

pub(super) fn render(results: &Results) -> serde_json::Result<String> {
    let found: Vec<(&Group, &Entry)> = results
        .groups
        .iter()
        .flat_map(|group| group.in_order().map(move |entry| (group, entry)))
        .filter(|(_, entry)| matches!(entry.status, Status::Failed | Status::Warned | Status::Exempted))
        .collect();
    let rules = rules(&found);
    let results_shown: Vec<Value> = found.iter().map(|(group, entry)| result(group, entry, &rules)).collect();
    let driver = json!({
        "name": "writ",
        "version": env!("CARGO_PKG_VERSION"),
        "rules": rules.values().map(|(_, rule)| rule.clone()).collect::<Vec<_>>(),
    });
    let invocation = json!({"executionSuccessful": true, "exitCode": results.exit_code(false)});
    let run = json!({
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [invocation],
        "results": results_shown,
    });
    serde_json::to_string_pretty(&json!({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}))
}

/// By id, with their position.
type Rules = BTreeMap<String, (usize, Value)>;

fn rules(found: &[(&Group, &Entry)]) -> Rules {
    let mut rules = Rules::new();
    for (group, entry) in found {
        rules.entry(rule_id(group, entry)).or_insert_with(|| (0, rule(group, entry)));
    }
    for (position, (_, known)) in rules.iter_mut().enumerate() {
        known.0 = position;
    }
    rules
}

fn rule_id(group: &Group, entry: &Entry) -> String {
    if entry.rule.is_empty() { group.namespace.clone() } else { entry.rule.clone() }
}

fn rule(group: &Group, entry: &Entry) -> Value {
    let title = entry.metadata.get("title").and_then(Value::as_str).filter(|title| !title.is_empty());
    let id = rule_id(group, entry);
    json!({"id": id, "name": id, "shortDescription": {"text": title.unwrap_or(&id)}})
}

fn result(group: &Group, entry: &Entry, rules: &Rules) -> Value {
    let id = rule_id(group, entry);
    let index = rules.get(&id).map_or(0, |(position, _)| *position);
    let level = match entry.status {
        Status::Failed => "error",
        Status::Warned => "warning",
        _ => "note",
    };
    let text = [entry.message.as_str(), &entry.help].join("\n");
    let mut result = json!({
        "ruleId": id,
        "ruleIndex": index,
        "level": level,
        "message": {"text": text.trim()},
        "locations": [{"physicalLocation": location(group, entry)}],
    });
    if !entry.metadata.is_empty() {
        result["properties"] = Value::Object(entry.metadata.clone());
    }
    if entry.status == Status::Exempted {
        result["suppressions"] = json!([{"kind": "external", "justification": entry.message}]);
    }
    result
}

fn location(group: &Group, entry: &Entry) -> Value {
    let mut location = Map::new();
    location.insert("artifactLocation".into(), json!({"uri": uri(group.file_of(entry))}));
    if entry.place.line > 0 {
        let mut region = json!({"startLine": entry.place.line});
        if entry.place.column > 0 {
            region["startColumn"] = entry.place.column.into();
        }
        location.insert("region".into(), region);
    }
    Value::Object(location)
}

/// A relative reference: what is no letter, digit or plain sign is written as its bytes.
fn uri(path: &str) -> String {
    let path = if path == "-" { "stdin" } else { path.strip_prefix("./").unwrap_or(path) };
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-~".contains(&byte);
    path.bytes().map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The members that the format requires, and the kinds of those that it knows.
    #[test]
    fn shape_is_that_of_the_standard() {
        let text = render(&super::super::samples::results()).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((value["version"].as_str(), value["runs"].as_array().unwrap().len()), (Some("2.1.0"), 1));
        let run = &value["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        assert!(run["tool"]["driver"]["name"].is_string());
        let results = run["results"].as_array().unwrap();
        assert_eq!((rules.len(), results.len()), (2, 3));
        for result in results {
            let index = result["ruleIndex"].as_u64().unwrap() as usize;
            assert_eq!(rules[index]["id"], result["ruleId"]);
            assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
            assert!(!result["message"]["text"].as_str().unwrap().is_empty());
            let place = &result["locations"][0]["physicalLocation"];
            assert_eq!(place["artifactLocation"]["uri"], "a%2Cb.yaml");
        }
        assert_eq!(results[0]["locations"][0]["physicalLocation"]["region"], json!({"startLine": 3, "startColumn": 5}));
        assert_eq!(results[2]["suppressions"][0]["kind"], "external");
    }
}
