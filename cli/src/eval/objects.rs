//! The Kubernetes objects of manifest files, each with the line that it begins on: documents, members of a `List`, whole
//! AdmissionReviews. What is no object is counted, so that nothing is passed over in silence.

use super::load::Given;
use crate::inputs::{Parser, Unreadable, yaml};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_saphyr::Spanned;

/// One object, or one review, of a file.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) file: String,
    /// From 1.
    pub(super) line: u32,
    pub(super) value: Value,
}

/// What a set of files holds.
#[derive(Debug, Default)]
pub(super) struct Objects {
    pub(super) found: Vec<Found>,
    /// Files that cannot be read as YAML or JSON.
    pub(super) unreadable: Vec<(String, Unreadable)>,
    /// Documents without `apiVersion` and `kind`, by file and line.
    pub(super) others: Vec<(String, u32)>,
}

impl Objects {
    /// Reads all files. Documents that are no objects are others when their file was found in a folder (values of a chart,
    /// CI), and unreadable when it was named.
    pub(super) fn read(given: &[Given]) -> Self {
        let mut objects = Self::default();
        for file in given {
            objects.read_file(file);
        }
        objects
    }

    fn read_file(&mut self, file: &Given) {
        for document in documents(file) {
            if yaml::is_blank(document.text) {
                continue;
            }
            let value =
                if file.parser == Parser::Yaml { yaml::value(&document) } else { file.parser.parse(document.text) };
            match value {
                Ok(value) => self.add(file, document.line + first_line(document.text), document.text, value),
                Err(error) => self.unreadable.push((file.path.clone(), error)),
            }
        }
    }

    fn add(&mut self, file: &Given, line: u32, text: &str, value: Value) {
        let word = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
        let (api_version, kind) = (word("apiVersion"), word("kind"));
        let is_list = kind.ends_with("List") && value.get("items").is_some_and(Value::is_array);
        match (api_version, kind) {
            ("", _) | (_, "") if file.named => {
                let reason = "the document has no `apiVersion` and `kind`, so it is no Kubernetes object";
                self.unreadable.push((file.path.clone(), Unreadable { line, column: 1, reason: reason.to_owned() }));
            }
            ("", _) | (_, "") => self.others.push((file.path.clone(), line)),
            _ if is_list => self.add_list(file, line, text, value),
            _ => self.found.push(Found { file: file.path.clone(), line, value }),
        }
    }

    fn add_list(&mut self, file: &Given, line: u32, text: &str, mut value: Value) {
        let Some(Value::Array(items)) = value.get_mut("items").map(Value::take) else { return };
        let lines = item_lines(text);
        for (index, item) in items.into_iter().enumerate() {
            // `line` is that of the first content; lines of items count from the document's first line.
            let item_line = lines.get(index).map_or(line, |at| line - first_line(text) + at - 1);
            self.add(file, item_line, "", item);
        }
    }
}

fn documents(file: &Given) -> Vec<yaml::Document<'_>> {
    match file.parser {
        Parser::Yaml => yaml::documents(&file.text),
        _ => vec![yaml::Document { line: 1, text: &file.text }],
    }
}

/// How many lines of marks, comments and white space come before the content.
fn first_line(text: &str) -> u32 {
    text.lines().take_while(|line| yaml::is_blank(line)).count() as u32
}

/// The line of each member of `items`, from 1 within the text. JSON is YAML to this end.
fn item_lines(text: &str) -> Vec<u32> {
    #[derive(Deserialize)]
    struct List {
        items: Vec<Spanned<IgnoredAny>>,
    }
    let list: Option<List> = serde_saphyr::from_str(text).ok();
    let items = list.map(|list| list.items).unwrap_or_default();
    items.iter().map(|item| item.referenced.line() as u32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, named: bool) -> Objects {
        Objects::read(&[Given { path: "a.yaml".into(), parser: Parser::Yaml, text: text.into(), named }])
    }

    #[test]
    fn helm_output_lists_and_documents_keep_their_lines() {
        let text = "---\n# Source: chart/a.yaml\napiVersion: v1\nkind: Pod\n---\n# Source: chart/empty.yaml\n---\n\
                    apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service\n-\n  apiVersion: v1\n  kind: Secret\n";
        let objects = read(text, true);
        let found: Vec<_> =
            objects.found.iter().map(|found| (found.value["kind"].as_str().unwrap(), found.line)).collect();
        assert_eq!(found, [("Pod", 3), ("Service", 11), ("Secret", 14)]);
        assert!(objects.unreadable.is_empty() && objects.others.is_empty());
    }

    #[test]
    fn document_that_is_no_object_is_never_passed_over_in_silence() {
        assert_eq!(read("replicas: 3\n", true).unreadable.len(), 1);
        assert_eq!(read("replicas: 3\n", false).others, [("a.yaml".to_owned(), 1)]);
        assert_eq!(read("a: [\n", false).unreadable.len(), 1);
    }
}
