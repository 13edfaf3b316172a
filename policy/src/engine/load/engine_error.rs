//! The engine's errors are text of several lines that draws the source; here they become a place and a sentence.
//! The only file that reads that text.

use super::position_map::{PositionMap, line_starts};
use crate::Diagnostic;

/// The longest sentence, in characters.
const MAX_SENTENCE: usize = 300;

/// How to mend what the engine says, by a part of its sentence.
const HELP: &[(&str, &str)] = &[
    ("is unsafe", "Give it a value before it is used: `some x in xs`, `x := ...`, or name it as an argument."),
    ("used before definition", "Declare it above, or give one of the two another name."),
    ("unexpected keyword", "A keyword cannot be a name, and a statement begins on a line of its own or after `;`."),
    ("keyword is required", "Rego v1 wants `if` before a rule's body and `contains` in a rule that makes a set."),
    ("expecting `}`", "Close the `{`, or end the statement before with `;` or a new line."),
    ("expecting `]`", "Close the `[`; items are separated by commas."),
    ("expecting `)`", "Close the `(`; arguments are separated by commas."),
    ("expecting `:`", "An object's items are `key: value`."),
    ("expected the name of a rule", "A file has a package, then imports, then rules."),
    ("expected an expression", "Something is missing here: a value, a name or a call."),
    ("must begin with its package", "Write `package writ.NAME` as the first line that is no comment."),
    ("duplicate", "Keep one of the two."),
];

/// An error of the engine, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EngineError {
    /// The file that the engine was told, if the error names one.
    pub(crate) path: Option<String>,
    /// Line and column from 1, as the engine counts them; 0 when it says none.
    pub(crate) line: u32,
    pub(crate) column: u32,
    /// What is wrong, one line.
    pub(crate) sentence: String,
}

impl EngineError {
    /// Reads `--> path:line:column`, the drawing, and `error: sentence`; or `path:line:column error: sentence`.
    pub(crate) fn read(error: &anyhow::Error) -> Self {
        let text = format!("{error:#}");
        let place = text.lines().find_map(|line| split_place(line.trim().strip_prefix("--> ")?));
        let (path, line, column) = match place {
            Some((path, line, column)) => (Some(path.to_owned()), line, column),
            None => (None, 0, 0),
        };
        let said = text.lines().find_map(|line| line.strip_prefix("error: "));
        let sentence = match said {
            Some(said) => said.to_owned(),
            None => match text.split_once(" error: ") {
                Some((place, said)) if path.is_none() => return Self::read_short(place, said),
                _ => text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("unknown error").to_owned(),
            },
        };
        Self { path, line, column, sentence: for_people(&sentence) }
    }

    fn read_short(place: &str, said: &str) -> Self {
        let said = for_people(said.lines().next().unwrap_or_default());
        match split_place(place.trim()) {
            Some((path, line, column)) => Self { path: Some(path.to_owned()), line, column, sentence: said },
            None => Self { path: None, line: 0, column: 0, sentence: said },
        }
    }

    /// The error in the author's text, given the text that the engine read.
    pub(crate) fn diagnostic(&self, path: &str, text: &str, map: &PositionMap) -> Diagnostic {
        let mut diagnostic = Diagnostic::error(path, self.sentence.clone());
        if let Some((_, help)) = HELP.iter().find(|(part, _)| self.sentence.contains(part)) {
            diagnostic = diagnostic.help(*help);
        }
        if self.line == 0 {
            return diagnostic;
        }
        let (line, column) = map.place(self.offset(text));
        diagnostic.at(line, column)
    }

    /// The byte of the engine's place: it counts a tab as four columns and text by bytes.
    fn offset(&self, text: &str) -> usize {
        let starts = line_starts(text);
        let Some(start) = starts.get(self.line as usize - 1).copied() else { return text.len() };
        let line = text[start..].split('\n').next().unwrap_or_default();
        let mut column = 1;
        for (at, character) in line.char_indices() {
            if column >= self.column {
                return start + at;
            }
            column += if character == '\t' { 4 } else { character.len_utf8() as u32 };
        }
        start + line.len()
    }
}

fn split_place(place: &str) -> Option<(&str, u32, u32)> {
    let (place, column) = place.rsplit_once(':')?;
    let (path, line) = place.rsplit_once(':')?;
    Some((path, line.parse().ok().filter(|line| *line > 0)?, column.parse().ok()?))
}

/// The engine's words where they would puzzle an author.
fn for_people(sentence: &str) -> String {
    let sentence = sentence.trim().trim_end_matches('.');
    let better = match sentence {
        "expecting identifier. Failed to parse rule-ref" => "expected the name of a rule here",
        "expecting identifier" => "expected a name here",
        "expecting expression" => "expected an expression here",
        "expecting `package` Missing package declaration" | "expecting `package` Missing package declaration." => {
            "the file must begin with its package"
        }
        "expecting }" => "expected `}` or a statement here",
        other => other,
    };
    let mut capped: String = better.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_SENTENCE).collect();
    if capped.starts_with(char::is_uppercase) && !capped.chars().nth(1).is_some_and(char::is_uppercase) {
        capped = capped[..1].to_lowercase() + &capped[1..];
    }
    capped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawn_error_becomes_a_place_and_a_sentence() {
        let error =
            anyhow::anyhow!("\n--> a.rego:3:5\n  |\n3 | \tx y\n  |     ^\nerror: expecting `}}` while parsing query");
        let read = EngineError::read(&error);
        assert_eq!((read.line, read.column, read.sentence.as_str()), (3, 5, "expecting `}` while parsing query"));
        let text = "a\nb\n\tx y";
        let diagnostic = read.diagnostic("a.rego", text, &PositionMap::identity(text.into()));
        assert_eq!((diagnostic.line, diagnostic.column), (3, 2));
    }

    #[test]
    fn an_error_without_a_place_is_about_the_file() {
        let read = EngineError::read(&anyhow::anyhow!("Something went wrong.\nmore"));
        assert_eq!((read.line, read.sentence.as_str()), (0, "something went wrong"));
        let read = EngineError::read(&anyhow::anyhow!("a.rego:2:7 error: encountered `x` while expecting `in`"));
        assert_eq!((read.line, read.column), (2, 7));
    }
}
