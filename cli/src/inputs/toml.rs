//! TOML. Dates and times are texts, as policies compare them.

use super::{Parsed, Unreadable};
use serde_json::{Map, Value};

pub(super) fn parse(text: &str) -> Parsed {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let start = error.span().map_or(0, |span| span.start);
        Unreadable::at_byte(text, start, error.message())
    })?;
    Ok(Value::Object(object(table)))
}

fn object(table: toml::Table) -> Map<String, Value> {
    table.into_iter().map(|(key, value)| (key, convert(value))).collect()
}

fn convert(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(truth) => truth.into(),
        toml::Value::Datetime(time) => Value::String(time.to_string()),
        toml::Value::Array(items) => items.into_iter().map(convert).collect(),
        toml::Value::Table(table) => Value::Object(object(table)),
    }
}
