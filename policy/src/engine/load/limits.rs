//! What a source may cost before anything parses it: its size, how deep it nests, and how often the engine's parser
//! would read its tokens. That parser tries an element first as the beginning of a comprehension and then again, so
//! first elements nested in first elements take exponential time; everything else is linear, and free to nest as deep
//! as the stack allows.

mod cost;
mod depth;

use super::position_map::PositionMap;
use super::token::{LexicalError, Token, tokens};
use crate::source::MAX_FILE_BYTES;
use crate::{Diagnostic, SourceFile};

/// The most lines of a source.
const MAX_LINES: usize = 20_000;
/// The longest line, in bytes.
const MAX_LINE_BYTES: usize = 8_192;
/// The most tokens of a source.
const MAX_TOKENS: usize = 200_000;

/// Something that is too much, from which byte on.
struct Excess {
    at: usize,
    message: String,
    help: &'static str,
}

/// The tokens of a source within its limits.
pub(crate) fn check(file: &SourceFile) -> Result<Vec<Token>, Vec<Diagnostic>> {
    let text = &*file.text;
    let refuse = |at, message: String, help: &str| {
        let (line, column) = PositionMap::identity(file.text.clone()).place(at);
        vec![Diagnostic::error(file.path.clone(), message).at(line, column).help(help)]
    };
    let excess = |Excess { at, message, help }| refuse(at, message, help);
    size(text).map_err(excess)?;
    let tokens = tokens(text).map_err(|LexicalError { at, message, help }| refuse(at, message.to_owned(), help))?;
    depth::check(text, &tokens).map_err(excess)?;
    cost::check(text, &tokens).map_err(excess)?;
    Ok(tokens)
}

fn size(text: &str) -> Result<(), Excess> {
    if text.len() > MAX_FILE_BYTES {
        let message = format!("the file has {} bytes, more than {MAX_FILE_BYTES}", text.len());
        return Err(Excess { at: 0, message, help: "Split the file." });
    }
    let mut at = 0;
    for (number, line) in text.split('\n').enumerate() {
        if number >= MAX_LINES {
            let message = format!("the file has more than {MAX_LINES} lines");
            return Err(Excess { at, message, help: "Split the file." });
        }
        if line.len() > MAX_LINE_BYTES {
            let message = format!("the line has {} bytes, more than {MAX_LINE_BYTES}", line.len());
            return Err(Excess { at, message, help: "Break the line." });
        }
        at += line.len() + 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: String) -> Option<String> {
        check(&SourceFile { path: "a.rego".into(), text: text.into() }).err().map(|found| found[0].to_string())
    }

    #[test]
    fn what_is_too_much_is_refused_where_it_becomes_so() {
        for (text, expected) in [
            (
                format!("package a\nr = {}", "[".repeat(40)),
                "a.rego:2:37: error: brackets and signs nest deeper than 32",
            ),
            (
                format!("package a\nr = {}1", "1 + ".repeat(300)),
                "a.rego:2:803: error: the statement has more than 200 operators",
            ),
            (
                format!("package a\nr = -{}1", "- ".repeat(300)),
                "a.rego:2:68: error: brackets and signs nest deeper than 32",
            ),
            (
                format!("package a\nr = a{}", ".b".repeat(300)),
                "a.rego:2:134: error: the reference has more than 64 parts",
            ),
            (
                format!("package a\nr = a{}", "[0]".repeat(300)),
                "a.rego:2:200: error: the reference has more than 64 parts",
            ),
            (format!("r = {}1", "{\"k\": ".repeat(24)), "a.rego:1:105: error: the nesting takes too long to parse"),
            ("\n".repeat(30_000), "a.rego:20001:1: error: the file has more than 20000 lines"),
            (" ".repeat(10_000), "a.rego:1:1: error: the line has 10000 bytes, more than 8192"),
            ("r = \"a\n".to_owned(), "a.rego:1:5: error: this string does not end on its line"),
        ] {
            assert_eq!(refusal(text).as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_policies_do_is_not() {
        let review = format!("x = {}1{}", "{\"k\": ".repeat(12), "}".repeat(12));
        let many = "r { a.b.c == 1; x := [y | y := {\"a\": [z | z := f(g(h(1 + 2)))]}] }\n".repeat(2_000);
        let lines = format!("r {{\n{}}}", "a := b + c - d\n".repeat(5_000));
        for text in [review, many, lines] {
            assert_eq!(refusal(text), None);
        }
    }
}
