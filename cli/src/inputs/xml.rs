//! XML as JSON: attributes begin with `-`, repeated elements are lists, an element with nothing but text is that text,
//! and every leaf is a text.

use super::{Parsed, Unreadable};
use roxmltree::Node;
use serde_json::{Map, Value};

pub(super) fn parse(text: &str) -> Parsed {
    let document = roxmltree::Document::parse(text).map_err(|error| {
        let place = error.pos();
        let full = error.to_string();
        let reason = full.rsplit_once(" at ").map_or(full.as_str(), |(reason, _)| reason);
        Unreadable::at(place.row as usize, place.col as usize, reason)
    })?;
    let root = document.root_element();
    Ok(Value::Object(Map::from_iter([(root.tag_name().name().to_owned(), element(root))])))
}

fn element(node: Node<'_, '_>) -> Value {
    let mut object = Map::new();
    for attribute in node.attributes() {
        object.insert(format!("-{}", attribute.name()), attribute.value().into());
    }
    // Namespace declarations are attributes to those who wrote them.
    let known = |uri: &str| node.parent_element().is_some_and(|parent| parent.namespaces().any(|at| at.uri() == uri));
    for namespace in node.namespaces().filter(|namespace| namespace.name() != Some("xml") && !known(namespace.uri())) {
        object.insert(format!("-{}", namespace.name().unwrap_or("xmlns")), namespace.uri().into());
    }
    for child in node.children().filter(Node::is_element) {
        add(&mut object, child.tag_name().name(), element(child));
    }
    let text: String = node.children().filter(Node::is_text).filter_map(|text| text.text()).collect();
    let text = text.trim();
    if object.is_empty() {
        return text.into();
    }
    if !text.is_empty() {
        object.insert("#content".to_owned(), text.into());
    }
    Value::Object(object)
}

fn add(object: &mut Map<String, Value>, name: &str, value: Value) {
    match object.get_mut(name) {
        None => {
            object.insert(name.to_owned(), value);
        }
        Some(Value::Array(items)) => items.push(value),
        Some(first) => {
            let first_value = first.take();
            *first = Value::Array(vec![first_value, value]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn elements_attributes_and_text_have_their_places() {
        let text = "<a id=\"1\" xmlns=\"urn:x\"><!-- c --><b>x</b><b>y</b><c k=\"v\">text</c><d/></a>";
        let expected = json!({"a": {"-id": "1", "-xmlns": "urn:x", "b": ["x", "y"], "c": {"-k": "v", "#content": "text"}, "d": ""}});
        assert_eq!(parse(text).unwrap(), expected);
    }
}
