//! `input.if` is a field like any other. The engine takes some keywords after a dot for keywords; in brackets and quotes
//! they are fields.

use super::super::edit::{Edit, Piece};
use super::super::token::{Kind, Token};

const KEYWORDS: [&str; 16] = [
    "as", "contains", "default", "else", "every", "false", "if", "import", "in", "not", "null", "package", "set",
    "some", "true", "with",
];

/// `["if"]` for each `.if` of a reference. Packages and imports are declared by names, and stay.
pub(crate) fn edits(source: &str, tokens: &[Token]) -> Vec<Edit> {
    let mut declares = false;
    let mut edits = vec![];
    for (at, token) in tokens.iter().enumerate() {
        let is_field = at > 0 && tokens[at - 1].is(source, ".");
        if token.starts_line && !is_field {
            declares = token.is_word(source, "package") || token.is_word(source, "import");
        }
        let text = token.text(source);
        // A call is made by its name alone.
        let is_called = tokens.get(at + 1).is_some_and(|next| next.is(source, "(") && !next.spaced);
        if is_field && token.kind == Kind::Word && KEYWORDS.contains(&text) && !declares && !is_called {
            let range = tokens[at - 1].range.start..token.range.end;
            let pieces = vec![Piece::New("[\"".into()), Piece::Own(token.range.clone()), Piece::New("\"]".into())];
            edits.push(Edit { range, pieces });
        }
    }
    edits
}

#[cfg(test)]
mod tests {
    use super::super::super::edit::apply;
    use super::super::super::token::tokens;

    fn rewritten(source: &str) -> String {
        apply(source, super::edits(source, &tokens(source).unwrap())).0
    }

    #[test]
    fn keywords_are_fields_after_a_dot() {
        assert_eq!(rewritten("x := input.if.not"), "x := input[\"if\"][\"not\"]");
        assert_eq!(rewritten("package a.if\nx := input.name"), "package a.if\nx := input.name");
        assert_eq!(rewritten("x if not input.y in z"), "x if not input.y in z");
    }
}
