//! EDN: maps by the text of their keys (`:key`), and every leaf a text.

use super::{Parsed, Unreadable};
use serde_json::{Map, Value};

/// The deepest nesting that is read.
const DEEPEST: usize = 128;

pub(super) fn parse(text: &str) -> Parsed {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(DEEPEST)?;
    reader.skip(DEEPEST)?;
    if reader.at < text.len() {
        return Err(reader.error("more than one value"));
    }
    Ok(value)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn error(&self, reason: &str) -> Unreadable {
        Unreadable::at_byte(self.text, self.at, reason)
    }

    /// Past white space, comments and discarded values.
    fn skip(&mut self, depth: usize) -> Result<(), Unreadable> {
        loop {
            let rest = self.rest();
            let blank = rest.len() - rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',').len();
            self.at += blank;
            if self.rest().starts_with(';') {
                self.at += self.rest().find('\n').unwrap_or(self.rest().len());
            } else if self.rest().starts_with("#_") {
                self.at += 2;
                self.value(depth)?;
            } else if blank == 0 {
                return Ok(());
            }
        }
    }

    fn value(&mut self, depth: usize) -> Parsed {
        if depth == 0 {
            return Err(self.error("nested too deeply"));
        }
        self.skip(depth - 1)?;
        let rest = self.rest();
        match rest.chars().next() {
            None => Err(self.error("a value is missing")),
            Some('{') => self.map(depth - 1),
            Some('[') => self.list(1, ']', depth - 1),
            Some('(') => self.list(1, ')', depth - 1),
            Some('#') if rest.starts_with("#{") => self.list(2, '}', depth - 1),
            Some('#') => {
                self.word();
                self.value(depth - 1)
            }
            Some('"') => self.string(),
            Some(']' | '}' | ')') => Err(self.error("a bracket too many")),
            Some(_) => Ok(self.word().into()),
        }
    }

    fn list(&mut self, open: usize, close: char, depth: usize) -> Parsed {
        self.at += open;
        let mut items = vec![];
        loop {
            self.skip(depth)?;
            if self.rest().starts_with(close) {
                self.at += 1;
                return Ok(Value::Array(items));
            }
            items.push(self.value(depth)?);
        }
    }

    fn map(&mut self, depth: usize) -> Parsed {
        let Value::Array(items) = self.list(1, '}', depth)? else { return Ok(Value::Null) };
        if items.len() % 2 == 1 {
            return Err(self.error("the map's last key has no value"));
        }
        let key = |key: &Value| key.as_str().map_or_else(|| key.to_string(), str::to_owned);
        let pairs = items.chunks_exact(2).map(|pair| (key(&pair[0]), pair[1].clone()));
        Ok(Value::Object(pairs.collect::<Map<_, _>>()))
    }

    fn string(&mut self) -> Parsed {
        let mut text = String::new();
        let mut escaped = false;
        let (_, inside) = self.rest().split_at(1);
        for (at, c) in inside.char_indices() {
            match (c, escaped) {
                ('"', false) => {
                    self.at += at + 2;
                    return Ok(text.into());
                }
                ('\\', false) => {
                    escaped = true;
                    continue;
                }
                ('n', true) => text.push('\n'),
                ('t', true) => text.push('\t'),
                ('r', true) => text.push('\r'),
                (c, _) => text.push(c),
            }
            escaped = false;
        }
        Err(self.error("the text is not closed"))
    }

    fn word(&mut self) -> String {
        let ends = |c: char| c.is_whitespace() || ",;\"()[]{}".contains(c);
        let rest = self.rest();
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let end = rest[first..].find(ends).map_or(rest.len(), |at| at + first);
        let word = rest[..end].to_owned();
        self.at += end;
        word
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn leaves_are_texts_and_keys_keep_their_colon() {
        let text = "{;; note\n :a {:b \"x\\\"y\", :n 5432} :t #inst \"2032\" :s #{:k} #_:gone :v [true nil]}";
        let expected = json!({":a": {":b": "x\"y", ":n": "5432"}, ":t": "2032", ":s": [":k"], ":v": ["true", "nil"]});
        assert_eq!(parse(text).unwrap(), expected);
        assert_eq!(parse("{:a\n").unwrap_err().line, 2);
        assert!(parse(&"[".repeat(100_000)).is_err());
    }
}
