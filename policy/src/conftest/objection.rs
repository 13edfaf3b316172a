//! One message of a rule, from what the rule gave: a text, or an object with `msg` and what else its author wanted said.

use crate::engine::Value;
use serde_json::Map;

/// One message with what came along.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Objection {
    /// For people.
    pub message: String,
    /// `data.main.deny`.
    pub query: String,
    /// The file that `_loc` names.
    pub file: Option<String>,
    /// The line that `_loc` names; 0 when it names none.
    pub line: u32,
    /// The other fields.
    pub metadata: Map<String, serde_json::Value>,
}

impl Objection {
    /// A message without anything.
    pub(super) fn plain(query: &str, message: &str) -> Self {
        let metadata = Map::from_iter([("query".to_owned(), query.into())]);
        Self { message: message.to_owned(), query: query.to_owned(), metadata, ..Self::default() }
    }
}

/// The members of a list, a set or an object, sorted as OPA sorts; nothing for other values.
pub(super) fn members(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.iter().cloned().collect(),
        Value::Set(items) => items.iter_sorted().cloned().collect(),
        Value::Object(fields) => fields.iter_sorted().map(|(_, value)| value.clone()).collect(),
        _ => vec![],
    }
}

/// The objections that a rule gave; `None` when it gave none. Rules may give a set or a list; another value is no
/// objection, as Conftest has it.
pub(super) fn read(value: &Value, query: &str) -> Result<Option<Vec<Objection>>, String> {
    let (Value::Set(_) | Value::Array(_)) = value else { return Ok(None) };
    let objections: Vec<Objection> = members(value).iter().map(|item| one(item, query)).collect::<Result<_, _>>()?;
    Ok(Some(objections).filter(|objections| !objections.is_empty()))
}

fn one(item: &Value, query: &str) -> Result<Objection, String> {
    if let Value::String(message) = item {
        return Ok(Objection::plain(query, message));
    }
    let Value::Object(fields) = item else {
        return Err("it gives something that is neither a text nor an object with `msg`".to_owned());
    };
    let field = |name: &str| fields.get(&Value::from(name));
    let message = field("msg").and_then(|message| message.as_string().ok());
    let message = message.ok_or("it gives an object whose `msg` is not a text")?;
    let mut objection = Objection::plain(query, message);
    if let Some(place) = field("_loc") {
        objection.file = place["file"].as_string().ok().map(|file| file.to_string());
        objection.line = serde_json::to_value(&place["line"]).ok().and_then(|line| line.as_u64()).unwrap_or(0) as u32;
    }
    let others = fields.iter_sorted().filter_map(|(key, value)| Some((key.as_string().ok()?.to_string(), value)));
    for (key, value) in others.filter(|(key, _)| key != "msg" && key != "_loc") {
        objection.metadata.insert(key, serde_json::to_value(value).unwrap_or_default());
    }
    Ok(objection)
}
