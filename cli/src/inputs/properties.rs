//! Java properties: an object of texts. `${name}` means the value of that key in the same file.

use super::{Parsed, Unreadable};
use serde_json::{Map, Value};

/// How often values may refer to values.
const DEEPEST: usize = 16;

pub(super) fn parse(text: &str) -> Parsed {
    let mut written = Map::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with(['#', '!']) {
            continue;
        }
        let mut whole = line.to_owned();
        while is_continued(&whole) {
            whole.pop();
            whole.push_str(lines.next().unwrap_or_default().trim_start());
        }
        let (key, value) = split(&whole);
        written.insert(unescaped(key), unescaped(value).into());
    }
    let mut object = Map::new();
    for (key, value) in &written {
        let value = expanded(value.as_str().unwrap_or_default(), &written, DEEPEST);
        object.insert(key.clone(), value.map_err(|reason| Unreadable::at(0, 0, format!("{key}: {reason}")))?.into());
    }
    Ok(Value::Object(object))
}

fn is_continued(line: &str) -> bool {
    line.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

/// At the first `=`, `:` or white space that no backslash precedes.
fn split(line: &str) -> (&str, &str) {
    let mut escaped = false;
    let end = line.find(|c: char| {
        let ends = !escaped && (matches!(c, '=' | ':') || c.is_whitespace());
        escaped = c == '\\' && !escaped;
        ends
    });
    let Some(end) = end else { return (line, "") };
    let value = line[end..].trim_start();
    (&line[..end], value.strip_prefix(['=', ':']).unwrap_or(value).trim_start())
}

fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        match rest.next() {
            Some('n') => plain.push('\n'),
            Some('t') => plain.push('\t'),
            Some('r') => plain.push('\r'),
            Some('f') => plain.push('\u{c}'),
            Some('u') => {
                let digits: String = rest.by_ref().take(4).collect();
                plain.push(u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32).unwrap_or('\u{fffd}'));
            }
            Some(other) => plain.push(other),
            None => {}
        }
    }
    plain
}

fn expanded(text: &str, written: &Map<String, Value>, depth: usize) -> Result<String, String> {
    let Some((before, rest)) = text.split_once("${") else { return Ok(text.to_owned()) };
    let Some((name, after)) = rest.split_once('}') else { return Err("`${` is not closed".into()) };
    if depth == 0 {
        return Err(format!("`${{{name}}}` refers to itself"));
    }
    let value = written.get(name).and_then(Value::as_str).unwrap_or_default();
    Ok(format!("{before}{}{}", expanded(value, written, depth - 1)?, expanded(after, written, depth - 1)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_values_escapes_and_references_are_read() {
        let text = "# c\na = 1\nb:two words\nc\\ d\\=e f\nlong = x \\\n   y\nref = ${a}-${b}\nu = \\u00e9\n";
        let expected = json!({"a": "1", "b": "two words", "c d=e": "f", "long": "x y", "ref": "1-two words", "u": "é"});
        assert_eq!(parse(text).unwrap(), expected);
        assert!(parse("a = ${a}\n").unwrap_err().reason.contains("itself"));
    }
}
