//! The sentences of a policy as people read them: sorted, each once, bounded in number and length.

use crate::engine::Value;

/// The most messages that one policy's failure carries.
pub(crate) const MOST_MESSAGES: usize = 32;

/// The text of one member of a policy's set: itself, or its `msg`.
pub(super) fn sentence(item: &Value) -> Option<&str> {
    match item {
        Value::String(text) => Some(text),
        Value::Object(fields) => fields.get(&Value::from("msg"))?.as_string().ok().map(AsRef::as_ref),
        _ => None,
    }
}

/// Sorted, each once, and no more than people read.
pub(super) fn bound(mut messages: Vec<String>) -> Vec<String> {
    messages.sort_unstable();
    messages.dedup();
    few(messages)
}

/// No more than people read.
pub(super) fn few(mut messages: Vec<String>) -> Vec<String> {
    if messages.len() > MOST_MESSAGES {
        let more = messages.len() - MOST_MESSAGES + 1;
        messages.truncate(MOST_MESSAGES - 1);
        messages.push(format!("… and {more} more"));
    }
    messages
}

/// The text in at most this many bytes, ending with `…` when something is left out.
pub(super) fn cut(text: &str, room: usize) -> String {
    if text.len() <= room {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(room.saturating_sub('…'.len_utf8()))])
}

/// What a value is, for a sentence.
pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Undefined => "undefined",
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Set(_) => "a set",
        Value::Object(_) => "an object",
    }
}
