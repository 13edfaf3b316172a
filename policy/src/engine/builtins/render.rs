//! Values as OPA writes them in text: `sprintf("%v", ...)` of anything but text and numbers.

use super::answer::{Fault, MAX_TEXT};
use regorus::Value;

/// The value as a Rego term, unless it is longer than text may be.
pub(super) fn term(value: &Value) -> Result<String, Fault> {
    let mut writer = Writer { out: String::new(), limit: MAX_TEXT };
    writer.value(value)?;
    Ok(writer.out)
}

/// Refuses a value that would be longer than the limit when written out.
pub(super) fn measure(value: &Value, limit: usize) -> Result<(), Fault> {
    Writer { out: String::new(), limit }.value(value)
}

struct Writer {
    out: String,
    limit: usize,
}

impl Writer {
    fn value(&mut self, value: &Value) -> Result<(), Fault> {
        match value {
            Value::String(text) => self.push(&serde_json::to_string(&**text).expect("text is always JSON")),
            Value::Array(items) => self.list(items.iter(), "[", "]"),
            Value::Set(items) if items.is_empty() => self.push("set()"),
            Value::Set(items) => self.list(items.iter(), "{", "}"),
            Value::Object(fields) => {
                self.push("{")?;
                for (at, (key, value)) in fields.iter_sorted().enumerate() {
                    self.push(if at > 0 { ", " } else { "" })?;
                    self.value(key)?;
                    self.push(": ")?;
                    self.value(value)?;
                }
                self.push("}")
            }
            Value::Undefined => Ok(()),
            other => self.push(&other.to_string()),
        }
    }

    fn list<'v>(&mut self, items: impl Iterator<Item = &'v Value>, open: &str, close: &str) -> Result<(), Fault> {
        self.push(open)?;
        for (at, item) in items.enumerate() {
            self.push(if at > 0 { ", " } else { "" })?;
            self.value(item)?;
        }
        self.push(close)
    }

    fn push(&mut self, text: &str) -> Result<(), Fault> {
        if self.out.len() + text.len() > self.limit {
            return Err(Fault::Refused(format!("a value of more than {} bytes of text", self.limit)));
        }
        self.out.push_str(text);
        Ok(())
    }
}
