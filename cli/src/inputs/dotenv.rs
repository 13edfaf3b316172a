//! `.env`: an object of texts. `$NAME` and `${NAME}` mean what an earlier line said; this process's own environment is
//! not looked at, so that a file means the same everywhere.

use super::{Parsed, Unreadable};
use serde_json::{Map, Value};

pub(super) fn parse(text: &str) -> Parsed {
    let mut object = Map::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let Some((name, written)) = line.split_once(['=', ':']).filter(|(name, _)| is_name(name.trim())) else {
            return Err(Unreadable::at(number + 1, 1, "not of the form `NAME=value`"));
        };
        let value = value(written.trim(), &object);
        object.insert(name.trim().to_owned(), value.into());
    }
    Ok(Value::Object(object))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-'))
}

fn value(written: &str, known: &Map<String, Value>) -> String {
    let between =
        |quote: char| written.strip_prefix(quote).and_then(|rest| rest.rsplit_once(quote)).map(|(text, _)| text);
    if let Some(text) = between('\'') {
        return text.to_owned();
    }
    if let Some(text) = between('"') {
        return expanded(&text.replace("\\n", "\n").replace("\\r", "\r").replace("\\\"", "\""), known);
    }
    let comment = written.find(" #").unwrap_or(written.len());
    expanded(written[..comment].trim_end(), known)
}

fn expanded(text: &str, known: &Map<String, Value>) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let escaped = rest[..at].ends_with('\\');
        expanded.push_str(&rest[..at - usize::from(escaped)]);
        rest = &rest[at + 1..];
        let (name, after) = reference(rest);
        if escaped || name.is_empty() {
            expanded.push('$');
            continue;
        }
        expanded.push_str(known.get(name).and_then(Value::as_str).unwrap_or_default());
        rest = after;
    }
    expanded + rest
}

/// The name that a `$` is followed by, and what comes after it.
fn reference(rest: &str) -> (&str, &str) {
    if let Some((name, after)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        return (name, after);
    }
    rest.split_at(rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lines_are_texts_by_name() {
        let text = "# c\nexport A=1\nB='x $A'\nC=\"$A-${A} \\$A\"\nD= plain # note\nE:2\n";
        let expected = json!({"A": "1", "B": "x $A", "C": "1-1 $A", "D": "plain", "E": "2"});
        assert_eq!(parse(text).unwrap(), expected);
        assert_eq!(parse("A=1\nnonsense\n").unwrap_err().line, 2);
    }
}
