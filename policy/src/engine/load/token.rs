//! The tokens of a Rego source with their byte places, and what cannot be a token. Agrees with the engine's lexer on
//! where strings and comments end (a property test holds it to that) and knows nothing of grammar.

use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or a keyword.
    Word,
    /// A number without its sign.
    Number,
    /// `"..."` with its quotes.
    Text,
    /// `` `...` `` with its quotes.
    RawText,
    /// One of the brackets, operators and separators.
    Symbol,
}

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    /// Bytes within the source.
    pub(crate) range: Range<usize>,
    /// Whether a line ends between the token before and this one.
    pub(crate) starts_line: bool,
    /// Whether blanks or comments are between the token before and this one.
    pub(crate) spaced: bool,
}

impl Token {
    /// The token as it is written.
    pub(crate) fn text<'t>(&self, source: &'t str) -> &'t str {
        &source[self.range.clone()]
    }

    /// Whether it is this symbol.
    pub(crate) fn is(&self, source: &str, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.text(source) == symbol
    }

    /// Whether it is this word.
    pub(crate) fn is_word(&self, source: &str, word: &str) -> bool {
        self.kind == Kind::Word && self.text(source) == word
    }

    /// Whether an expression may end with it.
    pub(crate) fn ends_operand(&self, source: &str) -> bool {
        match self.kind {
            Kind::Word => !is_operator_word(self.text(source)),
            Kind::Symbol => matches!(self.text(source), ")" | "]" | "}"),
            _ => true,
        }
    }

    /// Whether an expression may begin with it.
    pub(crate) fn starts_operand(&self, source: &str) -> bool {
        match self.kind {
            Kind::Word => !matches!(self.text(source), "in" | "if" | "else" | "with" | "as" | "contains"),
            Kind::Symbol => matches!(self.text(source), "(" | "[" | "{"),
            _ => true,
        }
    }
}

/// Words after which an operand must follow.
fn is_operator_word(word: &str) -> bool {
    matches!(word, "not" | "in" | "if" | "else" | "with" | "as" | "some" | "every" | "default" | "import" | "package")
}

/// What cannot be read, and from which byte on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LexicalError {
    pub(crate) at: usize,
    pub(crate) message: &'static str,
    pub(crate) help: &'static str,
}

/// All tokens of a source, or the first thing that is none.
pub(crate) fn tokens(source: &str) -> Result<Vec<Token>, LexicalError> {
    let mut lexer = Lexer { source, at: 0, starts_line: true, spaced: false, tokens: vec![] };
    while lexer.skip_blanks()? {
        lexer.read()?;
    }
    Ok(lexer.tokens)
}

struct Lexer<'s> {
    source: &'s str,
    at: usize,
    starts_line: bool,
    spaced: bool,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    fn rest(&self) -> &[u8] {
        &self.source.as_bytes()[self.at..]
    }

    /// Passes blanks and comments. False at the end.
    fn skip_blanks(&mut self) -> Result<bool, LexicalError> {
        loop {
            match self.rest() {
                [] => return Ok(false),
                [b'\n', ..] => self.starts_line = true,
                [b' ' | b'\t', ..] | [b'\r', b'\n', ..] => {}
                [b'#', ..] => self.at = self.end_of_comment()? - 1,
                _ => return Ok(true),
            }
            self.at += 1;
            self.spaced = true;
        }
    }

    fn end_of_comment(&self) -> Result<usize, LexicalError> {
        let rest = self.rest();
        let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        match rest[..length].iter().position(|byte| *byte == 0) {
            Some(nul) => Err(nul_at(self.at + nul)),
            None => Ok(self.at + length),
        }
    }

    fn read(&mut self) -> Result<(), LexicalError> {
        let (kind, length) = match self.rest() {
            [b'"', ..] => (Kind::Text, self.text_length()?),
            [b'`', ..] => (Kind::RawText, self.raw_text_length()?),
            [first, ..] if first.is_ascii_digit() => (Kind::Number, self.number_length()),
            [first, ..] if is_word_byte(*first) => (Kind::Word, self.length_while(is_word_byte)),
            [b':' | b'<' | b'>' | b'=' | b'!', b'=', ..] => (Kind::Symbol, 2),
            [first, ..] if b"{}[]()+-*/%,;.&|:<>=".contains(first) => (Kind::Symbol, 1),
            [0, ..] => return Err(nul_at(self.at)),
            [b'$', b'"' | b'`', ..] => {
                return Err(LexicalError {
                    at: self.at,
                    message: "text templates (`$\"...\"`) are not evaluated",
                    help: "Write `sprintf(\"... %v ...\", [x])`.",
                });
            }
            _ => {
                return Err(LexicalError {
                    at: self.at,
                    message: "this character has no meaning in Rego",
                    help: "Names are ASCII letters, digits and `_`; anything else belongs in a string.",
                });
            }
        };
        let range = self.at..self.at + length;
        self.at = range.end;
        self.tokens.push(Token { kind, range, starts_line: self.starts_line, spaced: self.spaced });
        (self.starts_line, self.spaced) = (false, false);
        Ok(())
    }

    fn length_while(&self, wanted: impl Fn(u8) -> bool) -> usize {
        self.rest().iter().take_while(|byte| wanted(**byte)).count()
    }

    /// Digits, a fraction and an exponent; what follows a number directly is the parser's to judge.
    fn number_length(&self) -> usize {
        let rest = self.rest();
        let digits = |from: usize| rest[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let mut length = if rest[0] == b'0' { 1 } else { digits(0) };
        if rest.get(length) == Some(&b'.') && digits(length + 1) > 0 {
            length += 1 + digits(length + 1);
        }
        if matches!(rest.get(length), Some(b'e' | b'E')) {
            length += 1;
            length += usize::from(matches!(rest.get(length), Some(b'+' | b'-')));
            length += digits(length);
        }
        length
    }

    fn text_length(&self) -> Result<usize, LexicalError> {
        let rest = self.rest();
        let mut length = 1;
        loop {
            match rest.get(length) {
                Some(b'"') => return Ok(length + 1),
                Some(b'\\') if matches!(rest.get(length + 1), Some(32..)) => length += 2,
                Some(0) => return Err(nul_at(self.at + length)),
                None | Some(b'\n' | b'\r' | b'\\') => return Err(self.unterminated_text()),
                Some(_) => length += 1,
            }
        }
    }

    fn unterminated_text(&self) -> LexicalError {
        LexicalError {
            at: self.at,
            message: "this string does not end on its line",
            help: "Close it with `\"`, or use `...` in backquotes for text of several lines.",
        }
    }

    fn raw_text_length(&self) -> Result<usize, LexicalError> {
        let rest = self.rest();
        match rest[1..].iter().position(|byte| matches!(byte, b'`' | 0)) {
            Some(end) if rest[1 + end] == b'`' => Ok(end + 2),
            Some(nul) => Err(nul_at(self.at + 1 + nul)),
            None => Err(LexicalError {
                at: self.at,
                message: "this raw string does not end",
                help: "Close it with a backquote.",
            }),
        }
    }
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The engine takes a NUL for the end of the file: the rules after it would silently not exist.
fn nul_at(at: usize) -> LexicalError {
    LexicalError { at, message: "the file has a NUL character", help: "Remove it; policies are plain text." }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<&str> {
        tokens(source).unwrap().iter().map(|token| token.text(source)).collect()
    }

    #[test]
    fn strings_and_comments_hide_what_is_in_them() {
        assert_eq!(texts("a := \"x # { \\\" \" # ( [\n`#\n{`"), ["a", ":=", "\"x # { \\\" \"", "`#\n{`"]);
        assert_eq!(texts("f(1.5e-3)!=é".trim_end_matches('é')), ["f", "(", "1.5e-3", ")", "!="]);
    }

    #[test]
    fn what_cannot_be_read_is_found_where_it_begins() {
        for (source, at) in [("x = \"abc\ny", 4), ("`abc", 0), ("a\0b", 1), ("# a\0b", 3), ("a ? b", 2), ("a\rb", 1)] {
            assert_eq!(tokens(source).unwrap_err().at, at, "{source:?}");
        }
    }

    #[test]
    fn a_token_knows_whether_it_starts_a_line() {
        let all = tokens("a # c\n(b)").unwrap();
        assert_eq!(all.iter().map(|token| token.starts_line).collect::<Vec<_>>(), [true, true, false, false]);
    }
}
