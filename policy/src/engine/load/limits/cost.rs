//! How often the engine's parser reads the tokens of a source, from above. A token within the first element of a
//! bracket is read again when the bracket turns out to be no comprehension, a token of a statement when it turns out
//! to be no assignment; nested, these multiply.

use super::super::token::{Kind, Token};
use super::Excess;

/// The most readings of tokens: below half a second of an optimised build's time.
const MAX_READINGS: u64 = 600_000;

/// Where in a bracket a token stands.
#[derive(Clone, Copy, PartialEq)]
enum Region {
    /// Arguments, keys of references, later elements: read once.
    Plain,
    /// The first element of an array, a set, an object or a comprehension, or the first value of an object.
    First,
    /// The right side of `|` where a `,` follows: read as a comprehension first.
    Union,
    /// A statement that may be an assignment.
    Statement,
}

impl Region {
    fn readings(self) -> u64 {
        match self {
            Region::Plain => 1,
            Region::First | Region::Statement => 2,
            Region::Union => 3,
        }
    }
}

struct Frame {
    region: Region,
    /// Readings of each token here, if it is read once.
    around: u64,
    /// Whether the bracket holds statements.
    is_body: bool,
    may_be_object: bool,
    is_union: bool,
}

/// The place from which on the source would be read too often.
pub(super) fn check(text: &str, tokens: &[Token]) -> Result<(), Excess> {
    let mut cost = Cost { text, tokens, unions: unions(text, tokens), frames: vec![], readings: 0 };
    for (at, token) in tokens.iter().enumerate() {
        cost.step(at);
        if cost.readings > MAX_READINGS {
            return Err(Excess {
                at: token.range.start,
                message: "the nesting takes too long to parse".into(),
                help: "Give inner objects, arrays and comprehensions names or rules of their own.",
            });
        }
    }
    Ok(())
}

fn unions(text: &str, tokens: &[Token]) -> Vec<bool> {
    let mut unions = vec![false; tokens.len()];
    let mut open: Vec<(usize, bool)> = vec![];
    for (at, token) in tokens.iter().enumerate().filter(|(_, token)| token.kind == Kind::Symbol) {
        match (token.text(text), open.last_mut()) {
            ("(" | "[" | "{", _) => open.push((at, false)),
            (")" | "]" | "}", _) => drop(open.pop()),
            ("|", Some((_, has_bar))) => *has_bar = true,
            (",", Some((opened, true))) => unions[*opened] = true,
            _ => {}
        }
    }
    unions
}

struct Cost<'t> {
    text: &'t str,
    tokens: &'t [Token],
    /// For each bracket that opens, whether it holds a `|` and a `,` after it.
    unions: Vec<bool>,
    frames: Vec<Frame>,
    readings: u64,
}

impl Cost<'_> {
    fn step(&mut self, at: usize) {
        let token = &self.tokens[at];
        let here = self.here();
        self.readings = self.readings.saturating_add(here);
        let after_operand = at > 0 && self.tokens[at - 1].ends_operand(self.text);
        let symbol = if matches!(token.kind, Kind::Symbol) { token.text(self.text) } else { "" };
        match symbol {
            "(" => self.open(Region::Plain, here, false),
            "[" if after_operand && !token.spaced => self.open(Region::Plain, here, false),
            "[" => {
                self.open(Region::First, here, false);
                self.frames.last_mut().expect("it was just opened").is_union = self.unions[at];
            }
            "{" if self.opens_body(at, after_operand) => self.open(Region::Statement, here, true),
            "{" => {
                self.open(Region::First, here, false);
                let frame = self.frames.last_mut().expect("it was just opened");
                (frame.may_be_object, frame.is_union) = (true, self.unions[at]);
            }
            ")" | "]" | "}" => drop(self.frames.pop()),
            _ => self.within(symbol, token, after_operand),
        }
    }

    fn here(&self) -> u64 {
        self.frames.last().map_or(1, |frame| frame.around.saturating_mul(frame.region.readings()))
    }

    fn open(&mut self, region: Region, around: u64, is_body: bool) {
        self.frames.push(Frame { region, around, is_body, may_be_object: false, is_union: false });
    }

    /// A body follows a head or a domain; in a statement of its own a brace begins a value.
    fn opens_body(&self, at: usize, after_operand: bool) -> bool {
        let after_word = at > 0 && ["if", "else"].iter().any(|word| self.tokens[at - 1].is_word(self.text, word));
        after_word || (after_operand && (self.frames.is_empty() || !self.tokens[at].starts_line))
    }

    fn within(&mut self, symbol: &str, token: &Token, after_operand: bool) {
        let starts_statement = token.starts_line && after_operand && token.starts_operand(self.text);
        let declares = ["every", "some"].iter().any(|word| token.is_word(self.text, word));
        let Some(frame) = self.frames.last_mut() else { return };
        frame.region = match (symbol, frame.region) {
            ("|", Region::First) if frame.is_union => Region::Union,
            ("|", Region::First) => {
                frame.is_body = true;
                Region::Statement
            }
            (":", Region::First) if std::mem::take(&mut frame.may_be_object) => Region::First,
            (":=" | "=", Region::Statement) => Region::Plain,
            _ if declares && frame.is_body => Region::Plain,
            (";", _) if frame.is_body => Region::Statement,
            _ if starts_statement && frame.is_body => Region::Statement,
            (",", Region::First | Region::Union) => Region::Plain,
            (_, region) => region,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::token::tokens;
    use super::*;

    fn readings(text: &str) -> u64 {
        let tokens = tokens(text).unwrap();
        let mut cost = Cost { text, tokens: &tokens, unions: unions(text, &tokens), frames: vec![], readings: 0 };
        (0..tokens.len()).for_each(|at| cost.step(at));
        cost.readings
    }

    /// What the engine was seen to do with an element nested in itself: read it a fixed number of times, or twice or
    /// more often with each level.
    #[test]
    fn only_nesting_that_multiplies_is_dear() {
        let nested = |open: &str, close: &str| readings(&format!("r = {}1{}", open.repeat(12), close.repeat(12)));
        for (open, close) in
            [("[1, ", "]"), ("{\"b\": 1, \"a\": ", "}"), ("f(", ")"), ("(", ")"), ("[x | x := ", "]"), ("a[", "]")]
        {
            assert!(nested(open, close) < 300, "{open}: {}", nested(open, close));
        }
        for (open, close) in [("[", "]"), ("{", "}"), ("{\"a\": ", "}"), ("[x | count(", ")]"), ("[a | ", ", 1]")] {
            assert!(nested(open, close) > 4_096, "{open}: {}", nested(open, close));
        }
        let every = format!("r {{ {} x {} }}", "every x in xs { ".repeat(12), "}".repeat(12));
        assert!(readings(&every) < 300, "{}", readings(&every));
    }
}
