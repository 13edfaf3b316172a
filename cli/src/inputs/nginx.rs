//! nginx's configuration: `{directives: [{name, parameters, block: {directives}}]}`.

use super::{Parsed, Unreadable};
use serde_json::{Value, json};

/// The deepest nesting that is read.
const DEEPEST: usize = 64;

pub(super) fn parse(text: &str) -> Parsed {
    let mut reader = Reader { text, at: 0 };
    let directives = reader.directives(DEEPEST, false)?;
    Ok(json!({ "directives": directives }))
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn error(&self, reason: &str) -> Unreadable {
        Unreadable::at_byte(self.text, self.at, reason)
    }

    fn directives(&mut self, depth: usize, nested: bool) -> Result<Vec<Value>, Unreadable> {
        let mut directives = vec![];
        loop {
            match self.word()? {
                None if nested => return Err(self.error("`}` is missing")),
                None => return Ok(directives),
                Some(end) if end == "}" && nested => return Ok(directives),
                Some(sign) if matches!(sign.as_str(), "}" | "{" | ";") => {
                    return Err(self.error(&format!("`{sign}` begins no directive")));
                }
                Some(name) => directives.push(self.directive(name, depth)?),
            }
        }
    }

    fn directive(&mut self, name: String, depth: usize) -> Parsed {
        let mut parameters = vec![];
        loop {
            match self.word()?.as_deref() {
                Some(";") => return Ok(directive(name, parameters, None)),
                Some("{") if depth == 0 => return Err(self.error("nested too deeply")),
                Some("{") => {
                    let inner = self.directives(depth - 1, true)?;
                    return Ok(directive(name, parameters, Some(inner)));
                }
                Some("}") | None => return Err(self.error(&format!("`;` is missing after `{name}`"))),
                Some(word) => parameters.push(word.to_owned()),
            }
        }
    }

    /// The next word, `{`, `}` or `;`. Quotes are kept, as policies see them.
    fn word(&mut self) -> Result<Option<String>, Unreadable> {
        self.skip();
        let rest = &self.text[self.at..];
        let Some(first) = rest.chars().next() else { return Ok(None) };
        let length = match first {
            '{' | '}' | ';' => 1,
            '"' | '\'' => match quoted(rest, first) {
                Some(length) => length,
                None => return Err(self.error("the quote is not closed")),
            },
            _ => bare(rest),
        };
        self.at += length;
        Ok(Some(rest[..length].to_owned()))
    }

    fn skip(&mut self) {
        loop {
            let rest = &self.text[self.at..];
            self.at += rest.len() - rest.trim_start().len();
            if !self.text[self.at..].starts_with('#') {
                return;
            }
            let rest = &self.text[self.at..];
            self.at += rest.find('\n').unwrap_or(rest.len());
        }
    }
}

fn directive(name: String, parameters: Vec<String>, block: Option<Vec<Value>>) -> Value {
    let mut directive = json!({ "name": name });
    if !parameters.is_empty() {
        directive["parameters"] = parameters.into();
    }
    if let Some(directives) = block {
        directive["block"] = json!({ "directives": directives });
    }
    directive
}

fn quoted(rest: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if c == quote && !escaped {
            return Some(at + 1);
        }
        escaped = c == '\\' && !escaped;
    }
    None
}

/// Up to white space or a sign, where `${name}` is part of the word.
fn bare(rest: &str) -> usize {
    let mut in_variable = false;
    let mut before = ' ';
    for (at, c) in rest.char_indices() {
        match c {
            '{' if before == '$' => in_variable = true,
            '}' if in_variable => in_variable = false,
            '{' | '}' | ';' => return at,
            c if c.is_whitespace() => return at,
            _ => {}
        }
        before = c;
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_nest_in_blocks() {
        let text = "# c\nhttp {\n  server { listen 443 ssl; add_header X \"a;b\"; set $x ${y}z; }\n}\n";
        let server = parse(text).unwrap()["directives"][0]["block"]["directives"][0].clone();
        let expected = json!({"name": "server", "block": {"directives": [
            {"name": "listen", "parameters": ["443", "ssl"]},
            {"name": "add_header", "parameters": ["X", "\"a;b\""]},
            {"name": "set", "parameters": ["$x", "${y}z"]},
        ]}});
        assert_eq!(server, expected);
        assert_eq!(parse("http {\n listen 80\n}\n").unwrap_err().line, 3);
    }
}
