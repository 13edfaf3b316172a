//! YAML: one value, or a list of the values of its documents. Booleans are read as Kubernetes reads them.

use super::{Parsed, Unreadable};
use serde_json::Value;

/// One document of a file and where it begins.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Document<'t> {
    /// Line of the first character, from 1.
    pub(crate) line: u32,
    pub(crate) text: &'t str,
}

/// A file of one document is its value, a file of several is a list.
pub(super) fn parse(text: &str) -> Parsed {
    let documents = documents(text);
    if let [only] = documents.as_slice() {
        return value(only);
    }
    documents.iter().map(value).collect::<Result<Vec<Value>, _>>().map(Value::Array)
}

/// The value of one document, with places of errors in the whole file; null when it is empty.
pub(crate) fn value(document: &Document<'_>) -> Parsed {
    if is_blank(document.text) {
        return Ok(Value::Null);
    }
    serde_saphyr::from_str(document.text).map_err(|error| {
        let place = error.location();
        let full = error.to_string();
        let first = full.lines().next().unwrap_or("not YAML").trim_start_matches("error: ");
        let reason =
            first.strip_prefix("line ").and_then(|placed| placed.split_once(": ")).map_or(first, |(_, rest)| rest);
        let (line, column) = place.map_or((1, 0), |place| (place.line() as usize, place.column() as usize));
        Unreadable::at(document.line as usize + line.saturating_sub(1), column, reason)
    })
}

/// Whether there is nothing but comments, document marks and white space.
pub(crate) fn is_blank(text: &str) -> bool {
    let is_empty = |line: &str| matches!(line.trim(), "" | "---" | "...") || line.trim_start().starts_with('#');
    text.lines().all(is_empty)
}

/// The documents between lines of `---`. A mark on the first line begins the first document.
pub(crate) fn documents(text: &str) -> Vec<Document<'_>> {
    let mut documents = vec![];
    let (mut start, mut start_line) = (0, 1);
    let (mut at, mut number) = (0, 1);
    for line in text.split_inclusive('\n') {
        let after = at + line.len();
        if is_mark(line) {
            let before = &text[start..at];
            // Directives belong to the document that the mark begins.
            if at > 0 && !before.starts_with('%') {
                documents.push(Document { line: start_line, text: before });
                (start, start_line) = (at, number);
            }
        }
        (at, number) = (after, number + 1);
    }
    documents.push(Document { line: start_line, text: &text[start..] });
    documents
}

fn is_mark(line: &str) -> bool {
    let line = line.trim_end();
    line == "---" || line.starts_with("--- ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_document_is_a_value_and_several_are_a_list() {
        assert_eq!(parse("a: 1\n").unwrap(), json!({"a": 1}));
        assert_eq!(parse("---\na: 1\n").unwrap(), json!({"a": 1}));
        assert_eq!(parse("a: 1\n---\nb: yes\n").unwrap(), json!([{"a": 1}, {"b": true}]));
        assert_eq!(parse("a: 1\n---\n# nothing\n").unwrap(), json!([{"a": 1}, null]));
        assert_eq!(parse("%YAML 1.1\n---\na: 1\n").unwrap(), json!({"a": 1}));
    }

    #[test]
    fn documents_know_their_lines_and_errors_are_placed_in_the_file() {
        let lines: Vec<u32> = documents("a: 1\n---\nb: 1\n--- # c\nc: 1\n").iter().map(|found| found.line).collect();
        assert_eq!(lines, [1, 2, 4]);
        assert_eq!(parse("a: 1\n---\nb: [\n").unwrap_err().line, 3);
    }
}
