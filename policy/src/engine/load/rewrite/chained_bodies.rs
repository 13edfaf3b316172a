//! `head { .. } { .. }` is two rules with one head. The engine refuses the second body of a set and gives that of a
//! function or a complete rule the value `true`; so the head is written again before it.

use super::super::edit::{Edit, Piece};
use super::super::token::{Kind, Token};
use std::ops::Range;

/// The head before each body that follows another.
pub(crate) fn edits(source: &str, tokens: &[Token]) -> Vec<Edit> {
    let mut rules = Rules { source, tokens, depth: 0, start: 0, head: None, body_ended: false, edits: vec![] };
    for at in 0..tokens.len() {
        rules.step(at);
    }
    rules.edits
}

struct Rules<'t> {
    source: &'t str,
    tokens: &'t [Token],
    depth: usize,
    /// The token that the rule begins with.
    start: usize,
    /// The tokens of its head, known from its first body on; none after `else`, whose bodies are not chained.
    head: Option<Range<usize>>,
    body_ended: bool,
    edits: Vec<Edit>,
}

impl Rules<'_> {
    fn step(&mut self, at: usize) {
        let token = &self.tokens[at];
        if self.depth == 0 {
            self.at_top(at, token);
        }
        if token.kind != Kind::Symbol {
            return;
        }
        match token.text(self.source) {
            "(" | "[" | "{" => self.depth += 1,
            ")" | "]" | "}" => {
                self.depth = self.depth.saturating_sub(1);
                self.body_ended = self.depth == 0 && self.head.is_some() && token.is(self.source, "}");
            }
            _ => {}
        }
    }

    fn at_top(&mut self, at: usize, token: &Token) {
        let opens_body = token.is(self.source, "{") && at > 0 && self.may_precede_body(&self.tokens[at - 1]);
        if std::mem::take(&mut self.body_ended) {
            if opens_body {
                self.repeat_head(token.range.start);
                return;
            }
            self.head = None;
            if !token.is_word(self.source, "else") {
                self.start = at;
            }
        } else if self.starts_rule(at, token) {
            (self.start, self.head) = (at, None);
        }
        if opens_body && !self.has_else(at) {
            self.head = Some(self.start..at);
        }
    }

    fn may_precede_body(&self, token: &Token) -> bool {
        token.ends_operand(self.source) || token.is_word(self.source, "if")
    }

    fn starts_rule(&self, at: usize, token: &Token) -> bool {
        let after_operand = at == 0 || self.tokens[at - 1].ends_operand(self.source);
        token.starts_line && token.kind == Kind::Word && after_operand && token.starts_operand(self.source)
    }

    fn has_else(&self, at: usize) -> bool {
        self.tokens[self.start..at].iter().any(|token| token.is_word(self.source, "else"))
    }

    /// The head's tokens one by one, so that comments and line ends between them are left behind.
    fn repeat_head(&mut self, at: usize) {
        let head = self.head.clone().expect("a body ended, so its head is known");
        let mut pieces = vec![];
        for token in &self.tokens[head.clone()] {
            if token.spaced && token.range.start != self.tokens[head.start].range.start {
                pieces.push(Piece::New(" ".into()));
            }
            pieces.push(Piece::Own(token.range.clone()));
        }
        pieces.push(Piece::New(" ".into()));
        self.edits.push(Edit { range: at..at, pieces });
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::edit::apply;
    use super::super::super::token::tokens;

    fn rewritten(source: &str) -> String {
        apply(source, super::edits(source, &tokens(source).unwrap())).0
    }

    #[test]
    fn the_head_is_repeated() {
        for (source, expected) in [
            ("r[x] { x := 1 } { x := 2 }", "r[x] { x := 1 } r[x] { x := 2 }"),
            (
                "f(x) = y { y := 1 }\n{ y := 2 }\n{ y := 3 }",
                "f(x) = y { y := 1 }\nf(x) = y { y := 2 }\nf(x) = y { y := 3 }",
            ),
            ("a = 1\nr = {\"k\": 1} { a } { b }", "a = 1\nr = {\"k\": 1} { a } r = {\"k\": 1} { b }"),
            ("p { true }\nf(x, # c\n y) = z { a } { b }", "p { true }\nf(x, # c\n y) = z { a } f(x, y) = z { b }"),
            ("r if { a } { b }", "r if { a } r if { b }"),
        ] {
            assert_eq!(rewritten(source), expected);
        }
    }

    #[test]
    fn other_braces_stay() {
        for source in
            ["r { a } else = {} { b }", "r = {1}\ns = {2}", "d := {} \nr { {1} == x }\nq[{}] { a }", "r = x | {1}"]
        {
            assert_eq!(rewritten(source), source);
        }
    }
}
