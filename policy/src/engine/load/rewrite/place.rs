//! Where expressions and statements of the syntax tree stand among the tokens.

use super::super::token::Token;
use regorus::unstable::Span;
use std::ops::Range;

/// The range of a span in whole tokens, with both ends of every bracket: the engine's spans leave out the quotes of
/// strings at either end and parentheses, and that of an object begins at its last item.
pub(super) fn whole(text: &str, tokens: &[Token], span: &Span) -> Range<usize> {
    let (start, end) = (span.start as usize, span.end as usize);
    let mut first = tokens.partition_point(|token| token.range.end <= start);
    let mut last = tokens.partition_point(|token| token.range.start < end);
    let weight = |token: &Token| match token.text(text) {
        "(" | "[" | "{" => 1,
        ")" | "]" | "}" => -1,
        _ => 0,
    };
    let mut open: i32 = tokens[first..last.max(first)].iter().map(weight).sum();
    while open > 0 && last < tokens.len() {
        open += weight(&tokens[last]);
        last += 1;
    }
    while open < 0 && first > 0 {
        first -= 1;
        open += weight(&tokens[first]);
    }
    let start = tokens.get(first).map_or(start, |token| token.range.start.min(start));
    start..last.checked_sub(1).map_or(end, |last| tokens[last].range.end.max(end))
}

/// Whether the statement that begins here is a body of one statement without braces: `r if not f(x)`.
pub(super) fn is_alone_after_if(text: &str, tokens: &[Token], start: usize) -> bool {
    let at = tokens.partition_point(|token| token.range.start < start);
    at.checked_sub(1).is_some_and(|before| tokens[before].is_word(text, "if"))
}
