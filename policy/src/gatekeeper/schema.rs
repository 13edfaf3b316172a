//! The schema of a template's parameters: defaults and validation as the API server does them for the constraint's kind.

use crate::Diagnostic;
use crate::yaml::Node;
use serde_json::{Map, Value};

/// An `openAPIV3Schema`.
#[derive(Debug, Clone)]
pub(crate) struct Schema(Value);

/// Schemas that nest deeper are not followed.
const DEEPEST: usize = 32;

impl Schema {
    pub(super) fn new(schema: Value) -> Self {
        Self(schema)
    }

    /// The parameters with defaults where they say nothing.
    pub(super) fn with_defaults(&self, mut parameters: Value) -> Value {
        fill(&self.0, &mut parameters, 0);
        parameters
    }

    /// Whether every parameter may be left out as a whole.
    pub(super) fn requires_something(&self) -> Option<String> {
        let required = self.0["required"].as_array()?;
        required.iter().filter_map(Value::as_str).next().map(str::to_owned)
    }

    /// What is wrong with these parameters, at their places.
    pub(super) fn check(&self, parameters: &Node, path: &str) -> Vec<Diagnostic> {
        let mut check = Check { path, findings: vec![] };
        check.value(&self.0, parameters, "parameters", 0);
        check.findings
    }
}

/// Defaults reach only into objects that are there, as the API server's do.
fn fill(schema: &Value, value: &mut Value, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    match value {
        Value::Object(fields) => {
            for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
                let default = &schema["default"];
                let is_absent =
                    !fields.contains_key(name) || (fields[name].is_null() && schema["nullable"] != Value::Bool(true));
                if is_absent && !default.is_null() {
                    fields.insert(name.clone(), default.clone());
                }
                if let Some(value) = fields.get_mut(name) {
                    fill(schema, value, depth + 1);
                }
            }
            let known = schema["properties"].as_object();
            for (name, value) in fields.iter_mut() {
                if known.is_none_or(|known| !known.contains_key(name)) {
                    fill(&schema["additionalProperties"], value, depth + 1);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| fill(&schema["items"], item, depth + 1)),
        _ => {}
    }
}

struct Check<'a> {
    path: &'a str,
    findings: Vec<Diagnostic>,
}

impl Check<'_> {
    fn say(&mut self, node: &Node, message: String) {
        let finding = node.error(self.path, message);
        self.findings.push(finding.help("The template's `openAPIV3Schema` says what its parameters are."));
    }

    fn value(&mut self, schema: &Value, node: &Node, name: &str, depth: usize) {
        if depth > DEEPEST || (node.is_null() && schema["nullable"] == Value::Bool(true)) {
            return;
        }
        let value = node.to_json();
        if let Some(wanted) = wrong_type(schema, &value) {
            let message = format!("`{name}` is {}, not {}", node.what(), article(wanted));
            return self.say(node, message);
        }
        self.limits(schema, node, &value, name);
        self.fields(schema, node, name, depth);
        for item in node.items() {
            self.value(&schema["items"], item, &format!("{name}[]"), depth + 1);
        }
    }

    fn fields(&mut self, schema: &Value, node: &Node, name: &str, depth: usize) {
        let properties = schema["properties"].as_object();
        for field in node.fields() {
            let inner = format!("{name}.{}", field.key);
            match (properties.and_then(|known| known.get(&field.key)), &schema["additionalProperties"]) {
                (Some(schema), _) => self.value(schema, &field.value, &inner, depth + 1),
                (None, more @ Value::Object(_)) => self.value(more, &field.value, &inner, depth + 1),
                (None, Value::Bool(true)) => {}
                (None, _) if is_open(schema) => {}
                (None, _) => {
                    let finding = field.error(self.path, format!("the template has no parameter `{}`", field.key));
                    let help =
                        "The API server would drop it. Correct the name, or declare it in the template's schema.";
                    self.findings.push(finding.help(help).warning_only());
                }
            }
        }
        for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if matches!(node.shape, crate::yaml::Shape::Map(_)) && node.get(required).is_none() {
                self.say(node, format!("`{name}.{required}` is missing"));
            }
        }
    }

    fn limits(&mut self, schema: &Value, node: &Node, value: &Value, name: &str) {
        if let Some(allowed) = schema["enum"].as_array().filter(|allowed| !allowed.contains(value)) {
            let allowed: Vec<String> = allowed.iter().map(Value::to_string).collect();
            self.say(node, format!("`{name}` is {value}, not one of {}", allowed.join(", ")));
        }
        if let (Some(pattern), Some(text)) = (schema["pattern"].as_str(), value.as_str())
            && crate::engine::builtins::pattern_matches(pattern, text) == Some(false)
        {
            self.say(node, format!("`{name}` is {value}, which does not match {pattern:?}"));
        }
        let number = |key: &str| schema[key].as_f64();
        let sizes = [
            ("minLength", "maxLength", value.as_str().map(|text| text.chars().count())),
            ("minItems", "maxItems", value.as_array().map(Vec::len)),
            ("minProperties", "maxProperties", value.as_object().map(Map::len)),
        ];
        let sizes = sizes.map(|(least, most, size)| (least, most, size.map(|size| size as f64)));
        for (least, most, size) in sizes.into_iter().chain([("minimum", "maximum", value.as_f64())]) {
            let Some(size) = size else { continue };
            if let Some(limit) = number(least).filter(|limit| size < *limit) {
                self.say(node, format!("`{name}` is below `{least}` {limit}"));
            }
            if let Some(limit) = number(most).filter(|limit| size > *limit) {
                self.say(node, format!("`{name}` is above `{most}` {limit}"));
            }
        }
    }
}

/// Whether fields that the schema does not name are kept.
fn is_open(schema: &Value) -> bool {
    schema["x-kubernetes-preserve-unknown-fields"] == Value::Bool(true) || schema["properties"].as_object().is_none()
}

/// The type that the schema wants, when the value has another.
fn wrong_type<'s>(schema: &'s Value, value: &Value) -> Option<&'s str> {
    if schema["x-kubernetes-int-or-string"] == Value::Bool(true) {
        return (!value.is_string() && !is_whole(value)).then_some("integer or string");
    }
    let wanted = schema["type"].as_str()?;
    let fits = match wanted {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => is_whole(value),
        "number" => value.is_number(),
        _ => true,
    };
    (!fits).then_some(wanted)
}

fn is_whole(value: &Value) -> bool {
    value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
}

fn article(kind: &str) -> String {
    let an = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{an} {kind}")
}
