//! JSON with comments and trailing commas, made plain. What is taken out becomes spaces, so that places stay.

/// The text without comments and trailing commas.
pub(super) fn plain(text: &str) -> String {
    let mut plain: Vec<char> = Vec::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    let mut comma = None;
    while let Some(c) = rest.next() {
        match (c, rest.peek()) {
            ('"', _) => {
                comma = None;
                plain.push(c);
                text_until_quote(&mut rest, &mut plain);
            }
            ('/', Some('/')) => {
                plain.push(' ');
                while let Some(c) = rest.next_if(|c| *c != '\n') {
                    plain.push(blank(c));
                }
            }
            ('/', Some('*')) => {
                plain.push(' ');
                block_comment(&mut rest, &mut plain);
            }
            (',', _) => {
                comma = Some(plain.len());
                plain.push(c);
            }
            (']' | '}', _) => {
                if let Some(at) = comma.take() {
                    plain[at] = ' ';
                }
                plain.push(c);
            }
            _ => {
                if !c.is_whitespace() {
                    comma = None;
                }
                plain.push(c);
            }
        }
    }
    plain.into_iter().collect()
}

fn text_until_quote(rest: &mut impl Iterator<Item = char>, plain: &mut Vec<char>) {
    let mut escaped = false;
    for c in rest {
        plain.push(c);
        if c == '"' && !escaped {
            return;
        }
        escaped = c == '\\' && !escaped;
    }
}

fn block_comment(rest: &mut impl Iterator<Item = char>, plain: &mut Vec<char>) {
    // The first character is the star of `/*`, which must not end it.
    plain.extend(rest.next().map(blank));
    let mut star = false;
    for c in rest {
        plain.push(blank(c));
        if star && c == '/' {
            return;
        }
        star = c == '*';
    }
}

fn blank(c: char) -> char {
    if c == '\n' { '\n' } else { ' ' }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_trailing_commas_go_and_texts_stay() {
        let text = "{ // a\n \"u\": \"http://x\", /*/ b,\n */ \"l\": [1, 2,], \"e\": \"\\\"//\",\n}";
        let value: serde_json::Value = serde_json::from_str(&plain(text)).unwrap();
        assert_eq!(value, serde_json::json!({"u": "http://x", "l": [1, 2], "e": "\"//"}));
    }
}
