//! RE2's patterns in the words of Rust's `regex`: ASCII classes, no set operations, `\Q..\E`, octal escapes, and the
//! forms that RE2 refuses refused.

/// RE2's largest repetition.
const MAX_REPEAT: u32 = 1_000;
const DIGITS: &str = "0-9";
const WORDS: &str = "0-9A-Za-z_";
const BLANKS: &str = r"\t\n\x0C\r ";

/// The same pattern for Rust's `regex`, or nothing when RE2 would not take it.
pub(super) fn translate(pattern: &str) -> Option<String> {
    let mut translation = Translation { rest: pattern, out: String::with_capacity(pattern.len() + 16), repeats: false };
    while !translation.rest.is_empty() {
        translation.step()?;
    }
    Some(translation.out)
}

struct Translation<'p> {
    rest: &'p str,
    out: String,
    /// Whether the last thing was a repetition, which may not be repeated again.
    repeats: bool,
}

impl Translation<'_> {
    fn step(&mut self) -> Option<()> {
        let next = self.take()?;
        let was_repeated = std::mem::take(&mut self.repeats);
        match next {
            '*' | '+' | '?' => {
                self.out.push(next);
                self.repetition(was_repeated)
            }
            '{' => match self.counts() {
                Some(length) => {
                    self.counts_are_small(length)?;
                    self.out.push('{');
                    self.copy(length);
                    self.repetition(was_repeated)
                }
                None => self.literal('{'),
            },
            '\\' => self.escape(),
            '[' => self.class(),
            '(' if self.rest.starts_with('?') => self.group(),
            '}' => self.literal('}'),
            other => {
                self.out.push(other);
                Some(())
            }
        }
    }

    fn take(&mut self) -> Option<char> {
        let next = self.rest.chars().next()?;
        self.rest = &self.rest[next.len_utf8()..];
        Some(next)
    }

    fn eat(&mut self, prefix: &str) -> bool {
        match self.rest.strip_prefix(prefix) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn copy(&mut self, length: usize) {
        let (copied, rest) = self.rest.split_at(length);
        self.out.push_str(copied);
        self.rest = rest;
    }

    fn literal(&mut self, character: char) -> Option<()> {
        self.out.push_str(&::regex::escape(character.encode_utf8(&mut [0; 4])));
        Some(())
    }

    /// After `*`, `+`, `?` or counts: perhaps lazy, and not again.
    fn repetition(&mut self, was_repeated: bool) -> Option<()> {
        if self.eat("?") {
            self.out.push('?');
        }
        self.repeats = true;
        (!was_repeated).then_some(())
    }

    /// The length of `n}`, `n,}` or `n,m}`; anything else after a brace makes it a plain character.
    fn counts(&self) -> Option<usize> {
        let (inner, _) = self.rest.split_once('}')?;
        let (least, most) = inner.split_once(',').unwrap_or((inner, inner));
        let is_count = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        (is_count(least) && (most.is_empty() || is_count(most))).then_some(inner.len() + 1)
    }

    fn counts_are_small(&self, length: usize) -> Option<()> {
        let counts = self.rest[..length - 1].split(',').filter(|count| !count.is_empty());
        counts.into_iter().all(|count| count.parse().is_ok_and(|count: u32| count <= MAX_REPEAT)).then_some(())
    }

    fn escape(&mut self) -> Option<()> {
        let out = match self.take()? {
            'd' => format!("[{DIGITS}]"),
            'D' => format!("[^{DIGITS}]"),
            'w' => format!("[{WORDS}]"),
            'W' => format!("[^{WORDS}]"),
            's' => format!("[{BLANKS}]"),
            'S' => format!("[^{BLANKS}]"),
            'b' => r"(?-u:\b)".into(),
            'B' => r"(?-u:\B)".into(),
            'A' => r"\A".into(),
            'z' => r"\z".into(),
            'Q' => {
                let (quoted, rest) = self.rest.split_once(r"\E").unwrap_or((self.rest, ""));
                self.rest = rest;
                ::regex::escape(quoted)
            }
            'p' => self.unicode("p")?,
            'P' => self.unicode("P")?,
            other => ::regex::escape(self.character(other)?.encode_utf8(&mut [0; 4])),
        };
        self.out.push_str(&out);
        Some(())
    }

    /// `\pL` or `\p{Greek}`.
    fn unicode(&mut self, letter: &str) -> Option<String> {
        if !self.rest.starts_with('{') {
            return Some(format!(r"\{letter}{{{}}}", self.take()?));
        }
        let (name, rest) = self.rest[1..].split_once('}')?;
        self.rest = rest;
        name.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'^')).then_some(())?;
        Some(format!(r"\{letter}{{{name}}}"))
    }

    /// An escape that stands for one character, `\` already taken.
    fn character(&mut self, letter: char) -> Option<char> {
        match letter {
            'a' => Some('\x07'),
            'f' => Some('\x0C'),
            't' => Some('\t'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            'v' => Some('\x0B'),
            'x' => self.hexadecimal(),
            '0'..='7' => self.octal(letter),
            other if other.is_ascii() && !other.is_ascii_alphanumeric() => Some(other),
            _ => None,
        }
    }

    fn hexadecimal(&mut self) -> Option<char> {
        let digits = if self.eat("{") {
            let (digits, rest) = self.rest.split_once('}')?;
            self.rest = rest;
            digits
        } else {
            let digits = self.rest.get(..2)?;
            self.rest = &self.rest[2..];
            digits
        };
        u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)
    }

    /// `\123`, `\0`; `\1` alone would refer back, which RE2 does not have.
    fn octal(&mut self, first: char) -> Option<char> {
        let more = self.rest.bytes().take(2).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
        if first != '0' && more == 0 {
            return None;
        }
        let digits = format!("{first}{}", &self.rest[..more]);
        self.rest = &self.rest[more..];
        u32::from_str_radix(&digits, 8).ok().and_then(char::from_u32)
    }

    /// `(?flags)`, `(?flags:`, `(?P<name>`, `(?<name>`.
    fn group(&mut self) -> Option<()> {
        self.out.push('(');
        let length = self.rest.find(['<', ':', ')'])? + 1;
        let head = &self.rest[1..length];
        let is_flags =
            head.trim_end_matches([':', ')']).chars().all(|flag| matches!(flag, 'i' | 'm' | 's' | 'U' | '-'));
        if !(matches!(head, "P<" | "<") || (!head.ends_with('<') && is_flags)) {
            return None;
        }
        self.copy(length);
        Some(())
    }

    fn class(&mut self) -> Option<()> {
        self.out.push('[');
        if self.eat("^") {
            self.out.push('^');
        }
        let mut first = true;
        loop {
            if !std::mem::take(&mut first) && self.eat("]") {
                self.out.push(']');
                return Some(());
            }
            self.class_item()?;
        }
    }

    fn class_item(&mut self) -> Option<()> {
        if self.rest.starts_with("[:") {
            let (name, _) = self.rest[2..].split_once(":]")?;
            self.copy(name.len() + 4);
            return Some(());
        }
        for (escape, members) in [(r"\d", DIGITS), (r"\w", WORDS), (r"\s", BLANKS)] {
            if self.eat(escape) {
                self.out.push_str(members);
                return Some(());
            }
            if self.eat(&escape.to_ascii_uppercase()) {
                self.out.push_str(&format!("[^{members}]"));
                return Some(());
            }
        }
        for letter in ["p", "P"] {
            if self.eat(&format!(r"\{letter}")) {
                let property = self.unicode(letter)?;
                self.out.push_str(&property);
                return Some(());
            }
        }
        self.range()
    }

    /// One character, or two with `-` between them.
    fn range(&mut self) -> Option<()> {
        let low = self.class_character()?;
        self.class_literal(low);
        if self.rest.starts_with('-') && !self.rest.starts_with("-]") {
            self.rest = &self.rest[1..];
            let high = self.class_character()?;
            self.out.push('-');
            self.class_literal(high);
        }
        Some(())
    }

    fn class_character(&mut self) -> Option<char> {
        match self.take()? {
            '\\' => {
                let letter = self.take()?;
                self.character(letter)
            }
            other => Some(other),
        }
    }

    fn class_literal(&mut self, character: char) {
        if character.is_ascii_punctuation() && !matches!(character, '<' | '>') {
            self.out.push('\\');
        }
        self.out.push(character);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_become_ascii() {
        assert_eq!(translate(r"[\d\-x]\s").unwrap(), r"[0-9\-x][\t\n\x0C\r ]");
        assert_eq!(translate("a{2}{,x}").unwrap(), r"a{2}\{,x\}");
    }
}
