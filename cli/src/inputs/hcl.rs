//! HCL 2 (Terraform) as JSON: blocks nest by their labels and end in a list of bodies; what is no literal is its source
//! text in `${...}`.

use super::{Parsed, Unreadable};
use hcl_edit::Span;
use hcl_edit::expr::{Expression, Object, ObjectKey, UnaryOp, UnaryOperator};
use hcl_edit::structure::{Block, Body, Structure};
use hcl_edit::template::{Element, Template};
use serde_json::{Map, Value};

pub(super) fn parse(text: &str) -> Parsed {
    Ok(Value::Object(Source { text }.body(&body(text)?)))
}

/// The syntax tree; HCL 1 is read by the same grammar.
pub(super) fn body(text: &str) -> Result<Body, Unreadable> {
    hcl_edit::parser::parse_body(text).map_err(|error| {
        let place = error.location();
        Unreadable::at(place.line(), place.column(), error.message())
    })
}

/// The text that expressions are quoted from.
struct Source<'t> {
    text: &'t str,
}

impl Source<'_> {
    fn body(&self, body: &Body) -> Map<String, Value> {
        let mut object = Map::new();
        for structure in body {
            match structure {
                Structure::Attribute(attribute) => {
                    object.insert(attribute.key.as_str().to_owned(), self.value(&attribute.value));
                }
                Structure::Block(block) => self.block(&mut object, block),
            }
        }
        object
    }

    fn block(&self, mut object: &mut Map<String, Value>, block: &Block) {
        let mut key = block.ident.as_str();
        for label in &block.labels {
            let inner = object.entry(key).or_insert_with(|| Value::Object(Map::new()));
            if !inner.is_object() {
                *inner = Value::Object(Map::new());
            }
            object = inner.as_object_mut().expect("it was just made one");
            key = label.as_str();
        }
        let body = Value::Object(self.body(&block.body));
        match object.entry(key).or_insert_with(|| Value::Array(vec![])) {
            Value::Array(bodies) => bodies.push(body),
            other => *other = Value::Array(vec![body]),
        }
    }

    fn value(&self, expression: &Expression) -> Value {
        match expression {
            Expression::Null(_) => Value::Null,
            Expression::Bool(truth) => (*truth.value()).into(),
            Expression::Number(number) => super::json(&number.value().to_string()).unwrap_or(Value::Null),
            Expression::String(text) => Value::String(text.value().clone()),
            Expression::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Expression::Object(object) => Value::Object(self.object(object)),
            Expression::StringTemplate(template) => {
                self.only_or_joined(&template.iter().collect::<Vec<_>>(), expression)
            }
            Expression::HeredocTemplate(heredoc) => self.template(&heredoc.template),
            Expression::UnaryOp(operation) => self.negated(operation).unwrap_or_else(|| self.quoted(expression)),
            _ => self.quoted(expression),
        }
    }

    fn negated(&self, operation: &UnaryOp) -> Option<Value> {
        let number = self.value(&operation.expr);
        match (operation.operator.value(), number.as_i64(), number.as_f64()) {
            (UnaryOperator::Neg, Some(whole), _) => Some((-whole).into()),
            (UnaryOperator::Neg, None, Some(number)) => Some((-number).into()),
            _ => None,
        }
    }

    fn object(&self, object: &Object) -> Map<String, Value> {
        let key = |key: &ObjectKey| match key {
            ObjectKey::Ident(name) => name.as_str().to_owned(),
            ObjectKey::Expression(Expression::Variable(name)) => name.as_str().to_owned(),
            ObjectKey::Expression(expression) => match self.value(expression) {
                Value::String(text) => text,
                other => other.to_string(),
            },
        };
        object.iter().map(|(name, value)| (key(name), self.value(value.expr()))).collect()
    }

    /// A template that is one interpolation is what it interpolates.
    fn only_or_joined(&self, elements: &[&Element], whole: &Expression) -> Value {
        match elements {
            [Element::Interpolation(only)] => self.value(&only.expr),
            [] => self.quoted(whole),
            elements => Value::String(elements.iter().map(|element| self.element(element)).collect()),
        }
    }

    fn template(&self, template: &Template) -> Value {
        Value::String(template.iter().map(|element| self.element(element)).collect())
    }

    fn element(&self, element: &Element) -> String {
        match element {
            Element::Literal(text) => text.to_string(),
            Element::Interpolation(found) => match self.value(&found.expr) {
                Value::String(text) => text,
                other => other.to_string(),
            },
            Element::Directive(found) => self.slice(found.span()).to_owned(),
        }
    }

    fn quoted(&self, expression: &Expression) -> Value {
        Value::String(format!("${{{}}}", self.slice(expression.span())))
    }

    fn slice(&self, span: Option<std::ops::Range<usize>>) -> &str {
        span.and_then(|span| self.text.get(span)).unwrap_or_default().trim()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn blocks_nest_by_label_and_expressions_keep_their_source() {
        let text = r#"
resource "aws_s3_bucket" "b" {
  bucket = "name-${var.env}"
  acl    = var.acl
  count  = -1
  tags   = { owner = "ops", "cost" = 2.5, (local.key) = "x" }
  rule {
    on = true
  }
  rule {
    on = false
  }
}
only = "${upper("x")}"
text = <<EOT
hello ${var.who}
EOT
"#;
        assert_eq!(
            parse(text).unwrap(),
            json!({
                "resource": {"aws_s3_bucket": {"b": [{
                    "bucket": "name-${var.env}",
                    "acl": "${var.acl}",
                    "count": -1,
                    "tags": {"owner": "ops", "cost": 2.5, "${(local.key)}": "x"},
                    "rule": [{"on": true}, {"on": false}],
                }]}},
                "only": "${upper(\"x\")}",
                "text": "hello ${var.who}\n",
            })
        );
    }
}
