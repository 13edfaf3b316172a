//! `.gitignore` and `.dockerignore`: one configuration, a list of its lines by kind.

use serde_json::{Value, json};

pub(super) fn parse(text: &str) -> Value {
    // A list of one list: the file is one configuration, not one per line.
    json!([text.lines().map(entry).collect::<Vec<Value>>()])
}

fn entry(line: &str) -> Value {
    let trimmed = line.trim();
    let (kind, value) = match trimmed {
        "" => ("Empty", ""),
        text if text.starts_with('#') => ("Comment", text.trim_start_matches('#').trim()),
        text if text.starts_with('!') => ("NegatedPath", &text[1..]),
        text => ("Path", text),
    };
    json!({"Kind": kind, "Value": value, "Original": line})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_by_kind() {
        let parsed = parse("# note\n.git\n!keep\n");
        let kinds: Vec<_> = parsed[0].as_array().unwrap().iter().map(|entry| entry["Kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["Comment", "Path", "NegatedPath"]);
        assert_eq!(parsed[0][2]["Value"], "keep");
    }
}
