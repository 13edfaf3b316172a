//! HCL 1 (Terraform 0.11 and older) as JSON: every object is a list of one, as its users' policies expect, and texts
//! keep their interpolations as written. It is read by HCL 2's grammar, which its files fit but for quoted keys.

use super::{Parsed, hcl};
use hcl_edit::Span;
use hcl_edit::expr::{Expression, Object, ObjectKey};
use hcl_edit::structure::{Block, Body, Structure};
use serde_json::{Map, Value, json};

pub(super) fn parse(text: &str) -> Parsed {
    Ok(Value::Object(members(text, &hcl::body(text)?)))
}

fn members(text: &str, body: &Body) -> Map<String, Value> {
    let mut object = Map::new();
    for structure in body {
        match structure {
            Structure::Attribute(attribute) => add(&mut object, attribute.key.as_str(), value(text, &attribute.value)),
            Structure::Block(block) => add(&mut object, block.ident.as_str(), nested(text, block)),
        }
    }
    object
}

/// Objects of one key become one list; another value replaces the one before.
fn add(object: &mut Map<String, Value>, key: &str, value: Value) {
    let is_objects = |value: &Value| value.as_array().is_some_and(|items| items.iter().all(Value::is_object));
    match object.get_mut(key) {
        Some(Value::Array(before)) if is_objects(&value) && before.iter().all(Value::is_object) => {
            before.extend(value.as_array().into_iter().flatten().cloned());
        }
        _ => {
            object.insert(key.to_owned(), value);
        }
    }
}

fn nested(text: &str, block: &Block) -> Value {
    let body = json!([members(text, &block.body)]);
    block.labels.iter().rev().fold(body, |inner, label| json!([{ label.as_str(): inner }]))
}

fn value(text: &str, expression: &Expression) -> Value {
    let written = || expression.span().and_then(|span| text.get(span)).unwrap_or_default().trim().to_owned();
    match expression {
        Expression::Null(_) => Value::Null,
        Expression::Bool(truth) => (*truth.value()).into(),
        Expression::Number(_) => super::json(&written()).unwrap_or_else(|_| Value::String(written())),
        Expression::String(found) => Value::String(found.value().clone()),
        Expression::Array(items) => items.iter().map(|item| value(text, item)).collect(),
        Expression::Object(found) => json!([object(text, found)]),
        Expression::StringTemplate(_) => Value::String(written().trim_matches('"').to_owned()),
        Expression::HeredocTemplate(found) => Value::String(found.template.to_string()),
        _ => Value::String(written()),
    }
}

fn object(text: &str, object: &Object) -> Map<String, Value> {
    let key = |key: &ObjectKey| {
        let span = match key {
            ObjectKey::Ident(name) => name.span(),
            ObjectKey::Expression(expression) => expression.span(),
        };
        span.and_then(|span| text.get(span)).unwrap_or_default().trim().trim_matches('"').to_owned()
    };
    object.iter().map(|(name, found)| (key(name), value(text, found.expr()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_lists_of_one() {
        let text = "provider \"google\" {\n  project = \"p\"\n  name = \"${a.b}-x\"\n  meta = { \"k\" = 1 }\n}\n";
        let expected = json!({"provider": [{"google": [{"project": "p", "name": "${a.b}-x", "meta": [{"k": 1}]}]}]});
        assert_eq!(parse(text).unwrap(), expected);
        let twice = parse("output \"a\" {}\noutput \"b\" {}\n").unwrap();
        assert_eq!(twice, json!({"output": [{"a": [{}]}, {"b": [{}]}]}));
    }
}
