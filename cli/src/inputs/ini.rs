//! INI as an object of sections. Numbers and truth values are read as such; keys above the first section are left out,
//! as Conftest leaves them out.

use super::{Parsed, Unreadable};
use serde_json::{Map, Value};

pub(super) fn parse(text: &str) -> Parsed {
    let mut sections = Map::new();
    let mut section: Option<String> = None;
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(rest) = trimmed.strip_prefix('[') {
            let Some((name, _)) = rest.rsplit_once(']') else {
                return Err(Unreadable::at(number + 1, 1, "the section is not closed by `]`"));
            };
            let name = name.trim().to_owned();
            sections.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()));
            section = Some(name);
            continue;
        }
        let Some((key, written)) = split(trimmed) else {
            return Err(Unreadable::at(number + 1, 1, "neither a section nor `key = value`"));
        };
        let value = whole_value(written, &mut lines).map_err(|reason| Unreadable::at(number + 1, 1, reason))?;
        let object = section.as_ref().and_then(|section| sections.get_mut(section)).and_then(Value::as_object_mut);
        if let Some(object) = object {
            object.insert(key.to_owned(), typed(&value));
        }
    }
    sections.remove("DEFAULT");
    Ok(Value::Object(sections))
}

/// At the first `=` or `:`, whichever comes first.
fn split(line: &str) -> Option<(&str, &str)> {
    let at = line.find(['=', ':'])?;
    let key = line[..at].trim().trim_matches(['"', '`']);
    (!key.is_empty()).then_some((key, line[at + 1..].trim()))
}

/// The value with its continued lines, without quotes and comments.
fn whole_value<'t>(written: &str, lines: &mut impl Iterator<Item = (usize, &'t str)>) -> Result<String, String> {
    for quote in ["\"\"\"", "`"] {
        if let Some(rest) = written.strip_prefix(quote) {
            return quoted(rest, quote, lines).ok_or_else(|| format!("the value is not closed by {quote}"));
        }
    }
    let mut value = written.to_owned();
    while let Some(before) = value.strip_suffix('\\') {
        let next = lines.next().map_or("", |(_, line)| line.trim());
        value = format!("{before}{next}");
    }
    let comment = [" #", "\t#", " ;", "\t;"].iter().filter_map(|mark| value.find(mark)).min();
    let value = comment.map_or(value.as_str(), |at| value[..at].trim_end());
    Ok(unquoted(value).to_owned())
}

fn quoted<'t>(rest: &str, quote: &str, lines: &mut impl Iterator<Item = (usize, &'t str)>) -> Option<String> {
    let mut value = rest.to_owned();
    loop {
        if let Some((before, _)) = value.split_once(quote) {
            return Some(before.to_owned());
        }
        value.push('\n');
        value.push_str(lines.next()?.1);
    }
}

fn unquoted(value: &str) -> &str {
    let inner = |quote: char| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    inner('"').or_else(|| inner('\'')).unwrap_or(value)
}

fn typed(value: &str) -> Value {
    // Infinities and the like are no JSON, and stay texts.
    if let Some(number) = value.parse::<f64>().ok().filter(|number| number.is_finite()) {
        return value.parse::<i64>().map_or_else(|_| number.into(), Value::from);
    }
    match value {
        "t" | "T" | "true" | "True" | "TRUE" => true.into(),
        "f" | "F" | "false" | "False" | "FALSE" => false.into(),
        text => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sections_hold_typed_values() {
        let text = "top = 1\n[a.b]\nport = 3000 ; note\non: true\nname = \"x # y\"\nlong = one \\\n  two\n; c\n[e]\n";
        let expected = json!({"a.b": {"port": 3000, "on": true, "name": "\"x", "long": "one two"}, "e": {}});
        assert_eq!(parse(text).unwrap(), expected);
        assert_eq!(parse("[a]\nx\n").unwrap_err().line, 2);
    }
}
