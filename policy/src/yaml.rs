//! A YAML document as a tree in which every key and value knows its place, so that a finding points at the field in
//! question. What a document means is its reader's affair.

use crate::fleet::yaml_diagnostic;
use crate::{Diagnostic, SourceFile};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::Spanned;

/// A value and where it begins, both from 1.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub place: (u32, u32),
    pub shape: Shape,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Field>),
}

/// One key of a map with its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Field {
    pub key: String,
    /// Where the key is written.
    pub place: (u32, u32),
    pub value: Node,
}

/// Every document of a file that is not empty, or where it is no YAML.
pub(crate) fn documents(file: &SourceFile) -> Result<Vec<Node>, Diagnostic> {
    let documents: Vec<Spanned<Shape>> = parse(&file.text).map_err(|error| yaml_diagnostic(&file.path, &error))?;
    Ok(documents.into_iter().map(Node::from).filter(|node| node.shape != Shape::Null).collect())
}

/// The lines of quoted texts that are indented before the text is given up.
const MOST_INDENTED: usize = 100;

/// All documents. The parser wants the further lines of a quoted text to stand right of its key, as YAML says;
/// Kubernetes' own parser does not, and templates rely on it. Leading blanks of such lines are no part of the text.
pub(crate) fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Result<Vec<T>, serde_saphyr::Error> {
    let mut mended = std::borrow::Cow::Borrowed(text);
    for _ in 0..MOST_INDENTED {
        match serde_saphyr::from_multiple(&mended) {
            Err(error) if is_quoted_indent(&error) => {
                match error.location().and_then(|place| indented(&mended, &place)) {
                    Some(more) => mended = more.into(),
                    None => return Err(error),
                }
            }
            parsed => return parsed,
        }
    }
    serde_saphyr::from_multiple(&mended)
}

/// The parser tells this error from others by its words alone.
fn is_quoted_indent(error: &serde_saphyr::Error) -> bool {
    error.to_string().contains("invalid indentation in multiline quoted scalar")
}

/// The text with the line of this place moved to the right by one.
fn indented(text: &str, place: &serde_saphyr::Location) -> Option<String> {
    let line = (place.line() as usize).checked_sub(1)?;
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    text.get(start..).map(|rest| format!("{} {rest}", &text[..start]))
}

impl Node {
    /// The value at this key of a map.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.fields().iter().find(|field| field.key == key).map(|field| &field.value)
    }

    /// The value at this path of keys.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The fields of a map; none for anything else.
    pub(crate) fn fields(&self) -> &[Field] {
        if let Shape::Map(fields) = &self.shape { fields } else { &[] }
    }

    /// The items of a list; none for anything else.
    pub(crate) fn items(&self) -> &[Node] {
        if let Shape::List(items) = &self.shape { items } else { &[] }
    }

    /// The text, if it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        if let Shape::Text(text) = &self.shape { Some(text) } else { None }
    }

    /// The text at this path, empty when there is none.
    pub(crate) fn text_at(&self, path: &[&str]) -> &str {
        self.at(path).and_then(Node::text).unwrap_or_default()
    }

    /// Whether this is `null`, as a key without a value is.
    pub(crate) fn is_null(&self) -> bool {
        self.shape == Shape::Null
    }

    /// What it is, for a sentence.
    pub(crate) fn what(&self) -> &'static str {
        match self.shape {
            Shape::Null => "nothing",
            Shape::Bool(_) => "a boolean",
            Shape::Number(_) => "a number",
            Shape::Text(_) => "a text",
            Shape::List(_) => "a list",
            Shape::Map(_) => "an object",
        }
    }

    /// The value without places. Of a key that is written twice the last one counts.
    pub(crate) fn to_json(&self) -> Value {
        match &self.shape {
            Shape::Null => Value::Null,
            Shape::Bool(value) => Value::Bool(*value),
            Shape::Number(value) => Value::Number(value.clone()),
            Shape::Text(value) => Value::String(value.clone()),
            Shape::List(items) => Value::Array(items.iter().map(Node::to_json).collect()),
            Shape::Map(fields) => Value::Object(
                fields.iter().map(|field| (field.key.clone(), field.value.to_json())).collect::<Map<_, _>>(),
            ),
        }
    }

    /// A finding at this value.
    pub(crate) fn error(&self, path: &str, message: impl Into<String>) -> Diagnostic {
        let length = self.text().filter(|text| !text.contains('\n')).map_or(1, |text| text.chars().count());
        Diagnostic::error(path, message).at(self.place.0, self.place.1).spanning(length.max(1) as u32)
    }
}

impl Field {
    /// A finding at this key.
    pub(crate) fn error(&self, path: &str, message: impl Into<String>) -> Diagnostic {
        let length = self.key.chars().count().max(1) as u32;
        Diagnostic::error(path, message).at(self.place.0, self.place.1).spanning(length)
    }
}

impl From<Spanned<Shape>> for Node {
    fn from(spanned: Spanned<Shape>) -> Self {
        let place = (spanned.referenced.line() as u32, spanned.referenced.column() as u32);
        Self { place, shape: spanned.value }
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShapeVisitor)
    }
}

struct ShapeVisitor;

impl<'de> Visitor<'de> for ShapeVisitor {
    type Value = Shape;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any YAML value")
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::Null)
    }

    fn visit_none<E>(self) -> Result<Shape, E> {
        Ok(Shape::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Shape, D::Error> {
        Shape::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Shape, E> {
        Ok(Shape::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Shape, E> {
        Ok(Shape::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Shape, E> {
        Ok(Shape::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Shape, E> {
        // Kubernetes has no such numbers; what is left of one is its text.
        Ok(Number::from_f64(value).map_or_else(|| Shape::Text(value.to_string()), Shape::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Shape, E> {
        Ok(Shape::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Shape, E> {
        Ok(Shape::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Shape, A::Error> {
        let mut list = vec![];
        while let Some(item) = items.next_element::<Spanned<Shape>>()? {
            list.push(item.into());
        }
        Ok(Shape::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Shape, A::Error> {
        let mut fields = vec![];
        while let Some(key) = entries.next_key::<Spanned<String>>()? {
            let place = (key.referenced.line() as u32, key.referenced.column() as u32);
            let value = entries.next_value::<Spanned<Shape>>()?.into();
            fields.push(Field { key: key.value, place, value });
        }
        Ok(Shape::Map(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_may_go_on_below_its_key() {
        let text = "a:\n  b: \"one\n  two\n  three\"\n  c: 1\n";
        let file = SourceFile { path: "a.yaml".into(), text: text.into() };
        let document = &documents(&file).unwrap()[0];
        assert_eq!(document.to_json(), serde_json::json!({ "a": { "b": "one two three", "c": 1 } }));
        assert_eq!(document.at(&["a", "c"]).unwrap().place, (5, 6));
    }

    #[test]
    fn every_value_knows_its_place() {
        let text =
            "a: 1\n---\nb:\n  - {c: yes, d: \"x\"}\n  - rego: |\n      package k\n\n      x := 1\n  - ~\n  - 1.5\n";
        let file = SourceFile { path: "a.yaml".into(), text: text.into() };
        let documents = documents(&file).unwrap();
        let list = documents[1].get("b").unwrap().items();
        assert_eq!(list[0].to_json(), serde_json::json!({ "c": true, "d": "x" }));
        assert_eq!(list[0].get("d").unwrap().place, (4, 17));
        assert_eq!((list[1].fields()[0].place, list[1].fields()[0].value.place), ((5, 5), (6, 7)));
        assert_eq!(list[1].text_at(&["rego"]), "package k\n\nx := 1\n");
        assert_eq!((list[2].is_null(), list[3].to_json()), (true, serde_json::json!(1.5)));
    }
}
