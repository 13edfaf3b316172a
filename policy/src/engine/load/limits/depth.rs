//! How deep a source nests: brackets, signs, and operators that follow one another, each of which is a frame on the
//! stack of whoever walks the syntax tree.

use super::super::token::{Kind, Token};
use super::{Excess, MAX_TOKENS};

/// The deepest nesting of brackets.
const MAX_DEPTH: usize = 32;
/// The most operators in one statement, at one depth.
const MAX_OPERATORS: usize = 200;
/// The most parts of one reference.
const MAX_PARTS: usize = 64;

/// What was seen since a bracket opened, or since the statement within it began.
#[derive(Default)]
struct Frame {
    /// The depth of the bracket itself.
    depth: usize,
    /// Signs before an operand; the engine reads each as a level of its own.
    signs: usize,
    operators: usize,
    parts: usize,
}

impl Frame {
    fn restart(&mut self) {
        *self = Frame { depth: self.depth, ..Frame::default() };
    }

    fn inner(&self) -> Self {
        Frame { depth: self.depth + self.signs + 1, ..Frame::default() }
    }
}

/// The first place that is too deep.
pub(super) fn check(text: &str, tokens: &[Token]) -> Result<(), Excess> {
    if let Some(token) = tokens.get(MAX_TOKENS) {
        let message = format!("the file has more than {MAX_TOKENS} tokens");
        return Err(Excess { at: token.range.start, message, help: "Split the file." });
    }
    let mut frames = vec![Frame::default()];
    for (at, token) in tokens.iter().enumerate() {
        step(text, tokens, at, &mut frames).map_err(|(message, help)| Excess {
            at: token.range.start,
            message,
            help,
        })?;
    }
    Ok(())
}

fn step(text: &str, tokens: &[Token], at: usize, frames: &mut Vec<Frame>) -> Result<(), (String, &'static str)> {
    let token = &tokens[at];
    let after_operand = at > 0 && tokens[at - 1].ends_operand(text);
    let frame = frames.last_mut().expect("the outermost frame is never taken");
    if token.starts_line && after_operand && token.starts_operand(text) {
        frame.restart();
    }
    match token.text(text) {
        _ if !matches!(token.kind, Kind::Symbol | Kind::Word) => {}
        "[" if after_operand && !token.spaced => {
            frame.parts += 1;
            let inner = frame.inner();
            frames.push(inner);
        }
        "(" | "[" | "{" => {
            let inner = frame.inner();
            frames.push(inner);
        }
        ")" | "]" | "}" => {
            frames.pop();
            if frames.is_empty() {
                frames.push(Frame::default());
            }
        }
        "." => frame.parts += 1,
        "," | ";" | ":" | "with" | "else" | "if" => frame.restart(),
        "-" if !after_operand => frame.signs += 1,
        "+" | "-" | "*" | "/" | "%" | "&" | "|" | "<" | ">" | "<=" | ">=" | "==" | "!=" | "=" | ":=" | "in" => {
            (frame.operators, frame.parts) = (frame.operators + 1, 0);
        }
        _ => {}
    }
    let frame = frames.last().expect("the outermost frame is never taken");
    let helper = "Give parts of it names or rules of their own.";
    match (frame.depth + frame.signs, frame.operators, frame.parts) {
        (depth, ..) if depth > MAX_DEPTH => Err((format!("brackets and signs nest deeper than {MAX_DEPTH}"), helper)),
        (_, operators, _) if operators > MAX_OPERATORS => {
            Err((format!("the statement has more than {MAX_OPERATORS} operators"), helper))
        }
        (.., parts) if parts > MAX_PARTS => Err((format!("the reference has more than {MAX_PARTS} parts"), helper)),
        _ => Ok(()),
    }
}
